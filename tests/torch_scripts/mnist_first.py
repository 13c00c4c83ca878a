"""A first network for MNIST, as beginners write it for PyTorch: argparse, Adadelta, StepLR, NLL loss."""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms


class Digits(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=3)
        self.conv2 = nn.Conv2d(8, 16, kernel_size=3)
        self.drop1 = nn.Dropout(rate)
        self.drop2 = nn.Dropout(rate)
        self.fc1 = nn.Linear(16 * 12 * 12, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = torch.flatten(self.drop1(x), start_dim=1)
        x = self.drop2(F.relu(self.fc1(x)))
        return F.log_softmax(self.fc2(x), dim=1)


def train(args, model, device, loader, optimizer, epoch, losses):
    model.train()
    for batch, (images, labels) in enumerate(loader):
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = F.nll_loss(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if batch % args.log_interval == 0:
            done = 100.0 * batch / len(loader)
            print(
                f"epoch {epoch} [{batch * len(images)}/{len(loader.dataset)} ({done:.0f}%)]  loss {loss.item():.6f}"
            )


@torch.no_grad()
def test(model, device, loader):
    model.eval()
    total, right = 0.0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        scores = model(images)
        total += F.nll_loss(scores, labels, reduction="sum").item()
        guess = scores.argmax(dim=1, keepdim=True)
        right += guess.eq(labels.view_as(guess)).sum().item()
    count = len(loader.dataset)
    print(f"test: mean loss {total / count:.4f}, {right}/{count} right")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="data")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--lr", type=float, default=1.0)
    parser.add_argument("--gamma", type=float, default=0.7)
    parser.add_argument("--rate", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-interval", type=int, default=5)
    parser.add_argument("--weights", default="")
    parser.add_argument("--losses", default="")
    parser.add_argument("--save-model", default="")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    training = Subset(datasets.MNIST(args.root, train=True, transform=prepare), range(args.images))
    testing = Subset(datasets.MNIST(args.root, train=False, transform=prepare), range(100))
    model = Digits(args.rate).to(device)
    if args.weights:
        model.load_state_dict(torch.load(args.weights))
    optimizer = optim.Adadelta(model.parameters(), lr=args.lr)
    scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)
    losses = []
    for epoch in range(1, args.epochs + 1):
        loader = DataLoader(training, batch_size=args.batch_size)
        train(args, model, device, loader, optimizer, epoch, losses)
        test(model, device, DataLoader(testing, batch_size=100))
        scheduler.step()
    if args.losses:
        torch.save(torch.tensor(losses), args.losses)
    if args.save_model:
        torch.save(model.state_dict(), args.save_model)


if __name__ == "__main__":
    main()
