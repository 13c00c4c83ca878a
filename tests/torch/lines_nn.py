"""More lines of PyTorch for `nn`, `nn.functional`, `nn.utils`, `nn.init` and `optim`: as those of `lines`, same areas.

`SETUP` comes after that of `lines`.
"""

SETUP = """
rnn = torch.nn.utils.rnn
vol = torch.linspace(-1, 1, 2 * 2 * 4 * 5 * 4).mul(9).sin().reshape(2, 2, 4, 5, 4)
seq = torch.linspace(-1, 1, 4 * 3 * 2).mul(7).sin().reshape(4, 3, 2)
emb = torch.linspace(-1, 1, 5 * 2 * 4).mul(7).cos().reshape(5, 2, 4)
num = torch.tensor([[1, 2, 4], [4, 3, 2]])
def wave(*shape):
    n = 1
    for k in shape:
        n *= k
    return torch.linspace(-1, 1, n).mul(11).sin().reshape(shape)
def dx(out, *leaves):
    (out * (torch.arange(out.numel()).reshape(out.shape) * 0.7).cos()).sum().backward()
    return [q.grad for q in leaves]
def all_of(m, out):
    return [out, *dx(out, *[q for q in m.parameters() if q.requires_grad])]
def packed(lengths, width=2, sort=False):
    return rnn.pack_padded_sequence(wave(max(lengths), len(lengths), width), torch.tensor(lengths), enforce_sorted=sort)
def padding(*rows):
    return torch.tensor(rows, dtype=torch.bool)
def sgd_like(cls, steps=4, **settings):
    p = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
    q = torch.tensor([[0.3, 1.2]], requires_grad=True)
    o = cls([p, q], **settings)
    found = []
    for k in range(steps):
        o.zero_grad()
        ((p * p * p).sum() + (q.sin() * (k + 1)).sum() + p[0] * q[0, 1]).backward()
        o.step()
        found += [p.detach().clone(), q.detach().clone()]
    return found
class Block(nn.Module):
    expansion = 1
    def __init__(self, c, out, stride=1, norm_layer=nn.BatchNorm2d):
        super().__init__()
        self.conv1 = nn.Conv2d(c, out, 3, stride, 1, bias=False)
        self.bn1 = norm_layer(out)
        self.conv2 = nn.Conv2d(out, out, kernel_size=3, padding=1, groups=2)
        self.relu = nn.ReLU(inplace=True)
        self.se = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(out, 2, 1), nn.SiLU(), nn.Conv2d(2, out, 1), nn.Sigmoid())
        self.downsample = nn.Sequential(nn.Conv2d(c, out, 1, stride), norm_layer(out)) if stride != 1 or c != out else None
    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.conv2(self.relu(self.bn1(self.conv1(x))))
        out = out * self.se(out)
        out += identity
        return self.relu(out)
class CausalSelfAttention(nn.Module):
    def __init__(self, width=4, heads=2, length=8):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.n_head = heads
        self.register_buffer("bias", torch.tril(torch.ones(length, length)).view(1, 1, length, length))
    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(C, dim=2)
        q, k, v = (t.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) for t in (q, k, v))
        att = (q @ k.transpose(-2, -1)) * (1.0 / k.size(-1) ** 0.5)
        att = F.softmax(att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf")), dim=-1)
        y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)
        return self.c_proj(y)
class GPT(nn.Module):
    def __init__(self, vocab=7, width=4, length=8):
        super().__init__()
        self.transformer = nn.ModuleDict(dict(wte=nn.Embedding(vocab, width), wpe=nn.Embedding(length, width), h=nn.ModuleList([CausalSelfAttention(width) for _ in range(2)]), ln_f=nn.LayerNorm(width)))
        self.lm_head = nn.Linear(width, vocab, bias=False)
        self.transformer.wte.weight = self.lm_head.weight
        self.apply(self._init_weights)
    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
    def forward(self, idx, targets=None):
        pos = torch.arange(0, idx.size(1), dtype=torch.long, device=idx.device)
        x = self.transformer.wte(idx) + self.transformer.wpe(pos)
        for block in self.transformer.h:
            x = x + block(x)
        logits = self.lm_head(self.transformer.ln_f(x))
        return logits, None if targets is None else F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.mu, self.logvar, self.dec = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 2), nn.Linear(2, 3)
    def forward(self, x, eps):
        h = F.relu(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + eps * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.dec(z)), mu, logvar
class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.InstanceNorm2d(4), nn.LeakyReLU(0.2, True))
        self.mid = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1), nn.GroupNorm(2, 6), nn.GELU())
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.out = nn.Conv2d(8, 1, 1)
    def forward(self, x):
        a = self.down(x)
        b = self.up(self.mid(a))
        return self.out(torch.cat([b, F.interpolate(a, size=b.shape[2:], mode="bilinear", align_corners=False)], dim=1))
class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 4, kernel_size=3, stride=3)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 4))
        self.pos_embed = nn.Parameter(torch.zeros(1, 5, 4))
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, 0.0, "gelu", batch_first=True, norm_first=True), 1, enable_nested_tensor=False)
        self.head = nn.Linear(4, 3)
    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1) + self.pos_embed
        return self.head(self.encoder(x)[:, 0])
class ConvLSTMCell(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3 + 2, 4 * 2, 3, padding=1)
    def forward(self, x, state):
        h, c = state
        i, f, o, g = torch.split(self.conv(torch.cat([x, h], dim=1)), 2, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
class FocalLoss(nn.modules.loss._WeightedLoss):
    def __init__(self, weight=None, gamma=2.0, reduction="mean"):
        super().__init__(weight, reduction=reduction)
        self.gamma = gamma
    def forward(self, input, target):
        ce = F.cross_entropy(input, target, weight=self.weight, reduction="none")
        return ((1 - torch.exp(-ce)) ** self.gamma * ce).mean()
class Warmup(optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, warmup, last_epoch=-1):
        self.warmup = warmup
        super().__init__(optimizer, last_epoch)
    def get_lr(self):
        if not self._get_lr_called_within_step:
            raise RuntimeError
        return [base * min(1.0, (self.last_epoch + 1) / self.warmup) for base in self.base_lrs]
class Lion(optim.Optimizer):
    def __init__(self, params, lr=1e-2, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))
    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state["exp_avg"] = torch.zeros_like(p, memory_format=torch.preserve_format)
                p.data.mul_(1 - group["lr"] * group["weight_decay"])
                update = state["exp_avg"] * group["betas"][0] + p.grad * (1 - group["betas"][0])
                p.add_(torch.sign(update), alpha=-group["lr"])
                state["exp_avg"].mul_(group["betas"][1]).add_(p.grad, alpha=1 - group["betas"][1])
        return loss
def rates(make, steps=6, lr=0.1, **settings):
    o = optim.SGD([torch.ones(1, requires_grad=True)], lr=lr, **settings)
    s = make(o)
    found = []
    for _ in range(steps):
        found.append(o.param_groups[0]["lr"])
        o.step()
        s.step()
    return found
"""

