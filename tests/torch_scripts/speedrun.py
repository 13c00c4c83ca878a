"""A trainer in the style of CIFAR speed runs, and a small ResNet with OneCycleLR; on made-up images.

The first layer is whitened by the patches of the images; BatchNorm and GELU follow. Two optimizers train it: SGD with
hand-set param_groups, and an Optimizer of the script's own that makes the steps of filters orthogonal.
"""

import sys

import torch
import torch.nn.functional as F
from torch import nn

torch.backends.cudnn.benchmark = True
device = "cuda" if torch.cuda.is_available() else "cpu"
losses = []


@torch.no_grad()
def fill(model):
    for k, (name, p) in enumerate(model.named_parameters()):
        if name.endswith("bias"):
            p.zero_()
        elif p.ndim > 1:
            n = torch.arange(p.numel()) + 7 * k
            p.copy_((((n * n % 911 * 29 + n) % 907).float() / 453 - 1).reshape(p.shape) / p[0].numel() ** 0.5)
    return model


def orthogonal(g, steps=3, eps=1e-7):
    a, b, c = (3.4445, -4.7750, 2.0315)
    x = g / (g.norm() + eps)
    if g.size(0) > g.size(1):
        x = x.T
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x.T if g.size(0) > g.size(1) else x


class Ortho(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, momentum=0.0, nesterov=False):
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        defaults = dict(lr=lr, momentum=momentum, nesterov=nesterov)
        super().__init__(params, defaults)

    def step(self):
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for p in group["params"]:
                g = p.grad
                if g is None:
                    continue
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(g)
                buf = state["momentum_buffer"]
                buf.mul_(momentum).add_(g)
                g = g.add(buf, alpha=momentum) if group["nesterov"] else buf
                p.data.mul_(len(p.data) ** 0.5 / p.data.norm())
                update = orthogonal(g.reshape(len(g), -1)).view(g.shape)
                p.data.add_(update, alpha=-lr)


class Group(nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, kernel_size=3, padding="same", bias=False)
        self.pool = nn.MaxPool2d(2)
        self.norm1 = nn.BatchNorm2d(channels_out, eps=1e-12, momentum=0.4)
        self.norm1.weight.requires_grad = False
        self.activ = nn.GELU()

    def forward(self, x):
        return self.activ(self.norm1(self.pool(self.conv1(x))))


class SpeedNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.whiten = nn.Conv2d(3, 2 * 3 * 2**2, 2, padding=0, bias=True)
        self.whiten.weight.requires_grad = False
        self.layers = nn.Sequential(nn.GELU(), Group(24, 16), Group(16, 24), nn.MaxPool2d(3))
        self.head = nn.Linear(24, 10, bias=False)

    @torch.no_grad()
    def init_whiten(self, images, eps=5e-4):
        patches = images.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
        covariance = (patches.T @ patches) / len(patches)
        values, vectors = torch.linalg.eigh(covariance)
        scale = torch.rsqrt(values + eps).view(-1, 1, 1, 1)
        filters = vectors.T.reshape(-1, 3, 2, 2)
        filters = (
            filters * filters.sum((1, 2, 3), keepdim=True).sign() * scale
        )  # the sign of a vector is free
        self.whiten.weight.data[:] = torch.cat((filters, -filters))

    def forward(self, x):
        x = F.conv2d(x, self.whiten.weight, self.whiten.bias)
        x = self.layers(x)
        x = x.view(len(x), -1)
        return self.head(x) / x.size(-1) ** 0.5


n = torch.arange(32 * 3 * 14 * 14)
images = ((n * n % 1009 * 31 + n * 17) % 1013).float().reshape(32, 3, 14, 14).to(device) / 506 - 1
labels = (torch.arange(32) % 10).to(device)
model = fill(SpeedNet()).to(device)
model.init_whiten(images)
filters = [p for p in model.parameters() if len(p.shape) == 4 and p.requires_grad]
norms = [p for n, p in model.named_parameters() if "norm" in n and p.requires_grad]
param_groups = [
    dict(params=[model.whiten.bias], lr=0.005, weight_decay=1e-4),
    dict(params=norms, lr=0.005, weight_decay=1e-4),
    dict(params=[model.head.weight], lr=0.02, weight_decay=1e-4),
]
optimizer1 = torch.optim.SGD(param_groups, momentum=0.85, nesterov=True)
optimizer2 = Ortho(filters, lr=0.02, momentum=0.6, nesterov=True)
optimizers = [optimizer1, optimizer2]
for opt in optimizers:
    for group in opt.param_groups:
        group["initial_lr"] = group["lr"]
steps = 10
for step in range(steps):
    model.train()
    picked = torch.arange(16) * 2 + step % 2
    outputs = model(images[picked].flip(-1) if step % 2 else images[picked])
    loss = F.cross_entropy(outputs, labels[picked], label_smoothing=0.2, reduction="sum")
    loss.backward()
    for group in optimizer1.param_groups[:1]:
        group["lr"] = group["initial_lr"] * (1 - step / steps)
    for group in optimizer1.param_groups[1:] + optimizer2.param_groups:
        group["lr"] = group["initial_lr"] * (1 - step / steps)
    for opt in optimizers:
        opt.step()
    model.zero_grad(set_to_none=True)
    losses.append(loss.item() / len(picked))
model.eval()
with torch.inference_mode():
    logits = model(images).clone() + model(images.flip(-1))
print(f"right: {(logits.argmax(1) == labels).float().mean().item():.4f}")


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != self.expansion * planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, planes, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(planes)
            )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class ResNet(nn.Module):
    def __init__(self, block, num_blocks, num_classes=10, width=4):
        super().__init__()
        self.in_planes = width
        self.conv1 = nn.Conv2d(3, width, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        layers = [
            self._make_layer(block, width * 2**k, n, 1 if k == 0 else 2) for k, n in enumerate(num_blocks)
        ]
        self.layers = nn.ModuleList(layers)
        self.linear = nn.Linear(width * 8, num_classes)

    def _make_layer(self, block, planes, num_blocks, stride):
        layers = []
        for s in [stride] + [1] * (num_blocks - 1):
            layers.append(block(self.in_planes, planes, s))
            self.in_planes = planes * block.expansion
        return nn.Sequential(*layers)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        for layer in self.layers:
            out = layer(out)
        out = F.adaptive_avg_pool2d(out, 1)
        return self.linear(out.view(out.size(0), -1))


net = fill(ResNet(BasicBlock, [2, 2, 2, 2])).to(device)
print(sum(p.numel() for p in net.parameters() if p.requires_grad), "parameters")
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, steps_per_epoch=5, epochs=2)
for step in range(10):
    optimizer.zero_grad()
    loss = criterion(net(images[step : step + 16]), labels[step : step + 16])
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
torch.save(torch.tensor(losses), sys.argv[1])
