"""An LSTM on a toy sequence, a small transformer encoder, an autoencoder and a table with a Dataset of its own."""

import math
import sys

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset

losses = []


def fill(model):
    with torch.no_grad():
        for k, p in enumerate(model.parameters()):
            p.copy_((torch.arange(p.numel(), dtype=torch.float32) * 0.61 + k).sin().view(p.shape) * 0.25)
    return model


class Waves(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 8, num_layers=2, batch_first=True)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        out, (h, c) = self.lstm(x)
        return self.head(out[:, -1, :]).squeeze(-1)


t = torch.linspace(0, 6 * math.pi, 60)
series = torch.sin(t)
x = torch.stack([series[k : k + 10] for k in range(40)]).unsqueeze(-1)
y = torch.stack([series[k + 10] for k in range(40)])
model = fill(Waves())
optimizer = optim.Adam(model.parameters(), lr=0.01)
for _ in range(5):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())


class Tagger(nn.Module):
    def __init__(self, words=12, width=16):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.place = nn.Parameter(torch.zeros(1, 6, width))
        layer = nn.TransformerEncoderLayer(width, 4, 32, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.head = nn.Linear(width, 3)

    def forward(self, tokens):
        h = self.encoder(self.embed(tokens) * math.sqrt(16) + self.place)
        return self.head(h)


tokens = (torch.arange(24) * 5 % 12).reshape(4, 6)
tags = tokens % 3
model = fill(Tagger())
optimizer = optim.AdamW(model.parameters(), lr=3e-3)
scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=6)
for _ in range(5):
    logits = model(tokens)
    loss = nn.functional.cross_entropy(logits.view(-1, 3), tags.view(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())

encoder = nn.Sequential(
    nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 8, 3, 2, 1), nn.ReLU()
)
decoder = nn.Sequential(nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1), nn.ReLU(),
                        nn.ConvTranspose2d(4, 1, 2, stride=2), nn.Sigmoid())  # fmt: skip
auto = fill(nn.Sequential(encoder, decoder))
pictures = (torch.arange(4 * 64, dtype=torch.float32) * 0.3).sin().reshape(4, 1, 8, 8) * 0.5 + 0.5
optimizer = optim.RMSprop(auto.parameters(), lr=1e-3)
for _ in range(5):
    loss = nn.BCELoss()(auto(pictures), pictures)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())


class Table(Dataset):
    def __init__(self):
        self.rows = [[math.sin(k), math.cos(2 * k), k / 30] for k in range(30)]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, k):
        row = torch.tensor(self.rows[k])
        return row, row.sum() * 2 - 1


net = fill(nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)))
groups = [{"params": net[0].parameters(), "lr": 0.1}, {"params": net[2].parameters()}]
optimizer = optim.SGD(groups, lr=0.05, momentum=0.9)
for features, target in DataLoader(Table(), batch_size=6, num_workers=2):
    loss = nn.MSELoss()(net(features).squeeze(1), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

print(f"{len(losses)} losses, the last {losses[-1]:.4f}")
torch.save(torch.tensor(losses), sys.argv[1])