# fmt: off
LINES: dict[str, str] = {}
LINES["functional"] = """
F.conv3d(vol, wave(3, 2, 2, 3, 2))
F.conv3d(vol, wave(3, 2, 2, 3, 2), torch.ones(3), stride=2, padding=1)
F.conv3d(vol, wave(3, 2, 2, 3, 2), None, (1, 2, 1), (0, 1, 2), (2, 1, 1))
F.conv3d(vol, wave(4, 1, 2, 2, 2), groups=2)
F.conv3d(vol, wave(3, 2, 3, 3, 2), padding="same")
F.conv3d(vol, wave(3, 2, 3, 3, 2), padding="valid").shape
F.conv3d(vol[0], wave(3, 2, 2, 3, 2))
a = leaf(vol); c = leaf(wave(3, 2, 2, 3, 2)); e = leaf(torch.ones(3)); dx(F.conv3d(a, c, e, stride=(2, 1, 1), padding=1), a, c, e)
a = leaf(vol); c = leaf(wave(4, 1, 2, 2, 3)); dx(F.conv3d(a, c, groups=2, dilation=(1, 2, 1)), a, c)
F.conv_transpose3d(vol, wave(2, 3, 2, 3, 2))
F.conv_transpose3d(vol, wave(2, 3, 2, 3, 2), torch.ones(3), stride=2, padding=1, output_padding=1)
F.conv_transpose3d(vol, wave(2, 2, 2, 2, 2), groups=2, dilation=2)
a = leaf(vol); c = leaf(wave(2, 3, 2, 3, 2)); dx(F.conv_transpose3d(a, c, stride=(1, 2, 2), padding=(1, 0, 1)), a, c)
F.max_pool3d(vol, 2)
F.max_pool3d(vol, (2, 3, 2), stride=1, padding=1)
F.max_pool3d(vol, 2, stride=2, ceil_mode=True)
F.max_pool3d(vol, 2, 1, return_indices=True)
F.max_pool3d(vol, (2, 3, 2), 2, (1, 1, 0), return_indices=True)
F.max_pool3d(vol, 2, dilation=(1, 2, 1))
a = leaf(vol); dx(F.max_pool3d(a, 2, 1), a)
F.avg_pool3d(vol, 2)
F.avg_pool3d(vol, (2, 3, 2), stride=2, padding=1)
F.avg_pool3d(vol, 2, 2, 1, count_include_pad=False)
F.avg_pool3d(vol, 3, 2, 1, ceil_mode=True)
F.avg_pool3d(vol, 2, divisor_override=3)
F.avg_pool3d(vol, 3, 2, 1, True, divisor_override=5)
F.avg_pool3d(vol[0], 2)
a = leaf(vol); dx(F.avg_pool3d(a, 2, 1, 1), a)
F.adaptive_avg_pool3d(vol, 2)
F.adaptive_avg_pool3d(vol, (1, 3, None))
F.adaptive_max_pool3d(vol, (2, 3, 2))
F.adaptive_max_pool3d(vol, 2, return_indices=True)
F.avg_pool2d(img, 3, 2, 1, True, divisor_override=2)
F.avg_pool2d(img, 4, 3, 1, True, False)
F.lp_pool1d(row, 2, 3, 2)
F.lp_pool2d(img, 3, 2, 1, True)
F.lp_pool3d(vol, 2, 2)
a = leaf(img); dx(F.lp_pool2d(a, 2, 3, 2), a)
q, n = F.max_pool1d(row, 2, return_indices=True); F.max_unpool1d(q, n, 2)
q, n = F.max_pool2d(img, 3, 1, return_indices=True); F.max_unpool2d(q, n, 3, 1)
q, n = F.max_pool3d(vol, 2, return_indices=True); F.max_unpool3d(q, n, 2, output_size=(4, 5, 4))
F.max_pool1d(row, 3, 2, 1, 1, True, True)
F.max_pool1d(input=row, kernel_size=2, stride=1)
F.avg_pool1d(row, 3, 2, 1, True, False)
F.interpolate(img, scale_factor=2, mode="bicubic")
F.interpolate(img, size=(4, 9), mode="bicubic", align_corners=True)
F.interpolate(img, size=3, mode="bicubic", align_corners=False)
F.interpolate(img, size=3, mode="bilinear", antialias=True)
F.interpolate(img, size=(4, 11), mode="bilinear", antialias=True)
F.interpolate(img, size=(2, 4), mode="bicubic", antialias=True)
F.interpolate(img, scale_factor=0.5, mode="bicubic", antialias=True, align_corners=True)
F.interpolate(vol, scale_factor=2, mode="trilinear")
F.interpolate(vol, size=(3, 4, 7), mode="trilinear", align_corners=True)
F.interpolate(vol, scale_factor=(1.5, 2, 1))
F.interpolate(vol, size=3, mode="area")
F.interpolate(row, size=3, mode="area")
F.interpolate(img, size=(4, 3), mode="area")
F.interpolate(img, size=(4, 9), mode="nearest-exact")
F.interpolate(row, scale_factor=1.7, mode="nearest-exact")
F.interpolate(row, scale_factor=1.7, mode="linear")
F.interpolate(row, scale_factor=1.7, mode="linear", recompute_scale_factor=True)
F.interpolate(img, scale_factor=(0.4, 1.3), mode="bilinear", align_corners=False)
a = leaf(img); dx(F.interpolate(a, size=4, mode="bicubic"), a)
a = leaf(vol); dx(F.interpolate(a, size=3, mode="trilinear"), a)
F.upsample(img, scale_factor=2)
F.upsample_nearest(img, scale_factor=2)
F.upsample_bilinear(img, size=(4, 5))
F.affine_grid(torch.tensor([[[1.0, 0.2, 0.1], [0.0, 0.8, -0.3]]]), (1, 1, 3, 4))
F.affine_grid(torch.tensor([[[1.0, 0.2, 0.1], [0.0, 0.8, -0.3]]]), [1, 1, 3, 4], align_corners=True)
F.affine_grid(wave(2, 3, 4), (2, 1, 2, 3, 4))
g = F.affine_grid(torch.tensor([[[0.8, 0.4, 0.1], [-0.4, 0.9, -0.3]]]).repeat(2, 1, 1), (2, 3, 5, 4)); F.grid_sample(img, g)
g = wave(2, 4, 5, 2) * 1.4; F.grid_sample(img, g, align_corners=False)
g = wave(2, 4, 5, 2) * 1.4; F.grid_sample(img, g, padding_mode="border", align_corners=True)
g = wave(2, 4, 5, 2) * 1.9; F.grid_sample(img, g, padding_mode="reflection")
g = wave(2, 4, 5, 2) * 1.9; F.grid_sample(img, g, padding_mode="reflection", align_corners=True)
g = wave(2, 4, 5, 2) * 1.2; F.grid_sample(img, g, mode="nearest")
g = wave(2, 4, 5, 2) * 1.2; F.grid_sample(img, g, mode="bicubic")
g = wave(2, 4, 5, 2) * 1.4; F.grid_sample(img, g, mode="bicubic", padding_mode="border", align_corners=True)
g = wave(2, 4, 5, 2) * 1.4; F.grid_sample(img, g, mode="bicubic", padding_mode="reflection")
g = wave(2, 2, 3, 2, 3) * 1.2; F.grid_sample(vol, g)
g = wave(2, 2, 3, 2, 3) * 1.2; F.grid_sample(vol, g, "nearest", "border")
a = leaf(img); g = leaf(wave(2, 3, 3, 2) * 1.1); dx(F.grid_sample(a, g, align_corners=False), a, g)
a = leaf(img); g = leaf(wave(2, 3, 3, 2) * 1.3); dx(F.grid_sample(a, g, padding_mode="reflection"), a, g)
a = leaf(img); g = leaf(wave(2, 3, 3, 2) * 0.8); dx(F.grid_sample(a, g, "bicubic"), a, g)
F.unfold(img[0], 3)
F.fold(F.unfold(img, 3, padding=1, stride=2), (6, 6), 3, padding=1, stride=2)
F.fold(F.unfold(img[0], 2), (6, 6), 2)
F.pixel_unshuffle(img, 3)
F.channel_shuffle(wave(1, 6, 2, 2), 3)
F.pad(vol, (1, 1, 2, 0, 0, 1), mode="replicate")
F.pad(vol, (1, 1, 2, 0, 0, 1), mode="reflect")
F.pad(vol, (1, 1, 2, 0, 0, 1), mode="circular")
F.pad(img[0], (1, 2), mode="reflect") if False else F.pad(img[0, 0], (1, 2), mode="reflect")
F.pad(x, (1, -1))
F.embedding(num, wave(5, 3))
a = leaf(wave(5, 3)); dx(F.embedding(num, a, scale_grad_by_freq=True), a)
a = wave(5, 3); F.embedding(num, a, max_norm=0.7), a
a = leaf(wave(5, 3)); dx(F.embedding(num, a, padding_idx=-1, scale_grad_by_freq=True), a)
F.embedding_bag(num, wave(5, 3))
F.embedding_bag(num, wave(5, 3), mode="sum")
F.embedding_bag(num, wave(5, 3), mode="max")
F.embedding_bag(torch.tensor([1, 2, 4, 4, 3]), wave(5, 3), torch.tensor([0, 2]))
F.embedding_bag(torch.tensor([1, 2, 4, 4, 3]), wave(5, 3), torch.tensor([0, 2, 2]), mode="sum")
F.embedding_bag(torch.tensor([1, 2, 4, 4, 3]), wave(5, 3), torch.tensor([0, 2, 5]), include_last_offset=True)
F.embedding_bag(num, wave(5, 3), mode="sum", per_sample_weights=wave(2, 3))
F.embedding_bag(num, wave(5, 3), padding_idx=4)
a = leaf(wave(5, 3)); dx(F.embedding_bag(num, a), a)
a = leaf(wave(5, 3)); dx(F.embedding_bag(num, a, mode="max"), a)
a = leaf(wave(5, 3)); c = leaf(wave(2, 3)); dx(F.embedding_bag(num, a, mode="sum", per_sample_weights=c), a, c)
F.scaled_dot_product_attention(emb, emb, emb)
F.scaled_dot_product_attention(emb, emb, emb, is_causal=True)
F.scaled_dot_product_attention(emb, emb, emb, scale=0.3)
F.scaled_dot_product_attention(emb, emb, emb, attn_mask=padding([True, False], [True, True]))
F.scaled_dot_product_attention(emb, emb, emb, attn_mask=torch.tensor([[0.0, -1.0], [0.5, 0.0]]))
F.scaled_dot_product_attention(emb, emb, emb, attn_mask=padding([False, False], [True, True]))
F.scaled_dot_product_attention(wave(1, 4, 3, 2), wave(1, 2, 3, 2), wave(1, 2, 3, 2), enable_gqa=True)
F.scaled_dot_product_attention(wave(2, 1, 3, 4), wave(2, 1, 5, 4), wave(2, 1, 5, 6), is_causal=True)
a = leaf(emb); dx(F.scaled_dot_product_attention(a, a, a, is_causal=True), a)
F.rms_norm(x, [3], torch.tensor([1.0, 2.0, 3.0]), 0.1)
F.local_response_norm(row, 3, alpha=0.1, beta=0.5, k=2.0)
m = torch.zeros(3); s = torch.ones(3); F.instance_norm(img, m, s, momentum=0.3), m, s
m = torch.ones(3) * 0.1; s = torch.ones(3) * 2; F.instance_norm(img, m, s, use_input_stats=False)
F.group_norm(vol, 2)
F.batch_norm(vol, torch.zeros(2), torch.ones(2), training=True)
F.layer_norm(vol, (5, 4))
F.dropout3d(vol, 0.5, False)
F.feature_alpha_dropout(x, 0.3, False)
F.alpha_dropout(x, 0.3).equal(x)
F.elu_(x.clone())
F.selu_(x.clone())
F.celu_(x.clone(), 0.5)
F.leaky_relu_(x.clone(), 0.2)
F.hardtanh_(x.clone(), -1, 1)
F.threshold_(x.clone(), 0.7, -3.0)
F.rrelu_(x.clone())
F.softmin(x, 1, dtype=torch.float64)
F.gumbel_softmax(x, hard=True).sum()
F.pdist(wave(4, 3))
a = leaf(wave(4, 3)); dx(F.pdist(a), a)
F.multi_head_attention_forward(emb, emb, emb, 4, 2, wave(12, 4), torch.zeros(12), None, None, False, 0.0, wave(4, 4), None)
F.one_hot(num, 6)
F.bilinear(wave(3, 2), wave(3, 4), wave(5, 2, 4), torch.ones(5))
F.normalize(x, p=1.0, dim=0)
F.glu(wave(2, 4), 0)
torch.conv3d(vol, wave(3, 2, 2, 3, 2), stride=2)
torch.conv_transpose3d(vol, wave(2, 3, 2, 3, 2))
torch.conv_transpose1d(row, wave(3, 2, 3))
torch.max_pool3d(vol, 2)
torch.avg_pool1d(row, 2)
torch.adaptive_avg_pool1d(row, 3)
torch.group_norm(img, 3)
torch.rms_norm(x, (3,))
torch.pdist(wave(4, 3))
torch.pairwise_distance(x, y)
torch.pixel_unshuffle(img, 2)
torch.hardshrink(x, 0.7)
torch.rrelu(x, training=False)
torch.selu_(x.clone())
torch.alpha_dropout(x, 0.5, False)
"""
LINES["losses"] = """
F.mse_loss(x, y, size_average=False)
F.mse_loss(x, y, reduce=False)
F.l1_loss(x, y, size_average=True, reduce=False)
nn.MSELoss(False)(x, y)
nn.MSELoss(size_average=False).reduction
nn.CrossEntropyLoss(None, None, 0, None, "sum", 0.1)(x, lab)
nn.NLLLoss(torch.tensor([1.0, 2.0, 3.0]))(x, lab)
nn.NLLLoss(weight=torch.tensor([1.0, 2.0, 3.0]), ignore_index=2, reduction="none")(x, lab)
nn.SoftMarginLoss(reduction="sum")(x, y.sign())
F.multi_margin_loss(x, lab, p=2, margin=0.5, weight=torch.tensor([1.0, 2.0, 0.5]), reduction="none")
F.multi_margin_loss(v, torch.tensor(1))
a = leaf(x); dx(nn.MultiMarginLoss(p=2)(a, lab), a)
F.multilabel_margin_loss(x, torch.tensor([[2, 0, -1], [1, -1, 0]]))
F.multilabel_margin_loss(x, torch.tensor([[2, 0, -1], [1, -1, 0]]), reduction="none")
F.multilabel_margin_loss(v, torch.tensor([1, 2, -1]))
a = leaf(x); dx(nn.MultiLabelMarginLoss(reduction="sum")(a, torch.tensor([[2, 0, -1], [1, -1, 0]])), a)
nn.MultiLabelSoftMarginLoss(weight=torch.tensor([1.0, 2.0, 0.5]))(x, (y > 0).float())
F.multilabel_soft_margin_loss(x, (y > 0).float(), reduction="none")
F.hinge_embedding_loss(x, y.sign(), margin=2.0)
nn.HingeEmbeddingLoss(0.5, reduction="none")(x, y.sign())
F.cosine_embedding_loss(x, y, torch.tensor([1, -1]), margin=0.3, reduction="none")
F.cosine_embedding_loss(v, v * v, torch.tensor(1))
a = leaf(x); c = leaf(y); dx(nn.CosineEmbeddingLoss(reduction="sum")(a, c, torch.tensor([-1, 1])), a, c)
F.triplet_margin_loss(x, y, x.flip(0))
F.triplet_margin_loss(x, y, x.flip(0), margin=3.0, p=1.0, swap=True, reduction="none")
a = leaf(x); c = leaf(y); dx(nn.TripletMarginLoss(margin=5.0, swap=True)(a, c, x.flip(0)), a, c)
F.triplet_margin_with_distance_loss(x, y, x.flip(0), distance_function=lambda a, b: (a - b).abs().sum(-1), margin=2.0)
nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(1.0), swap=True, margin=9.0)(x, y, x.flip(0))
nn.TripletMarginWithDistanceLoss()
F.poisson_nll_loss(x, y.abs() * 3)
F.poisson_nll_loss(x, y.abs() * 3, full=True)
F.poisson_nll_loss(x.abs(), y.abs() * 3, log_input=False, full=True, reduction="none")
nn.PoissonNLLLoss(False, True, eps=0.1)(x.abs(), y.abs())
a = leaf(x); dx(F.poisson_nll_loss(a, y.abs() * 3, full=True, reduction="sum"), a)
F.gaussian_nll_loss(x, y, x.abs())
F.gaussian_nll_loss(x, y, torch.tensor([[0.5], [0.0]]), full=True, reduction="none")
F.gaussian_nll_loss(x, y, torch.tensor([0.5, 1.5]))
F.gaussian_nll_loss(x, y, 0.5)
a = leaf(x); c = leaf(y.abs()); dx(nn.GaussianNLLLoss(eps=0.6)(a, y, c), a, c)
F.margin_ranking_loss(x, y, y.sign(), margin=0.5)
nn.MarginRankingLoss(0.5, reduction="none")(v, v.flip(0), torch.tensor([1.0, -1.0, 1.0]))
nn.PairwiseDistance(1.0, keepdim=True)(x, y)
nn.CosineSimilarity(dim=0)(x, y)
F.cosine_similarity(x, v, dim=-1)
lp = wave(5, 2, 4).log_softmax(2); F.ctc_loss(lp, torch.tensor([[1, 2], [3, 3]]), torch.tensor([5, 4]), torch.tensor([2, 2]))
lp = wave(5, 2, 4).log_softmax(2); F.ctc_loss(lp, torch.tensor([1, 2, 3]), (5, 4), (2, 1), reduction="none")
lp = wave(5, 2, 4).log_softmax(2); F.ctc_loss(lp, torch.tensor([1, 2, 3]), torch.tensor([5, 4]), torch.tensor([2, 1]), blank=3 - 3, reduction="sum")
lp = wave(5, 2, 4).log_softmax(2); nn.CTCLoss(blank=3, reduction="none")(lp, torch.tensor([[1, 2], [0, 0]]), torch.tensor([5, 4]), torch.tensor([2, 1]))
lp = wave(3, 2, 4).log_softmax(2); nn.CTCLoss(reduction="none")(lp, torch.tensor([[1, 2, 3], [1, 1, 1]]), torch.tensor([3, 3]), torch.tensor([3, 3]))
lp = wave(3, 2, 4).log_softmax(2); nn.CTCLoss(zero_infinity=True)(lp, torch.tensor([[1, 2, 3], [1, 1, 1]]), torch.tensor([3, 3]), torch.tensor([3, 3]))
lp = wave(5, 4).log_softmax(1); F.ctc_loss(lp, torch.tensor([1, 2]), torch.tensor(5), torch.tensor(2))
a = leaf(wave(5, 2, 4)); dx(F.ctc_loss(a.log_softmax(2), torch.tensor([[1, 2], [3, 3]]), torch.tensor([5, 4]), torch.tensor([2, 2])), a)
a = leaf(wave(5, 2, 4).log_softmax(2)); dx(F.ctc_loss(a, torch.tensor([[1, 2], [3, 3]]), torch.tensor([5, 4]), torch.tensor([2, 2]), reduction="none"), a)
a = leaf(wave(3, 2, 4)); dx(F.ctc_loss(a.log_softmax(2), torch.tensor([[1, 2, 3], [1, 1, 1]]), torch.tensor([3, 3]), torch.tensor([3, 3]), reduction="sum", zero_infinity=True), a)
nn.CTCLoss(1, "sum", True).zero_infinity
nn.HuberLoss("sum", 0.5)(x, y)
nn.KLDivLoss(reduction="batchmean", log_target=True)(x.log_softmax(1), y.log_softmax(1))
nn.BCELoss(torch.tensor([1.0, 2.0, 0.5]))(x.sigmoid(), y.sigmoid())
nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0, 0.5]))(x, y.sigmoid())
nn.CrossEntropyLoss(torch.tensor([1.0, 2.0, 0.5])).weight
list(nn.CrossEntropyLoss(torch.tensor([1.0, 2.0, 0.5])).state_dict())
isinstance(nn.CrossEntropyLoss(), nn.modules.loss._WeightedLoss)
nn.CrossEntropyLoss(torch.tensor([1.0, 2.0, 0.5])).double().weight
m = fixed(nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], 2.0)); m(wave(5, 8), torch.tensor([0, 5, 12, 19, 3])).loss
m = fixed(nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], 2.0, True)); tuple(m(wave(5, 8), torch.tensor([0, 5, 12, 19, 3])))
m = fixed(nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], 2.0)); m.log_prob(wave(3, 8)), m.predict(wave(4, 8))
nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], 2.0)
"""
LINES["layers"] = """
nn.Hardtanh(-2.0, 2.0)
all_of(m := fixed(nn.Conv3d(2, 3, 2, padding=1)), m(vol))
fixed(nn.Conv3d(2, 4, (1, 2, 2), groups=2, padding_mode="circular", padding=(0, 1, 1)))(vol)
nn.Conv3d(2, 4, 3, stride=2, padding=1, bias=False)
nn.Conv3d(2, 4, 3, padding="same")
all_of(m := fixed(nn.ConvTranspose3d(2, 3, 2, 2)), m(vol))
nn.ConvTranspose3d(2, 3, 2, 2, output_padding=1)
fixed(nn.ConvTranspose2d(3, 2, 3, stride=2))(img, output_size=(14, 14))
fixed(nn.ConvTranspose2d(3, 2, 3, stride=2))(img, output_size=img.new_zeros(2, 2, 13, 14).shape).shape
fixed(nn.Conv2d(3, 2, 3, padding="same", padding_mode="reflect"))(img)
nn.MaxPool3d(2)(vol)
nn.MaxPool3d(2, return_indices=True)(vol)
nn.MaxPool3d((1, 2, 2), stride=1)
nn.AvgPool3d(2, 1, 1)(vol)
nn.AvgPool3d(2)
nn.AdaptiveAvgPool3d((2, None, 1))(vol)
nn.AdaptiveAvgPool3d(1)
nn.AdaptiveMaxPool3d(2, return_indices=True)(vol)
nn.LPPool1d(2, 3)(row)
nn.LPPool2d(1.5, 2, stride=1)
nn.LPPool3d(2, 2)(vol)
q, n = nn.MaxPool1d(2, return_indices=True)(row); nn.MaxUnpool1d(2)(q, n)
q, n = nn.MaxPool3d(2, return_indices=True)(vol); nn.MaxUnpool3d(2)(q, n, output_size=vol.size())
nn.MaxUnpool2d(2, 3)
all_of(m := nn.BatchNorm3d(2), m(vol))
m = nn.BatchNorm3d(2); m(vol); m.eval()(vol), m.running_mean, m.running_var
nn.BatchNorm3d(4, affine=False)
nn.BatchNorm2d(3, bias=False)
nn.InstanceNorm3d(2)(vol)
m = nn.InstanceNorm2d(3, affine=True, track_running_stats=True); m(img), m.running_mean, m.running_var, m.num_batches_tracked
m = nn.InstanceNorm1d(3, track_running_stats=True); m(row); m.eval()(row)
nn.InstanceNorm1d(3)(row[0])
nn.InstanceNorm3d(4, affine=True)
nn.GroupNorm(1, 2)(vol)
nn.GroupNorm(3, 6, affine=False)
nn.GroupNorm(2, 4, bias=False)
nn.RMSNorm(4)
nn.RMSNorm((2, 3), eps=1e-5, elementwise_affine=False)
all_of(m := nn.RMSNorm(3), m(x))
list(nn.RMSNorm(3).state_dict())
nn.CrossMapLRN2d(3)(img)
nn.LocalResponseNorm(3)
nn.SyncBatchNorm(3)
nn.Dropout3d(0.2)
nn.FeatureAlphaDropout(0.2)
nn.Dropout3d().eval()(vol)
(nn.Dropout3d(0.5)(torch.ones(4, 8, 2, 2, 2)).flatten(2).std(2) == 0).all()
nn.ZeroPad3d(1)(vol).shape
nn.ConstantPad3d((1, 0, 0, 1, 2, 0), 3.5)(vol)
nn.ReflectionPad3d(1)(vol)
nn.ReplicationPad3d((1, 2, 0, 0, 1, 1))
nn.CircularPad3d(1)(vol)
nn.Upsample(scale_factor=2, mode="trilinear")(vol)
nn.Upsample(size=(3, 3), mode="bicubic")
nn.Upsample(scale_factor=(2, 3), mode="nearest")
nn.Unfold((2, 3), stride=2)
nn.Fold((4, 5), (2, 2))
nn.PixelUnshuffle(2)
nn.ChannelShuffle(2)
nn.Softmax2d()(img)
nn.Threshold(0.1, 20.0)(x)
nn.Softmin(dim=1)(x)
nn.RReLU().eval()(x)
nn.Hardshrink(0.7)(x)
nn.Softshrink(lambd=0.7)
nn.PReLU(3, 0.1)(img)
nn.Softplus(2.0, 1.0)(x)
nn.GELU("tanh")
nn.Bilinear(2, 3, 4, bias=False)
fixed(nn.Bilinear(2, 3, 4))(wave(5, 2), wave(5, 3))
nn.Identity(3, a=2)(x)
nn.Embedding(4, 2, max_norm=1.0)
nn.Embedding(4, 2, padding_idx=-1, scale_grad_by_freq=True)
nn.Embedding(4, 2, padding_idx=1).weight[1]
nn.Embedding.from_pretrained(wave(5, 2))(num)
nn.Embedding.from_pretrained(wave(5, 2)).weight.requires_grad
nn.Embedding.from_pretrained(wave(5, 2), freeze=False, padding_idx=1)
m = nn.Embedding(5, 2, _weight=wave(5, 2), max_norm=0.5); m(num), m.weight
m = nn.Embedding(5, 2, padding_idx=4, _weight=wave(5, 2)); all_of(m, m(num))
m = fixed(nn.EmbeddingBag(5, 2)); all_of(m, m(num))
fixed(nn.EmbeddingBag(5, 2, mode="max"))(torch.tensor([1, 2, 4, 3]), torch.tensor([0, 2]))
nn.EmbeddingBag(5, 2, mode="sum", padding_idx=0)
nn.EmbeddingBag.from_pretrained(wave(5, 2), mode="sum")(num)
m = nn.LazyLinear(3); m(x).shape, m
nn.LazyLinear(3, bias=False)
m = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)); m(img).shape, repr(m)
m = nn.LazyBatchNorm2d(); m(img), m
m = nn.LazyConv1d(2, 3, padding=1); m(row); m
m = nn.LazyConvTranspose2d(2, 3); m(img); m
m = nn.LazyConv3d(2, 2); m(vol); m
m = nn.LazyInstanceNorm2d(); m(img); m
type(nn.LazyLinear(3).weight).__name__
nn.LazyLinear(3).has_uninitialized_params()
rnn.pad_sequence([wave(2, 3), wave(4, 3)])
rnn.pad_sequence([wave(2), wave(4)], batch_first=True, padding_value=-1.0)
rnn.pad_sequence([wave(2), wave(4)], True, 0.0, "left")
packed([4, 2, 1], sort=True)
packed([2, 4, 1])
packed([2, 4, 1]).batch_sizes
packed([2, 4, 1]).unsorted_indices
tuple(packed([3, 3, 2]))
rnn.pad_packed_sequence(packed([2, 4, 1]))
rnn.pad_packed_sequence(packed([2, 4, 1]), batch_first=True, padding_value=9.0, total_length=6)
rnn.pack_padded_sequence(wave(3, 4, 2), [4, 2, 2], batch_first=True).data
rnn.pack_sequence([wave(3, 2), wave(2, 2)])
rnn.pack_sequence([wave(3), wave(5)], enforce_sorted=False)
rnn.unpack_sequence(packed([2, 4, 1]))
rnn.unpad_sequence(wave(4, 3, 2), torch.tensor([4, 1, 2]))
isinstance(packed([1, 1]), rnn.PackedSequence)
m = fixed(nn.LSTM(2, 3)); o, (h, c) = m(packed([2, 4, 1])); o.data, h, c
m = fixed(nn.LSTM(2, 3, 2, bidirectional=True)); o, (h, c) = m(packed([2, 4, 1])); rnn.pad_packed_sequence(o)[0], h, c
m = fixed(nn.GRU(2, 3, bidirectional=True)); o, h = m(packed([3, 4, 4])); o.data, h
m = fixed(nn.RNN(2, 3, nonlinearity="relu")); o, h = m(packed([4, 2, 1], sort=True)); o.data, h
m = fixed(nn.LSTM(2, 3)); o, (h, c) = m(packed([2, 4, 1]), (wave(1, 3, 3), wave(1, 3, 3) * 0.5)); o.data, h, c
m = fixed(nn.GRU(2, 3, 2)); o, h = m(packed([2, 4, 1]), wave(2, 3, 3)); o.data, h
m = fixed(nn.LSTM(2, 3, bidirectional=True)); o, _ = m(packed([2, 4, 1])); dx(o.data, *m.parameters())
m = fixed(nn.LSTM(2, 4, proj_size=3)); o, (h, c) = m(seq); o, h, c
m = fixed(nn.LSTM(2, 4, 2, proj_size=3, bidirectional=True, batch_first=True)); o, (h, c) = m(seq); o, h, c
m = nn.LSTM(2, 4, 2, proj_size=3, bidirectional=True); [(n, tuple(q.shape)) for n, q in m.named_parameters()]
m = fixed(nn.LSTM(2, 4, proj_size=3)); all_of(m, m(seq)[0])
m = fixed(nn.LSTM(2, 3)); m(seq[:, 0])
m = fixed(nn.GRU(2, 3)); m(seq[:, 0], wave(1, 3))
nn.LSTM(2, 3, 2, proj_size=1, bias=False)
nn.RNN(2, 3, 2, "relu", False, True)
nn.GRU(2, 3, num_layers=2, dropout=0.5)
nn.LSTM(2, 3).mode
nn.RNN(2, 3, nonlinearity="relu").mode
[len(w) for w in nn.LSTM(2, 3, 2, bidirectional=True).all_weights]
len(nn.GRU(2, 3)._flat_weights)
isinstance(nn.LSTM(2, 3), nn.RNNBase)
m = fixed(nn.LSTMCell(2, 3)); m(seq[0])
m = fixed(nn.LSTMCell(2, 3)); m(seq[0, 0], (wave(3), wave(3)))
m = fixed(nn.GRUCell(2, 3)); h = m(seq[0], wave(3, 3)); all_of(m, h)
m = fixed(nn.RNNCell(2, 3, nonlinearity="relu")); m(seq[0])
nn.RNNCell(2, 3, nonlinearity="relu")
nn.LSTMCell(2, 3, bias=False)
m = fixed(nn.MultiheadAttention(4, 2)); m(emb, emb, emb)
m = fixed(nn.MultiheadAttention(4, 2)); m(emb, emb, emb, average_attn_weights=False)
m = fixed(nn.MultiheadAttention(4, 2)); m(emb, emb, emb, need_weights=False)
m = fixed(nn.MultiheadAttention(4, 2)); m(emb, emb, emb, key_padding_mask=padding([False] * 5, [False, False, False, True, True]))
m = fixed(nn.MultiheadAttention(4, 2)); m(emb, emb, emb, attn_mask=torch.ones(5, 5, dtype=torch.bool).triu(1))
m = fixed(nn.MultiheadAttention(4, 2)); m(emb, emb, emb, attn_mask=wave(5, 5))
m = fixed(nn.MultiheadAttention(4, 2)); m(emb, emb, emb, attn_mask=wave(4, 5, 5), key_padding_mask=padding([False] * 5, [True] + [False] * 4))
m = fixed(nn.MultiheadAttention(4, 2)); m(emb, emb, emb, attn_mask=torch.ones(5, 5, dtype=torch.bool).triu(1), is_causal=True, need_weights=False)
m = fixed(nn.MultiheadAttention(4, 2, kdim=3, vdim=2)); m(emb, wave(6, 2, 3), wave(6, 2, 2))
m = fixed(nn.MultiheadAttention(4, 2, add_bias_kv=True)); m(emb, emb, emb)
m = fixed(nn.MultiheadAttention(4, 2, add_zero_attn=True)); m(emb, emb, emb, key_padding_mask=padding([False] * 5, [False, False, False, True, True]))
m = fixed(nn.MultiheadAttention(4, 2, bias=False, batch_first=True)); m(emb, emb, emb)
m = fixed(nn.MultiheadAttention(4, 2)); m(emb[:, 0], emb[:, 1], emb[:, 1])
m = fixed(nn.MultiheadAttention(4, 2)); all_of(m, m(emb, emb, emb)[0])
m = fixed(nn.MultiheadAttention(4, 2, kdim=3)); [n for n, _ in m.named_parameters()]
list(nn.MultiheadAttention(4, 2, add_bias_kv=True).state_dict())
nn.MultiheadAttention(4, 2, add_bias_kv=True)
nn.Transformer.generate_square_subsequent_mask(3)
nn.Transformer(4, 2, 1, 1, 8).generate_square_subsequent_mask(2)
nn.Transformer(4, 2, 1, 2, 8)
len(list(nn.Transformer(8, 2, 2, 2, 16).parameters()))
m = fixed(nn.Transformer(4, 2, 1, 1, 8, dropout=0.0)); all_of(m, m(emb, wave(3, 2, 4)))
m = fixed(nn.Transformer(4, 2, 1, 1, 8, dropout=0.0, batch_first=True)); m(emb, wave(5, 3, 4), tgt_mask=nn.Transformer.generate_square_subsequent_mask(3))
m = fixed(nn.Transformer(4, 2, 1, 1, 8, dropout=0.0, norm_first=True, activation="gelu")); m(emb, emb, src_key_padding_mask=padding([False] * 5, [False] * 3 + [True] * 2), memory_key_padding_mask=padding([False] * 5, [False] * 3 + [True] * 2))
m = fixed(nn.Transformer(4, 2, 2, 2, 8, dropout=0.0)).eval(); m(emb, emb)
m = fixed(nn.TransformerDecoderLayer(4, 2, 8, 0.0)); all_of(m, m(wave(3, 2, 4), emb))
m = fixed(nn.TransformerDecoderLayer(4, 2, 8, 0.0, batch_first=True, norm_first=True, bias=False)); m(emb, emb)
m = fixed(nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8, 0.0), 2, nn.LayerNorm(4))); m(wave(3, 2, 4), emb, tgt_mask=nn.Transformer.generate_square_subsequent_mask(3))
m = fixed(nn.TransformerEncoderLayer(4, 2, 8, 0.0, activation=F.gelu)); m(emb, src_mask=nn.Transformer.generate_square_subsequent_mask(5), is_causal=True)
m = fixed(nn.TransformerEncoderLayer(4, 2, 8, 0.0, nn.GELU())); m
m = fixed(nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, 0.0), 2, enable_nested_tensor=False)); m(emb, mask=torch.ones(5, 5, dtype=torch.bool).triu(1))
m = fixed(nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True), 2)).eval(); m(emb.transpose(0, 1), src_key_padding_mask=padding([False] * 5, [False] * 3 + [True] * 2))
m = fixed(nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True), 2)).eval().requires_grad_(False); m(emb.transpose(0, 1), src_key_padding_mask=padding([False] * 5, [False] * 3 + [True] * 2))
nn.TransformerDecoderLayer(4, 2, 8)
"""
LINES["optim"] = """
sgd_like(optim.Rprop)
sgd_like(optim.Rprop, lr=0.1, etas=(0.3, 1.5), step_sizes=(1e-3, 0.2))
sgd_like(optim.Rprop, maximize=True)
sgd_like(optim.ASGD, lr=0.1)
sgd_like(optim.ASGD, lr=0.1, lambd=0.1, alpha=0.5, t0=2, weight_decay=0.1)
sgd_like(optim.Adafactor, lr=0.1)
sgd_like(optim.Adafactor, lr=0.5, beta2_decay=-0.5, eps=(1e-6, 0.1), d=2.0, weight_decay=0.1)
sgd_like(optim.Adafactor, maximize=True)
sgd_like(optim.Adam, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True)
sgd_like(optim.Adam, lr=0.1, maximize=True, foreach=False)
sgd_like(optim.AdamW, lr=0.1, amsgrad=True, fused=False)
sgd_like(optim.SGD, lr=0.1, momentum=0.9, maximize=True, dampening=0.1, weight_decay=0.1)
sgd_like(optim.RMSprop, lr=0.1, momentum=0.5, centered=True, capturable=False)
sgd_like(optim.NAdam, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True, maximize=True)
sgd_like(optim.RAdam, steps=7, lr=0.1, weight_decay=0.1)
sgd_like(optim.Adadelta, lr=0.5, maximize=True)
sgd_like(optim.Adagrad, lr=0.5, lr_decay=0.1, initial_accumulator_value=0.2, maximize=True)
sgd_like(optim.Adamax, lr=0.5, maximize=True)
sgd_like(optim.Adam, lr=torch.tensor(0.1))
optim.Rprop([w])
optim.ASGD([w], 0.5)
optim.Adafactor([w]).defaults
optim.LBFGS([w]).defaults
optim.Adam([w]).defaults
optim.AdamW([w]).defaults
optim.SGD([w]).defaults
optim.RMSprop([w]).defaults
repr(optim.Adam([w]))
repr(optim.Adafactor([w]))
repr(optim.LBFGS([w]))
o = optim.SGD([w], 0.1); (w * w).sum().backward(); o.step(); list(o.state[w])
o = optim.SGD([w], 0.1, momentum=0.9); (w * w).sum().backward(); o.step(); o.state_dict()
o = optim.Adam([w], 0.1); (w * w).sum().backward(); o.step(); o.state_dict()
o = optim.Rprop([w], 0.1); (w * w).sum().backward(); o.step(); o.state_dict()
o = optim.ASGD([w], 0.1); (w * w).sum().backward(); o.step(); o.state_dict()["state"]
o = optim.Adafactor([w], 0.1); (w * w).sum().backward(); o.step(); o.state_dict()["state"]
o = optim.Adagrad([w], 0.1); (w * w).sum().backward(); o.step(); o.state_dict()["state"]
q = leaf(v.double()); o = optim.LBFGS([q], lr=0.1); f = lambda: (o.zero_grad(), (l := ((q - 1) ** 4).sum() + (q[0] * q[1]) ** 2), l.backward())[1]; [o.step(f).item() for _ in range(3)], q
q = leaf(v.double()); o = optim.LBFGS([q], line_search_fn="strong_wolfe", max_iter=6); f = lambda: (o.zero_grad(), (l := ((q - 1) ** 4).sum() + (q[0] * q[1]) ** 2), l.backward())[1]; [o.step(f).item() for _ in range(3)], q
q = leaf(torch.tensor([-1.2, 1.0]).double()); o = optim.LBFGS([q], lr=1.0, line_search_fn="strong_wolfe", history_size=5, max_iter=4); f = lambda: (o.zero_grad(), (l := 100 * (q[1] - q[0] ** 2) ** 2 + (1 - q[0]) ** 2), l.backward())[1]; [o.step(f).item() for _ in range(4)], q
q = leaf(v.double()); o = optim.LBFGS([q], max_iter=3); f = lambda: (o.zero_grad(), (l := (q ** 2).sum()), l.backward())[1]; o.step(f); sorted(o.state[q])
q = leaf(v.double()); o = optim.LBFGS([q], max_iter=5, line_search_fn="strong_wolfe"); f = lambda: (o.zero_grad(), (l := (q ** 4).sum()), l.backward())[1]; o.step(f); o.state[q]["n_iter"], o.state[q]["func_evals"]
o = optim.SGD([w], 0.1); s = []; h = o.register_step_pre_hook(lambda *a: s.append("pre")); o.register_step_post_hook(lambda *a: s.append("post")); o.step(); h.remove(); o.step(); s
o = optim.SGD([w], 0.1); o.register_state_dict_post_hook(lambda o, d: {**d, "more": 1}); list(o.state_dict())
o = optim.SGD([w], 0.1); s = []; o.register_load_state_dict_post_hook(lambda o: s.append(1)); o.load_state_dict(o.state_dict()); s
o = optim.SGD([w], 0.1); o.register_load_state_dict_pre_hook(lambda o, d: {"state": {}, "param_groups": [{**d["param_groups"][0], "lr": 3.0}]}); o.load_state_dict(o.state_dict()); o.param_groups[0]["lr"]
o = optim.SGD([("w", w)], 0.1); o.param_groups[0]["param_names"]
o = optim.SGD(nn.Linear(2, 1).named_parameters(), 0.1); o.state_dict()["param_groups"][0]["param_names"]
o = optim.SGD([w], 0.1); o.add_param_group({"params": [leaf(v)], "lr": 0.5}); [g["lr"] for g in o.param_groups]
o = optim.SGD([w], 0.1); w.grad = torch.ones(2, 2); o.zero_grad(set_to_none=False); w.grad
m = nn.Linear(2, 1); a = optim.swa_utils.AveragedModel(m); a.n_averaged, list(a.state_dict())
m = fixed(nn.Linear(2, 1)); a = optim.swa_utils.AveragedModel(m); a.update_parameters(m); m.weight.data.mul_(3); a.update_parameters(m); a.module.weight, a.n_averaged
m = fixed(nn.Linear(2, 1)); a = optim.swa_utils.AveragedModel(m, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.9)); a.update_parameters(m); m.weight.data.mul_(3); a.update_parameters(m); a.module.weight
m = fixed(nn.Linear(2, 1)); a = optim.swa_utils.AveragedModel(m, avg_fn=lambda p, q, n: 0.5 * p + 0.5 * q); a.update_parameters(m); m.weight.data.mul_(3); a.update_parameters(m); a(torch.ones(1, 2))
m = fixed(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))); optim.swa_utils.update_bn([x, y], m); m[1].running_mean, m[1].running_var, m[1].momentum
m = nn.BatchNorm1d(3); a = optim.swa_utils.AveragedModel(m, use_buffers=True); m(x); a.update_parameters(m); m(y); a.update_parameters(m); a.module.running_mean
rates(lambda o: optim.swa_utils.SWALR(o, 0.02, 3))
rates(lambda o: optim.swa_utils.SWALR(o, swa_lr=0.02, anneal_epochs=4, anneal_strategy="linear"))
rates(lambda o: optim.lr_scheduler.StepLR(o, 2, 0.5))
rates(lambda o: optim.lr_scheduler.MultiStepLR(o, [1, 3, 3]))
rates(lambda o: optim.lr_scheduler.ConstantLR(o, 0.5, 3))
rates(lambda o: optim.lr_scheduler.LinearLR(o, 0.1, 0.9, 4))
rates(lambda o: optim.lr_scheduler.ExponentialLR(o, 0.9))
rates(lambda o: optim.lr_scheduler.PolynomialLR(o, 4, 2.0))
rates(lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 4, 0.01), 10)
rates(lambda o: optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2, 0.01), 10)
rates(lambda o: optim.lr_scheduler.OneCycleLR(o, 0.5, total_steps=8), 8, momentum=0.9)
rates(lambda o: optim.lr_scheduler.OneCycleLR(o, 0.5, epochs=2, steps_per_epoch=4, three_phase=True, anneal_strategy="linear", cycle_momentum=False), 8)
rates(lambda o: optim.lr_scheduler.CyclicLR(o, 0.1, 0.5, 2, 3, mode="triangular2"), 9, momentum=0.9)
rates(lambda o: optim.lr_scheduler.LambdaLR(o, lambda e: 1 / (1 + e)))
rates(lambda o: optim.lr_scheduler.MultiplicativeLR(o, lambda e: 0.9))
rates(lambda o: optim.lr_scheduler.ChainedScheduler([optim.lr_scheduler.ConstantLR(o, 0.1, 2), optim.lr_scheduler.ExponentialLR(o, 0.9)], o))
rates(lambda o: optim.lr_scheduler.SequentialLR(o, [optim.lr_scheduler.LinearLR(o, 0.1, 1.0, 3), optim.lr_scheduler.CosineAnnealingLR(o, 5)], [3]), 9)
o = optim.SGD([w], 0.1); s = optim.lr_scheduler.ReduceLROnPlateau(o, patience=1, cooldown=1, min_lr=0.001); [(s.step(m), o.param_groups[0]["lr"])[1] for m in [1.0, 0.9, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95]], s.num_bad_epochs, s.best, s.last_epoch, s.get_last_lr()
o = optim.SGD([w], 0.1); s = optim.lr_scheduler.ReduceLROnPlateau(o, "max", 0.5, 0, threshold_mode="abs", threshold=0.1); [(s.step(m), o.param_groups[0]["lr"])[1] for m in [1.0, 1.05, 1.2, 1.25]], s.in_cooldown
o = optim.SGD([w], 0.1); sorted(k for k in optim.lr_scheduler.ReduceLROnPlateau(o).state_dict())
o = optim.SGD([w], 0.1); s = optim.lr_scheduler.StepLR(o, 3); o.step(); s.step(); {k: q for k, q in sorted(s.state_dict().items()) if k[0] != "_"}
o = optim.SGD([w], 0.1); s = optim.lr_scheduler.StepLR(o, 1); o.step(); s.step(); s.get_last_lr(), s.last_epoch, s.base_lrs
o = optim.SGD([{"params": [w], "lr": 0.3}, {"params": [leaf(v)]}], 0.1); s = optim.lr_scheduler.LambdaLR(o, [lambda e: 0.5 ** e, lambda e: 0.9 ** e]); o.step(); s.step(); s.get_last_lr()
o = optim.SGD([w], 0.1); s = optim.lr_scheduler.StepLR(o, 1); t_ = optim.lr_scheduler.StepLR(o, 1); o.step(); s.step(); t_.load_state_dict(s.state_dict()); t_.last_epoch
w.grad = torch.ones(2, 2) * 3; torch.nn.utils.clip_grad_norm_([w], 1.0, float("inf")), w.grad
w.grad = torch.ones(2, 2) * 3; torch.nn.utils.clip_grad_norm_(w, 1.0, 1.0), w.grad
w.grad = torch.tensor([[3.0, -4.0], [0.5, 0.0]]); torch.nn.utils.clip_grad_value_([w], 1.0); w.grad
w.grad = torch.ones(2, 2) * 3; torch.nn.utils.get_total_norm([w.grad, torch.ones(2)])
w.grad = torch.ones(2, 2) * 3; torch.nn.utils.clip_grads_with_norm_([w], 1.0, torch.tensor(6.0)); w.grad
torch.nn.utils.clip_grad_norm_([], 1.0)
"""
LINES["modules"] = """
m = nn.Linear(3, 2); s = []; h = m.register_forward_hook(lambda m, a, o: s.append(len(a))); m(x); h.remove(); m(x); s
m = nn.Identity(); m.register_forward_hook(lambda m, a, o: o * 2); m.register_forward_hook(lambda m, a, o: o + 1); m(x)
m = nn.Identity(); m.register_forward_hook(lambda m, a, o: o * 2); m.register_forward_hook(lambda m, a, o: o + 1, prepend=True); m(x)
m = nn.Identity(); m.register_forward_pre_hook(lambda m, a: (a[0] * 3,)); m(x)
m = nn.Identity(); m.register_forward_pre_hook(lambda m, a: a[0] * 3); m(x)
m = nn.Module(); m.forward = lambda a, k=1: a * k; m.register_forward_pre_hook(lambda m, a, k: (a, {"k": 5}), with_kwargs=True); m(x, k=2)
m = nn.Module(); m.forward = lambda a, k=1: a * k; s = []; m.register_forward_hook(lambda m, a, k, o: s.append(sorted(k)), with_kwargs=True); m(x, k=2); s
m = nn.Linear(4, 2); s = []; m.register_forward_hook(lambda m, a, o: s.append(o), always_call=True); exec("try:\\n    m(x)\\nexcept RuntimeError:\\n    pass", {"m": m, "x": x}); s
m = fixed(nn.Linear(3, 2)); s = []; m.register_full_backward_hook(lambda m, i, o: s.append((i, o))); a = leaf(x); m(a).sum().backward(); s, a.grad
m = fixed(nn.Linear(3, 2)); s = []; m.register_full_backward_hook(lambda m, i, o: s.append((i, o))); m(x).sum().backward(); s
m = fixed(nn.Linear(3, 2)); m.register_full_backward_hook(lambda m, i, o: (i[0] * 10,)); a = leaf(x); m(a).sum().backward(); a.grad
m = fixed(nn.Linear(3, 2)); m.register_full_backward_pre_hook(lambda m, o: (o[0] * 10,)); a = leaf(x); m(a).sum().backward(); a.grad, m.bias.grad
m = nn.Sequential(fixed(nn.Linear(3, 2)), nn.ReLU()); s = []; [q.register_full_backward_hook(lambda m, i, o: s.append(type(m).__name__)) for q in m]; m(leaf(x)).sum().backward(); s
m = fixed(nn.Bilinear(3, 3, 2)); s = []; m.register_full_backward_hook(lambda m, i, o: s.append([q.shape for q in i])); m(leaf(x), leaf(y)).sum().backward(); s
m = nn.Linear(3, 2); h = m.register_forward_hook(lambda m, a, o: None); len(m._forward_hooks), h.remove(), len(m._forward_hooks)
with nn.Linear(3, 2).register_forward_hook(lambda m, a, o: None) as h: s = 1
m = nn.Linear(2, 2); m.load_state_dict({"weight": torch.ones(2, 2)}, strict=False)
m = nn.Linear(2, 2); r = m.load_state_dict({"weight": torch.ones(2, 2), "z": v}, strict=False); r.missing_keys, r.unexpected_keys, str(r)
m = nn.Linear(2, 2); repr(m.load_state_dict(m.state_dict()))
m = nn.Linear(2, 2); q = torch.ones(2, 2); m.load_state_dict({"weight": q, "bias": torch.ones(2)}, assign=True); m.weight.data_ptr() == q.data_ptr()
m = nn.Linear(2, 2); m.register_state_dict_post_hook(lambda m, d, p, l: d.update(more=torch.ones(1))); list(m.state_dict())
m = nn.Linear(2, 2); s = []; m.register_state_dict_pre_hook(lambda m, p, k: s.append(p)); nn.Sequential(m).state_dict(); s
m = nn.Linear(2, 2); s = []; m.register_load_state_dict_post_hook(lambda m, k: s.append(k.missing_keys)); m.load_state_dict({}, strict=False); s
m = nn.Linear(2, 2); m.register_load_state_dict_pre_hook(lambda m, d, p, *a: d.update({p + "weight": d.pop(p + "w")})); m.load_state_dict({"w": torch.ones(2, 2), "bias": torch.zeros(2)}); m.weight
list(nn.Linear(2, 2).state_dict(prefix="a."))
d_ = {}; nn.Linear(2, 2).state_dict(destination=d_, prefix="q."); list(d_)
nn.Linear(2, 2).state_dict(keep_vars=True)["weight"].requires_grad
nn.Sequential(nn.Linear(1, 1)).state_dict()._metadata
type(nn.Linear(1, 1).state_dict()).__name__
m = nn.BatchNorm1d(2); m.load_state_dict({k: q for k, q in m.state_dict().items() if "num" not in k})
m = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.Linear(2, 1))); m.get_submodule("1.0")
m = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.Linear(2, 1))); m.get_parameter("1.1.bias").shape
nn.Sequential(nn.BatchNorm1d(2)).get_buffer("0.running_mean")
m = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU())); m.set_submodule("1.0", nn.Tanh()); m
m = nn.Module(); m.register_buffer("b", v); m.register_buffer("c", v, persistent=False); list(m.state_dict()), [n for n, _ in m.named_buffers()]
m = nn.Module(); m.register_buffer("b", v); m.b = v * 2; m.state_dict()
m = nn.Module(); m.b = nn.Buffer(v); [n for n, _ in m.named_buffers()]
m = nn.Module(); m.b = nn.Buffer(v, persistent=False); list(m.state_dict())
m = nn.Module(); m.register_buffer("b", None); list(m.state_dict()), m.b
m = nn.Module(); m.a = nn.Parameter(v); m.a = None; list(m.parameters()), m.a
m = nn.Module(); m.a = nn.Parameter(v); del m.a; [n for n, _ in m.named_parameters()]
m = nn.Module(); m.a = nn.Linear(1, 1); m.a = nn.ReLU(); m
m = nn.Module(); m.a = 3; m.a = nn.Parameter(v); [n for n, _ in m.named_parameters()]
m = nn.Module(); m.a = nn.Parameter(v); m.add_module("b", nn.ReLU()); m.register_module("c", None); m
m = nn.Linear(2, 2).half(); m.weight.dtype
m = nn.Linear(2, 2).bfloat16(); m.weight.dtype
nn.Linear(2, 2).type(torch.float64).weight.dtype
nn.BatchNorm1d(2).double().num_batches_tracked.dtype
nn.Linear(2, 2).to(torch.float64).weight.dtype
nn.Linear(2, 2).to("cpu", torch.float64).bias.dtype
nn.Linear(2, 2).to(d).weight.dtype
nn.Linear(2, 2).to_empty(device="cpu").weight.shape
m = nn.Linear(2, 2); m.requires_grad_(False); [q.requires_grad for q in m.parameters()]
m = nn.Linear(2, 2); m(torch.ones(1, 2)).sum().backward(); m.zero_grad(set_to_none=False); m.bias.grad
m = nn.Linear(2, 2); m(torch.ones(1, 2)).sum().backward(); m.zero_grad(); m.bias.grad
nn.Linear(2, 2).compile()
nn.Linear(2, 2).share_memory()
m = nn.Sequential(nn.Dropout(), nn.Sequential(nn.ReLU())); m.eval(); [q.training for q in m.modules()]
m = nn.Linear(2, 2, device="cpu", dtype=torch.float64); m.weight.dtype
import copy; m = nn.Linear(2, 2); c = copy.deepcopy(m); c.weight is m.weight, c.weight.equal(m.weight), c.weight.requires_grad
import copy; m = nn.Sequential(nn.Linear(2, 2)); c = copy.copy(m); c[0] is m[0]
import pickle; nn.Linear(2, 2).extra_repr()
nn.Module().named_modules().__class__.__name__
[n for n, _ in nn.Sequential(nn.Linear(1, 1), nn.ReLU()).named_modules(prefix="net")]
m = nn.Linear(1, 1); [n for n, _ in nn.Sequential(m, m).named_modules()], [n for n, _ in nn.Sequential(m, m).named_modules(remove_duplicate=False)]
m = nn.Linear(1, 1); len(list(nn.Sequential(m, m).parameters())), len(nn.Sequential(m, m).state_dict())
nn.ParameterDict({"b": torch.ones(2, 3), "a": torch.zeros(1), "s": 3})
nn.ParameterDict({"b": torch.ones(2, 3)})
nn.ParameterDict()
q = nn.ParameterDict({"a": torch.ones(1)}); q["b"] = v; list(q), len(q), "a" in q, [k for k, _ in q.items()]
q = nn.ParameterDict({"a": torch.ones(1)}); q.update({"z": v, "c": v}); list(q.keys()), q.pop("z"), list(q)
q = nn.ParameterDict({"a": torch.ones(1)}); q.get("b"), q.setdefault("c", v), (q | {"k": v}).keys(), q.popitem()[0]
nn.ParameterList([torch.ones(2), torch.zeros(1, 3)])
nn.ParameterList()
q = nn.ParameterList([torch.ones(2)]); q += [v]; q.append(x); len(q), [n for n, _ in q.named_parameters()], q[-1].shape, len(q[1:])
q = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()}); q.pop("a"), q, list(q.keys()); q.clear(); len(q)
q = nn.ModuleDict([["c", nn.ReLU()], ["b", nn.Tanh()]]); q.update({"z": nn.ELU()}); q
q = nn.ModuleList([nn.ReLU()]); q.insert(0, nn.Tanh()); q.extend([nn.ELU(), nn.ELU()]); q
q = nn.ModuleList([nn.ReLU()]) + nn.ModuleList([nn.Tanh()]); q, q.pop(-1), len(q)
q = nn.ModuleList([nn.ReLU(), nn.Tanh(), nn.ELU()]); del q[1]; q[0:2]
q = nn.Sequential(nn.ReLU()); q.append(nn.Tanh()).insert(0, nn.ELU()); q.extend([nn.ELU()]); q
nn.Sequential(nn.ReLU()) + nn.Sequential(nn.Tanh())
nn.Sequential(nn.ReLU(), nn.Tanh()) * 2
q = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.ELU()); del q[0]; q, q.pop(0), q
q = nn.Sequential(nn.ReLU(), nn.Tanh()); q[0] = nn.ELU(); q
torch.nn.modules.utils._pair(3), torch.nn.modules.utils._triple([1, 2, 3])
isinstance(nn.BatchNorm2d(3), torch.nn.modules.batchnorm._BatchNorm)
isinstance(nn.Conv2d(3, 3, 1), torch.nn.modules.conv._ConvNd)
torch.nn.modules.module.Module is nn.Module
issubclass(nn.Dropout2d, torch.nn.modules.dropout._DropoutNd)
nn.Parameter().shape
nn.Parameter(x, requires_grad=False).requires_grad
nn.Parameter(v)
isinstance(nn.Parameter(x), torch.Tensor), isinstance(x, nn.Parameter)
type(nn.Parameter(x) * 2).__name__
m = fixed(nn.Linear(3, 2)); torch.nn.utils.weight_norm(m); list(dict(m.named_parameters())), m(x), m.weight_g
m = torch.nn.utils.weight_norm(fixed(nn.Linear(3, 2)), dim=None); m.weight_g, m.weight
m = torch.nn.utils.weight_norm(fixed(nn.Conv2d(3, 2, 3)), dim=1); torch.nn.utils.remove_weight_norm(m); list(dict(m.named_parameters())), m.weight
m = torch.nn.utils.weight_norm(fixed(nn.Linear(3, 2))); all_of(m, m(x))
m = torch.nn.utils.parametrizations.weight_norm(fixed(nn.Linear(3, 2))); m
m = torch.nn.utils.parametrizations.weight_norm(fixed(nn.Linear(3, 2))); m(x), m.weight, sorted(m.state_dict())
m = torch.nn.utils.parametrizations.weight_norm(fixed(nn.Linear(3, 2))); m(x).sum().backward(); m.parametrizations.weight.original0.grad, m.parametrizations.weight.original1.grad
m = torch.nn.utils.parametrizations.spectral_norm(fixed(nn.Linear(3, 2)), n_power_iterations=50); m(x); m.eval(); m(x)
sorted(torch.nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2)).state_dict())
m = torch.nn.utils.spectral_norm(fixed(nn.Linear(3, 2)), n_power_iterations=50); m(x), sorted(m.state_dict())
m = torch.nn.utils.spectral_norm(fixed(nn.Linear(3, 2)), n_power_iterations=60); m(x); torch.nn.utils.remove_spectral_norm(m).weight
m = fixed(nn.Linear(2, 2)); torch.nn.utils.parametrize.register_parametrization(m, "weight", nn.Tanh()); m.weight, m, type(m).__name__
m = fixed(nn.Linear(2, 2)); torch.nn.utils.parametrize.register_parametrization(m, "weight", nn.Tanh()); m(torch.ones(1, 2)), sorted(m.state_dict()), torch.nn.utils.parametrize.is_parametrized(m, "weight")
m = fixed(nn.Linear(2, 2)); P = torch.nn.utils.parametrize; P.register_parametrization(m, "weight", nn.Tanh()); P.remove_parametrizations(m, "weight"); m.weight, m, P.is_parametrized(m)
m = fixed(nn.Linear(2, 2)); P = torch.nn.utils.parametrize; P.register_parametrization(m, "weight", nn.Tanh()); P.remove_parametrizations(m, "weight", leave_parametrized=False); m.weight
m = fixed(nn.Linear(2, 2)); P = torch.nn.utils.parametrize; P.register_parametrization(m, "weight", nn.Tanh()); P.register_parametrization(m, "weight", nn.ReLU()); m.weight
m = fixed(nn.Linear(2, 2)); P = torch.nn.utils.parametrize; P.register_parametrization(m, "weight", nn.Tanh()); a = P.cached().__enter__(); m.weight is m.weight
p_ = torch.nn.utils.prune; m = fixed(nn.Linear(3, 2)); p_.l1_unstructured(m, "weight", 2); m.weight, m.weight_mask, sorted(m.state_dict())
p_ = torch.nn.utils.prune; m = fixed(nn.Linear(3, 2)); p_.l1_unstructured(m, "weight", amount=0.3); p_.l1_unstructured(m, "weight", amount=0.5); m.weight_mask, m(x)
p_ = torch.nn.utils.prune; m = fixed(nn.Linear(3, 2)); p_.ln_structured(m, "weight", 1, 2, 0); p_.remove(m, "weight"); m.weight, list(dict(m.named_parameters()))
p_ = torch.nn.utils.prune; m = fixed(nn.Linear(3, 2)); p_.ln_structured(m, "weight", amount=0.5, n=float("inf"), dim=1); m.weight_mask
p_ = torch.nn.utils.prune; m = nn.Linear(3, 2); p_.random_unstructured(m, "weight", 0.5); m.weight_mask.sum(), p_.is_pruned(m)
p_ = torch.nn.utils.prune; m = nn.Linear(4, 4); p_.random_structured(m, "weight", 2, dim=0); m.weight_mask.sum(1).sort()[0]
p_ = torch.nn.utils.prune; m = fixed(nn.Linear(3, 2)); p_.custom_from_mask(m, "bias", torch.tensor([1, 0])); m.bias, m.bias_mask
p_ = torch.nn.utils.prune; m = fixed(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 3))); p_.global_unstructured([(m[0], "weight"), (m[1], "weight")], p_.L1Unstructured, amount=5); m[0].weight_mask, m[1].weight_mask
p_ = torch.nn.utils.prune; m = fixed(nn.Linear(3, 2)); p_.l1_unstructured(m, "weight", 2); m(x).sum().backward(); m.weight_orig.grad
p_ = torch.nn.utils.prune; m = nn.Linear(3, 2); p_.identity(m, "weight"); m.weight_mask
m = fixed(nn.Conv2d(3, 2, 3)).eval(); b_ = fixed(nn.BatchNorm2d(2)).eval(); torch.nn.utils.fuse_conv_bn_eval(m, b_)(img)
m = fixed(nn.Linear(3, 2)).eval(); b_ = fixed(nn.BatchNorm1d(2)).eval(); torch.nn.utils.fusion.fuse_linear_bn_eval(m, b_)(x)
m = fixed(nn.ConvTranspose2d(3, 2, 3, bias=False)).eval(); b_ = fixed(nn.BatchNorm2d(2)).eval(); torch.nn.utils.fuse_conv_bn_eval(m, b_, transpose=True)(img)
m = fixed(nn.Linear(3, 2)); torch.nn.utils.stateless.functional_call(m, {"weight": torch.ones(2, 3)}, x), m.weight
torch.nn.utils.skip_init(nn.Linear, 3, 2).weight.shape
q = torch.zeros(2, 3); nn.init.dirac_(torch.empty(2, 2, 3)), nn.init.eye_(q), nn.init.constant_(q.clone(), 2.5)
nn.init.calculate_gain("leaky_relu", 0.2), nn.init.calculate_gain("tanh"), nn.init.calculate_gain("selu"), nn.init.calculate_gain("conv3d")
q = nn.init.orthogonal_(torch.empty(3, 3)); (q @ q.t()).round(decimals=4).abs()
q = nn.init.sparse_(torch.ones(10, 4), 0.3); (q == 0).sum(0)
q = nn.init.trunc_normal_(torch.empty(100), std=3.0, a=-1.0, b=1.0); bool((q.abs() <= 1).all())
nn.init._calculate_fan_in_and_fan_out(torch.empty(4, 3, 2, 2))
nn.init.xavier_uniform_(torch.empty(3, 4), gain=2.0).abs().max() <= 2 * (6 / 7) ** 0.5
"""
LINES["errors"] = """
F.conv3d(vol, torch.ones(3, 1, 2, 2, 2))
F.conv3d(vol, torch.ones(3, 2, 9, 2, 2))
F.conv3d(vol, torch.ones(3, 2, 2, 2, 2), stride=2, padding="same")
F.max_pool3d(vol, 9)
F.max_pool2d(img, 2, padding=2)
F.max_pool3d(torch.ones(2, 2), 2)
F.interpolate(img)
F.interpolate(img, size=3, scale_factor=2)
F.interpolate(row, size=3, mode="bilinear")
F.interpolate(img, size=3, mode="nearest", align_corners=True)
F.interpolate(img, size=(3, 3, 3))
F.interpolate(img, size=3, mode="foo")
F.interpolate(vol, size=3, mode="trilinear", antialias=True)
F.grid_sample(img, wave(2, 3, 3, 3))
F.grid_sample(img, wave(2, 3, 3, 2), mode="foo")
F.grid_sample(img, wave(2, 3, 3, 2), padding_mode="foo")
F.affine_grid(wave(2, 3, 3), (2, 1, 3, 3))
F.fold(torch.ones(1, 4, 5), (4, 4), 2)
F.unfold(torch.ones(1, 1, 2, 2), 3)
F.pixel_unshuffle(torch.ones(1, 1, 3, 3), 2)
F.channel_shuffle(torch.ones(1, 3, 2, 2), 2)
F.pad(vol, (1,))
F.pad(x, (1, 1), mode="foo")
F.pad(x, (9, 1), mode="reflect")
F.pad(img, (1, 1), mode="reflect")
F.embedding(torch.tensor([9]), wave(5, 2))
F.embedding_bag(num, wave(5, 2), torch.tensor([0]))
F.embedding_bag(torch.tensor([1, 2]), wave(5, 2))
F.embedding_bag(num, wave(5, 2), mode="foo")
F.embedding_bag(num, wave(5, 2), per_sample_weights=wave(2, 3))
nn.Embedding(3, 2, padding_idx=5)
nn.Embedding.from_pretrained(v)
F.ctc_loss(wave(5, 2, 4), torch.tensor([[1, 2], [3, 3]]), torch.tensor([7, 4]), torch.tensor([2, 2]))
F.multi_margin_loss(x, lab, p=3)
F.triplet_margin_loss(x, y, x, margin=-1.0)
F.gaussian_nll_loss(x, y, -y.abs())
F.gaussian_nll_loss(x, y, torch.ones(5))
F.margin_ranking_loss(x, y, v)
F.cosine_embedding_loss(x, y, torch.ones(2, 1))
F.mse_loss(x, y, reduction="foo")
F.scaled_dot_product_attention(emb, emb, emb, attn_mask=torch.ones(2, 2), is_causal=True)
F.dropout3d(vol, 2.0)
F.layer_norm(x, (4,))
F.rms_norm(x, (4,))
F.group_norm(img, 2)
F.instance_norm(torch.ones(2, 3, 1))
F.local_response_norm(v, 2)
nn.MultiheadAttention(5, 2)
nn.MultiheadAttention(4, 2)(emb, emb, emb, attn_mask=torch.ones(3, 3))
nn.MultiheadAttention(4, 2)(wave(3, 2, 5), wave(3, 2, 5), wave(3, 2, 5))
nn.MultiheadAttention(4, 2)(emb, emb, emb, is_causal=True)
nn.Transformer(4, 2, 1, 1, 8)(emb, wave(3, 3, 4))
nn.Transformer(4, 2, 1, 1, 8)(wave(3, 2, 5), emb)
nn.TransformerEncoderLayer(4, 2, activation="foo")
nn.LSTM(2, 3)(torch.ones(2, 3, 4))
nn.LSTM(2, 3)(torch.ones(2))
nn.LSTM(2, 3)(seq, (torch.ones(1, 2, 3), torch.ones(1, 3, 3)))
nn.LSTM(2, 3)(seq, (torch.ones(1, 3), torch.ones(1, 3)))
nn.LSTM(2, 3, proj_size=4)
nn.GRU(2, 3, proj_size=1)
nn.RNN(2, 3, nonlinearity="foo")
nn.LSTM(2, 3, dropout=2.0)
nn.LSTM(2, 0)
nn.GRUCell(2, 3)(seq)
rnn.pack_padded_sequence(seq, [1, 2, 3])
rnn.pack_padded_sequence(seq, [3, 2])
rnn.pack_padded_sequence(seq, [3, 2, 0])
rnn.pad_packed_sequence(packed([3, 2]), total_length=1)
nn.BatchNorm3d(2)(img)
nn.BatchNorm2d(3)(torch.ones(2, 4, 3, 3))
nn.InstanceNorm2d(3, affine=True)(torch.ones(2, 4, 3, 3))
nn.GroupNorm(2, 3)
nn.Conv2d(3, 4, 3, groups=2)
nn.Conv2d(3, 4, 3, padding_mode="foo")
nn.Conv2d(3, 4, 3, padding="same", stride=2)
nn.Conv2d(3, 4, 3, padding="foo")
nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect")
nn.ConvTranspose2d(3, 4, 3, stride=2)(img, output_size=(99, 99))
nn.Dropout3d(-0.1)
nn.Softmax2d()(x)
nn.LazyLinear(3).weight.shape
nn.Linear(2, 2, foo=1)
nn.ReLU(1, 2, 3)
nn.Threshold()
nn.MSELoss(foo=1)
nn.Module(1)
nn.Module(a=1)
nn.Linear(2, 2).load_state_dict({"weight": torch.ones(3, 3), "bias": torch.ones(2)})
nn.Linear(2, 2).load_state_dict([1])
nn.Linear(2, 2).get_submodule("a.b")
nn.Linear(2, 2).get_parameter("foo")
nn.Linear(2, 2).get_buffer("weight")
nn.Linear(2, 2).train("yes")
nn.Linear(2, 2).to(torch.int64)
nn.Linear(2, 2).foo
m = nn.Module(); m.register_parameter("a.b", None)
m = nn.Module(); m.register_buffer("", v)
m = nn.Module(); m.register_buffer("forward", v)
m = nn.Module(); m.register_buffer("a", 3)
m = nn.Module(); m.register_parameter("a", v)
m = nn.Module(); m.register_parameter("a", nn.Parameter(v) * 2)
m = nn.Module(); m.add_module("a", 3)
m = nn.Module(); m.add_module(3, nn.ReLU())
m = nn.Linear(2, 2); m.weight = torch.ones(2, 2)
m = nn.Sequential(nn.ReLU()); m[3]
m = nn.Module(); m.a = nn.ReLU(); m.a = 3
m = nn.BatchNorm1d(2); m.running_mean = 3
nn.ModuleList(3)
nn.ModuleDict({"a": 3})
nn.ModuleDict([nn.ReLU()])
nn.ParameterDict({"a": v})["b"]
nn.Sequential(nn.ReLU()) + [nn.ReLU()]
nn.Parameter(i)
torch.nn.utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True) if w.grad is not None else torch.nn.utils.get_total_norm([torch.tensor([float("nan")])], error_if_nonfinite=True)
torch.nn.utils.remove_weight_norm(nn.Linear(2, 2))
torch.nn.utils.parametrize.register_parametrization(nn.Linear(2, 2), "foo", nn.Tanh())
torch.nn.utils.parametrize.register_parametrization(nn.Linear(2, 2), "weight", nn.Flatten(0))
torch.nn.utils.parametrize.remove_parametrizations(nn.Linear(2, 2), "weight")
torch.nn.utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", 9)
torch.nn.utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", -1)
torch.nn.utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", "a")
torch.nn.utils.prune.remove(nn.Linear(2, 2), "weight")
torch.nn.utils.vector_to_parameters(3, [w])
nn.init.eye_(v)
nn.init.dirac_(x)
nn.init.xavier_uniform_(v)
nn.init.kaiming_normal_(x, mode="foo")
nn.init.calculate_gain("foo")
nn.init.orthogonal_(v)
nn.init.sparse_(v, 0.5)
optim.Rprop([w], lr=-1.0)
optim.Rprop([w], etas=(1.5, 1.2))
optim.ASGD([w], weight_decay=-1)
optim.Adafactor([w], d=0.5)
optim.Adam([w], betas=(1.5, 0.9))
optim.Adam([w], foo=1)
optim.LBFGS([{"params": [w]}, {"params": [leaf(v)]}])
o = optim.SparseAdam([w]); w.grad = torch.ones(2, 2); o.step()
o = optim.LBFGS([w]); o.step()
optim.lr_scheduler.StepLR(3, 1)
optim.lr_scheduler.ReduceLROnPlateau(3)
optim.lr_scheduler.ReduceLROnPlateau(optim.SGD([w], 0.1), factor=2.0)
optim.swa_utils.SWALR(optim.SGD([w], 0.1), 0.1, anneal_strategy="foo")
optim.swa_utils.get_ema_avg_fn(2.0)
optim.SGD(w, 0.1)
optim.SGD([3], 0.1)
"""
LINES["idioms"] = """
m = fixed(Block(3, 4, 2)); all_of(m, m(img))
m = fixed(Block(3, 3 + 1)).eval(); m(img)
Block(2, 4, norm_layer=lambda c: nn.GroupNorm(2, c))
m = fixed(GPT()); t_ = torch.tensor([[1, 2, 3, 4], [4, 5, 6, 0]]); l, q = m(t_, t_.roll(-1, 1)); q.backward(); l, q, m.lm_head.weight.grad
m = GPT(); len(list(m.parameters())), len(m.state_dict()), m.lm_head.weight is m.transformer.wte.weight, m.transformer["h"][0].n_head
m = fixed(VAE()); r, mu, lv = m(x.sigmoid(), wave(2, 2)); q = F.binary_cross_entropy(r, x.sigmoid(), reduction="sum") - 0.5 * torch.sum(1 + lv - mu.pow(2) - lv.exp()); q.backward(); [q] + [p_.grad for p_ in m.parameters()]
m = fixed(UNet()); all_of(m, m(img))
m = fixed(ViT()); all_of(m, m(img))
m = fixed(ConvLSTMCell()); s = (torch.zeros(2, 2, 6, 6), torch.zeros(2, 2, 6, 6)); s = m(img, s); s = m(img * 2, s); s
FocalLoss(torch.tensor([1.0, 2.0, 0.5]))(x, lab), FocalLoss(gamma=1.0).weight
rates(lambda o: Warmup(o, 4))
sgd_like(Lion, lr=0.1, weight_decay=0.1)
m = fixed(nn.Linear(3, 1)); o = Lion(m.parameters()); f = lambda: (o.zero_grad(), (l := m(x).pow(2).mean()), l.backward())[1]; o.step(f), o.step(f)
m = fixed(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))); o = optim.SGD([{"params": m[0].parameters(), "lr": 0.1}, {"params": m[2].parameters()}], lr=0.01, momentum=0.9, nesterov=True); [(o.zero_grad(), F.cross_entropy(m(x), torch.tensor([1, 0])).backward(), o.step()) for _ in range(3)] and [q.data for q in m.parameters()]
m = fixed(nn.Linear(3, 2)); e = nn.Linear(3, 2); e.load_state_dict(m.state_dict()); m.weight.data.add_(1); [a.data.mul_(0.9).add_(c.data, alpha=0.1) for a, c in zip(e.parameters(), m.parameters())]
m = fixed(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))); f = {}; m[1].register_forward_hook(lambda m, i, o: f.update(feat=o.detach())); m(x); f["feat"]
m = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)); [p_.requires_grad_(False) for p_ in m[0].parameters()]; sum(p_.numel() for p_ in m.parameters() if p_.requires_grad)
m = fixed(nn.Linear(3, 2)); o = optim.Adam(filter(lambda p_: p_.requires_grad, m.parameters()), lr=0.1); [(F.mse_loss(m(x), y[:, :2]) / 2).backward() for _ in range(2)]; o.step(); o.zero_grad(); m.weight
m = fixed(nn.GRU(2, 3, batch_first=True)); h = None; outs = []; [(lambda r: (outs.append(r[0]), r[1]))(m(seq[:, k:k + 1], None)) for k in range(2)]; torch.cat(outs, 1)
m = fixed(nn.LSTM(2, 4)); o, (h, c) = m(seq); o2, (h, c) = m(seq, (h.detach(), c.detach())); o2
m = fixed(nn.Embedding(5, 4)); (m(num).mean(1) @ m.weight.t()).log_softmax(-1)
g_, d_ = fixed(nn.Linear(2, 3)), fixed(nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())); c = nn.BCELoss(); q = c(d_(x), torch.ones(2, 1)) + c(d_(g_(wave(2, 2)).detach()), torch.zeros(2, 1)); q.backward(); q, d_[0].weight.grad, g_.weight.grad
m = fixed(nn.Linear(3, 2)); t_ = copy.deepcopy(m) if "copy" in dir() else nn.Linear(3, 2); t_.load_state_dict(m.state_dict()); q = F.smooth_l1_loss(m(x).gather(1, torch.tensor([[0], [1]])), (1.0 + 0.9 * t_(y).max(1)[0].detach()).unsqueeze(1)); q.backward(); q, m.bias.grad
v_ = torch.nn.utils.parameters_to_vector(fixed(nn.Linear(3, 2)).parameters()); m = nn.Linear(3, 2); torch.nn.utils.vector_to_parameters(v_ * 2, m.parameters()); m.weight, m.bias
m = nn.Sequential(); m.add_module("fc", nn.Linear(3, 2)); m.fc.in_features, m
nn.Sequential(*[nn.Linear(2, 2) for _ in range(2)], nn.ReLU())
m = nn.ModuleDict({"a": nn.Linear(3, 2), "b": nn.Linear(3, 1)}); {k: f(x).shape for k, f in m.items()}
m = nn.Linear(3, 2); m.weight.register_hook(lambda g: g * 2); m(x).sum().backward(); m.weight.grad
m = nn.Conv2d(3, 4, 3); nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu"); nn.init.constant_(m.bias, 0); m.bias
m = fixed(nn.Linear(3, 2)); q = torch.cat([p_.view(-1) for p_ in m.parameters()]); 0.5 * q.pow(2).sum()
m = fixed(nn.Conv1d(3, 4, 3, padding="same")); m(row).permute(0, 2, 1).mean(1)
next(nn.Linear(3, 2).parameters()).device, next(nn.Linear(3, 2).parameters()).is_cuda
nn.DataParallel(nn.Linear(3, 2)).module.weight.shape, list(nn.DataParallel(nn.Linear(3, 2)).state_dict())
nn.Linear(3, 2).__class__.__name__, type(nn.ReLU()).__name__, isinstance(nn.ReLU(), nn.Module)
F.kl_div(F.log_softmax(x / 2, 1), F.softmax(y / 2, 1), reduction="batchmean") * 4
F.cosine_similarity(x.unsqueeze(1), y.unsqueeze(0), dim=2)
F.unfold(img, 2, stride=2).transpose(1, 2).shape
nn.functional.pad(x, (0, 1), "constant", 5)
torch.nn.functional.scaled_dot_product_attention(emb[None], emb[None], emb[None], dropout_p=0.0).shape
"""
# fmt: on

# Lines that give something else, and why.
DIFFERENT: dict[str, str] = {}
