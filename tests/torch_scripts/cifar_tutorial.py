"""A classifier for CIFAR-10 in the style of tutorials: top-level code, workers, saving, loading, accuracy per class."""

import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
import torchvision
import torchvision.transforms as transforms

root, weights, losses_file, images = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

transform = transforms.Compose(
    [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
)
batch_size = 16
trainset = torchvision.datasets.CIFAR10(root=root, train=True, download=False, transform=transform)
trainset = torch.utils.data.Subset(trainset, range(images))
trainloader = torch.utils.data.DataLoader(trainset, batch_size=batch_size, shuffle=False, num_workers=2)
testset = torchvision.datasets.CIFAR10(root=root, train=False, download=False, transform=transform)
classes = testset.classes
testset = torch.utils.data.Subset(testset, range(64))
testloader = torch.utils.data.DataLoader(testset, batch_size=batch_size, shuffle=False, num_workers=2)

images_shown, labels_shown = next(iter(trainloader))
grid = torchvision.utils.make_grid(images_shown / 2 + 0.5)
print(grid.shape, " ".join(f"{classes[labels_shown[j]]:5s}" for j in range(4)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)  # all dimensions but the batch
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


net = Net()
print(net)
if weights:
    net.load_state_dict(torch.load(weights))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

history = []
for epoch in range(1):
    running_loss = 0.0
    for i, data in enumerate(trainloader, 0):
        inputs, labels = data
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        history.append(loss.item())
        running_loss += loss.item()
        if i % 10 == 9:
            print(f"[{epoch + 1}, {i + 1:5d}] loss: {running_loss / 10:.3f}")
            running_loss = 0.0
print("Finished Training")
torch.save(torch.tensor(history), losses_file)

path = losses_file + ".net"
torch.save(net.state_dict(), path)
net = Net()
net.load_state_dict(torch.load(path, weights_only=True))

correct, total = 0, 0
correct_of = {name: 0 for name in classes}
total_of = {name: 0 for name in classes}
with torch.no_grad():
    for images, labels in testloader:
        outputs = net(images)
        _, predicted = torch.max(outputs, 1)
        total += labels.size(0)
        correct += (predicted == labels).sum().item()
        for label, guess in zip(labels, predicted):
            if label == guess:
                correct_of[classes[label]] += 1
            total_of[classes[label]] += 1
print(f"Accuracy on {total} test images: {100 * correct // total} %")
for name, count in correct_of.items():
    if total_of[name]:
        print(f"Accuracy for class: {name:5s} is {100 * float(count) / total_of[name]:.1f} %")
