"""A classifier of texts of different lengths: embedding, bidirectional LSTM over packed sequences, early stopping."""

import copy
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

WORDS, PAD = 20, 0


class Reviews(Dataset):
    def __init__(self, count):
        self.texts = [
            torch.tensor([(k * 7 + j * (k % 5 + 1)) % (WORDS - 1) + 1 for j in range(1 + k % 6)])
            for k in range(count)
        ]
        self.labels = [int(t.float().mean().item() > WORDS / 2) for t in self.texts]

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, idx):
        return self.texts[idx], self.labels[idx]


def collate_fn(batch):
    texts, labels = zip(*batch)
    lengths = torch.tensor([len(t) for t in texts])
    return pad_sequence(texts, batch_first=True, padding_value=PAD), lengths, torch.tensor(labels)


class Classifier(nn.Module):
    def __init__(self, embed_dim=8, hidden_dim=6):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, embed_dim, padding_idx=PAD)
        self.lstm = nn.LSTM(embed_dim, hidden_dim, num_layers=2, bidirectional=True, batch_first=True)
        self.attention = nn.Linear(2 * hidden_dim, 1)
        self.fc = nn.Sequential(
            nn.LayerNorm(4 * hidden_dim), nn.Linear(4 * hidden_dim, 8), nn.ReLU(), nn.Linear(8, 2)
        )

    def forward(self, text, lengths):
        embedded = self.embedding(text)
        packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed_output, (hidden, cell) = self.lstm(packed)
        output, out_lengths = pad_packed_sequence(packed_output, batch_first=True)
        assert out_lengths.tolist() == lengths.tolist()
        mask = torch.arange(output.size(1))[None, :] < out_lengths[:, None]
        scores = self.attention(output).squeeze(-1).masked_fill(~mask, float("-inf"))
        context = torch.bmm(F.softmax(scores, dim=1).unsqueeze(1), output).squeeze(1)
        return self.fc(torch.cat([context, hidden[-2], hidden[-1]], dim=1))


model = Classifier()
with torch.no_grad():
    for k, (name, p) in enumerate(model.named_parameters()):
        p.copy_((torch.arange(p.numel(), dtype=torch.float32) * 0.53 + k).sin().view(p.shape) * 0.4)
    model.embedding.weight[PAD].zero_()

seen = []
handle = model.lstm.register_forward_hook(lambda module, args, output: seen.append(output[0].data.shape[0]))
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
optimizer = torch.optim.AdamW(
    [
        {"params": model.embedding.parameters(), "lr": 0.02},
        {"params": [p for n, p in model.named_parameters() if "embedding" not in n]},
    ],
    lr=0.01,
)
scheduler = ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=0)
averaged = AveragedModel(model)
loader = DataLoader(Reviews(40), batch_size=8, collate_fn=collate_fn)
losses, best, best_state = [], float("inf"), None
for epoch in range(4):
    model.train()
    total = 0.0
    for text, lengths, labels in loader:
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(text, lengths), labels)
        loss.backward()
        torch.nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        averaged.update_parameters(model)
        losses.append(loss.item())
        total += loss.item()
    scheduler.step(total / len(loader))
    if total < best:
        best, best_state = total, copy.deepcopy(model.state_dict())
handle.remove()
model.load_state_dict(best_state)
model.eval()
with torch.no_grad():
    found = [
        (net(text, lengths).argmax(1) == labels).sum().item()
        for net in (model, averaged.eval())
        for text, lengths, labels in loader
    ]
print(f"right: {sum(found[:5])} and {sum(found[5:])} of 40, {sum(seen)} words")
assert model.embedding.weight[PAD].abs().sum() == 0
torch.save(torch.tensor(losses), sys.argv[1])
