"""A sequence-to-sequence transformer that learns to reverse a sentence, with masks, and translates greedily."""

import math
import sys

import torch
import torch.nn as nn
from torch import Tensor
from torch.nn import Transformer
from torch.nn.utils.rnn import pad_sequence

PAD, BOS, EOS = 0, 1, 2
WORDS = 12


def fill(model):
    with torch.no_grad():
        for k, (name, p) in enumerate(model.named_parameters()):
            if "norm" not in name:
                p.copy_((torch.arange(p.numel(), dtype=torch.float32) * 0.37 + k).sin().view(p.shape) * 0.3)
    return model


class PositionalEncoding(nn.Module):
    def __init__(self, emb_size: int, dropout: float, maxlen: int = 50):
        super().__init__()
        den = torch.exp(-torch.arange(0, emb_size, 2) * math.log(10000) / emb_size)
        pos = torch.arange(0, maxlen).reshape(maxlen, 1)
        pos_embedding = torch.zeros((maxlen, emb_size))
        pos_embedding[:, 0::2] = torch.sin(pos * den)
        pos_embedding[:, 1::2] = torch.cos(pos * den)
        pos_embedding = pos_embedding.unsqueeze(-2)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("pos_embedding", pos_embedding)

    def forward(self, token_embedding: Tensor):
        return self.dropout(token_embedding + self.pos_embedding[: token_embedding.size(0), :])


class TokenEmbedding(nn.Module):
    def __init__(self, vocab_size: int, emb_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, emb_size)
        self.emb_size = emb_size

    def forward(self, tokens: Tensor):
        return self.embedding(tokens.long()) * math.sqrt(self.emb_size)


class Seq2SeqTransformer(nn.Module):
    def __init__(self, layers: int, emb_size: int, nhead: int, vocab: int, feedforward: int, dropout: float):
        super().__init__()
        self.transformer = Transformer(
            d_model=emb_size, nhead=nhead, num_encoder_layers=layers, num_decoder_layers=layers,
            dim_feedforward=feedforward, dropout=dropout,
        )  # fmt: skip
        self.generator = nn.Linear(emb_size, vocab)
        self.src_tok_emb = TokenEmbedding(vocab, emb_size)
        self.tgt_tok_emb = TokenEmbedding(vocab, emb_size)
        self.positional_encoding = PositionalEncoding(emb_size, dropout=dropout)

    def forward(
        self, src, trg, src_mask, tgt_mask, src_padding_mask, tgt_padding_mask, memory_key_padding_mask
    ):
        src_emb = self.positional_encoding(self.src_tok_emb(src))
        tgt_emb = self.positional_encoding(self.tgt_tok_emb(trg))
        outs = self.transformer(
            src_emb,
            tgt_emb,
            src_mask,
            tgt_mask,
            None,
            src_padding_mask,
            tgt_padding_mask,
            memory_key_padding_mask,
        )
        return self.generator(outs)

    def encode(self, src: Tensor, src_mask: Tensor):
        return self.transformer.encoder(self.positional_encoding(self.src_tok_emb(src)), src_mask)

    def decode(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor):
        return self.transformer.decoder(self.positional_encoding(self.tgt_tok_emb(tgt)), memory, tgt_mask)


def generate_square_subsequent_mask(sz):
    mask = (torch.triu(torch.ones((sz, sz))) == 1).transpose(0, 1)
    return mask.float().masked_fill(mask == 0, float("-inf")).masked_fill(mask == 1, 0.0)


def create_mask(src, tgt):
    tgt_mask = generate_square_subsequent_mask(tgt.shape[0])
    src_mask = torch.zeros((src.shape[0], src.shape[0]), dtype=torch.float32)
    # Both masks of a call have one dtype.
    padding = [
        torch.zeros(t.T.shape).masked_fill((t == PAD).transpose(0, 1), float("-inf")) for t in (src, tgt)
    ]
    return src_mask, tgt_mask, padding[0], padding[1]


sentences = [[(3 * k + 5 * j + j * j) % 9 + 3 for j in range(2 + k % 4)] for k in range(16)]


def batch(start):
    part = sentences[start : start + 8]
    src = pad_sequence([torch.tensor([BOS, *s, EOS]) for s in part], padding_value=PAD)
    tgt = pad_sequence([torch.tensor([BOS, *reversed(s), EOS]) for s in part], padding_value=PAD)
    return src, tgt


model = fill(Seq2SeqTransformer(2, 16, 4, WORDS, 32, 0.0))
loss_fn = nn.CrossEntropyLoss(ignore_index=PAD)
optimizer = torch.optim.Adam(model.parameters(), lr=0.002, betas=(0.9, 0.98), eps=1e-9)
losses = []
for step in range(20):
    src, tgt = batch(8 * (step % 2))
    tgt_input = tgt[:-1, :]
    src_mask, tgt_mask, src_padding_mask, tgt_padding_mask = create_mask(src, tgt_input)
    logits = model(src, tgt_input, src_mask, tgt_mask, src_padding_mask, tgt_padding_mask, src_padding_mask)
    optimizer.zero_grad()
    loss = loss_fn(logits.reshape(-1, logits.shape[-1]), tgt[1:, :].reshape(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())

model.eval()
with torch.no_grad():
    src = torch.tensor(sentences[3]).view(-1, 1)
    memory = model.encode(src, torch.zeros(len(src), len(src)))
    ys = torch.ones(1, 1).fill_(BOS).type(torch.long)
    for _ in range(6):
        out = model.decode(ys, memory, nn.Transformer.generate_square_subsequent_mask(ys.size(0)))
        _, word = torch.max(model.generator(out.transpose(0, 1)[:, -1]), dim=1)
        ys = torch.cat([ys, torch.ones(1, 1).type_as(src.data).fill_(word.item())], dim=0)
print(f"{len(losses)} losses, translated {len(ys)} words")
torch.save(torch.tensor(losses), sys.argv[1])
