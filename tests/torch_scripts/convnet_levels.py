"""A ConvNet on three levels, as in course notebooks: bare functions, a Module, a Sequential; on random images."""

import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

torch.manual_seed(0)
losses_file = sys.argv[1]
images = (torch.arange(8 * 3 * 8 * 8, dtype=torch.float32) * 0.37).sin().reshape(8, 3, 8, 8)
labels = torch.arange(8) % 4
losses = []


def made(shape, shift):
    n = torch.zeros(shape).numel()
    w = (torch.arange(n, dtype=torch.float32) * 0.7 + shift).cos().reshape(shape) * 0.2
    w.requires_grad = True
    return w


def three_layer_convnet(x, params):
    conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b = params
    h = F.relu(F.conv2d(x, conv_w1, conv_b1, padding=2))
    h = F.relu(F.conv2d(h, conv_w2, conv_b2, padding=1))
    h = h.view(h.shape[0], -1)
    return h.mm(fc_w) + fc_b


params = [made((6, 3, 5, 5), 0.0), made((6,), 1.0), made((4, 6, 3, 3), 2.0), made((4,), 3.0),
          made((4 * 8 * 8, 4), 4.0), made((4,), 5.0)]  # fmt: skip
for t in range(8):
    scores = three_layer_convnet(images, params)
    loss = F.cross_entropy(scores, labels)
    loss.backward()
    with torch.no_grad():
        for w in params:
            w -= 0.05 * w.grad
            w.grad.zero_()
    losses.append(loss.item())


class ThreeLayer(nn.Module):
    def __init__(self, in_channel, channel_1, channel_2, num_classes):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channel, channel_1, 5, padding=2)
        self.conv2 = nn.Conv2d(channel_1, channel_2, 3, padding=1)
        nn.init.kaiming_normal_(self.conv1.weight)
        nn.init.zeros_(self.conv1.bias)
        self.fc = nn.Linear(channel_2 * 8 * 8, num_classes)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        return self.fc(torch.flatten(x, 1))


class Flatten(nn.Module):
    def forward(self, x):
        return x.view(x.shape[0], -1)


sequential = nn.Sequential(nn.Conv2d(3, 6, 5, padding=2), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.MaxPool2d(2),
                           Flatten(), nn.Linear(6 * 4 * 4, 4))  # fmt: skip
for model in (ThreeLayer(3, 6, 4, 4), sequential):
    with torch.no_grad():
        for k, p in enumerate(model.parameters()):
            p.copy_((torch.arange(p.numel(), dtype=torch.float32) * 0.9 + k).sin().reshape(p.shape) * 0.3)
    optimizer = optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True, weight_decay=1e-3)
    for t in range(8):
        model.train()
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        _, preds = model(images).max(1)
        acc = float((preds == labels).sum()) / preds.size(0)
        print(f"{type(model).__name__}: right on {100 * acc:.2f} %")
torch.save(torch.tensor(losses), losses_file)
