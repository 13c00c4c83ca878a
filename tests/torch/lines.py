"""Lines of PyTorch, by area: each is run on real PyTorch and on `minitorch.torch`, and gives the same.

A line is Python; what its last expression gives is compared: kind, dtype, shape, values, whether a gradient is wanted.
The names `torch`, `nn`, `F`, `optim`, `np` and the data of `SETUP` are there. Each line has its own copy.
"""

SETUP = """
x = torch.tensor([[1.5, -2.0, 3.0], [0.5, 4.0, -1.0]])
y = torch.tensor([[2.0, 1.0, -0.5], [3.0, -2.0, 0.25]])
p = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]])
v = torch.tensor([3.0, 1.0, 2.0])
w = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
i = torch.arange(6).reshape(2, 3)
k = torch.tensor([2, 0, 1])
b = torch.tensor([True, False, True])
d = torch.tensor([1.0, 2.5], dtype=torch.float64)
t = torch.linspace(-2, 2, 24).reshape(2, 3, 4)
img = torch.linspace(-1, 1, 2 * 3 * 6 * 6).reshape(2, 3, 6, 6).sin()
ker = torch.linspace(-1, 1, 4 * 3 * 3 * 3).reshape(4, 3, 3, 3).cos()
row = torch.linspace(-1, 1, 2 * 3 * 8).reshape(2, 3, 8)
lab = torch.tensor([2, 0])
def fixed(m):
    with torch.no_grad():
        for n, q in enumerate(m.parameters()):
            q.copy_(torch.linspace(-0.5, 0.5, q.numel()).reshape(q.shape) + 0.01 * n)
    return m
def grads(out, *leaves):
    out.sum().backward()
    return [q.grad for q in leaves]
def leaf(q):
    return q.clone().requires_grad_()
"""

# fmt: off
LINES: dict[str, str] = {}
LINES["creation"] = """
torch.tensor(3)
torch.tensor(3.5)
torch.tensor([1, 2, 3])
torch.tensor([1.0, 2])
torch.tensor([True, False])
torch.tensor([[1, 2], [3, 4]], dtype=torch.float32)
torch.tensor([1, 2], dtype=torch.float64)
torch.tensor(np.arange(3))
torch.tensor(np.ones(2))
torch.tensor(np.ones(2, np.float32))
torch.tensor([])
torch.Tensor([1, 2])
torch.Tensor(2, 3).shape
torch.FloatTensor([1, 2])
torch.LongTensor([1, 2])
torch.zeros(2, 3)
torch.zeros((2, 3))
torch.zeros(2, dtype=torch.int64)
torch.ones(3)
torch.ones(2, 2, dtype=torch.bool)
torch.full((2, 2), 7)
torch.full((2,), 1.5)
torch.full((2,), True)
torch.eye(3)
torch.eye(2, 3)
torch.arange(5)
torch.arange(1, 4)
torch.arange(0, 1, 0.25)
torch.arange(5, 0, -2)
torch.arange(3.0)
torch.linspace(0, 1, 5)
torch.linspace(1, 2, 1)
torch.logspace(0, 2, 3)
torch.zeros_like(x)
torch.ones_like(i)
torch.full_like(x, 2.5)
torch.empty(2, 3).shape
torch.empty_like(i).dtype
torch.zeros_like(x, dtype=torch.int32)
x.new_zeros(2)
x.new_ones(1, 2)
x.new_full((2,), 3)
i.new_tensor([1, 2])
torch.from_numpy(np.array([1.5, 2.5]))
torch.as_tensor([1, 2])
torch.as_tensor(np.array([1], np.int32))
torch.randn(2, 3).shape
torch.rand(4).dtype
torch.randint(0, 5, (2, 3)).shape
torch.randint(10, (2,)).dtype
torch.randperm(5).sort()[0]
torch.rand(2, 2, requires_grad=True).requires_grad
torch.rand_like(x).shape
torch.randn_like(x).dtype
torch.normal(0.0, 1.0, size=(2, 2)).shape
torch.normal(torch.zeros(3), torch.ones(3)).shape
torch.bernoulli(torch.ones(3))
torch.multinomial(torch.tensor([0.0, 1.0]), 1)
torch.manual_seed(0); a = torch.rand(3); torch.manual_seed(0); torch.equal(a, torch.rand(3))
torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")
torch.meshgrid(torch.arange(2), torch.arange(3), indexing="xy")
torch.tril_indices(3, 3)
torch.cartesian_prod(torch.arange(2), torch.arange(2))
torch.tensor([1.0, 2.0], requires_grad=True)
torch.zeros(3, requires_grad=True)
torch.tensor([x[0, 0].item(), 1])
torch.get_default_dtype()
torch.tensor(x)
torch.scalar_tensor(2)
torch.empty_strided((2, 3), (3, 1)).shape
torch.frombuffer(bytearray(b"\\x01\\x00\\x02\\x00"), dtype=torch.int16)
torch.frombuffer(np.arange(3.0), dtype=torch.float64)
torch.range(1, 4)
torch.range(0, 1, 0.25)
torch.hann_window(5)
torch.hann_window(5, periodic=False)
torch.hamming_window(4)
torch.hamming_window(4, False, 0.5, 0.4)
torch.blackman_window(6)
torch.bartlett_window(5)
torch.kaiser_window(5)
torch.kaiser_window(5, periodic=False, beta=5.0)
torch.hann_window(1)
torch.hann_window(3, dtype=torch.float64)
torch.poisson(torch.zeros(2))
torch.binomial(torch.full((3,), 4.0), torch.ones(3))
torch.arange(3, out=torch.empty(3, dtype=torch.int64))
torch.zeros(2, out=torch.ones(2))
torch.tril_indices(3, 4, 1)
torch.triu_indices(3, 4, -1)
torch.triu_indices(2, 2, dtype=torch.int32)
torch.tril_indices(row=2, col=3, offset=0)
torch.cartesian_prod(v)
torch.cartesian_prod(v, k.float())
torch.meshgrid(v, k.float(), indexing="xy")
torch.meshgrid([v, v], indexing="ij")
torch.meshgrid(torch.tensor(1.0), v, indexing="ij")
torch.combinations(k, 3)
torch.combinations(v, with_replacement=True)
torch.block_diag(w.detach(), x)
torch.block_diag(v, torch.tensor(5.0), x)
grads(torch.block_diag(w, w), w)
torch.vander(v, 2, increasing=True)
torch.vander(k)
torch.eye(2, dtype=torch.int64)
torch.eye(3, 2, dtype=torch.bool)
torch.eye(2, requires_grad=True)
torch.linspace(0, 1, 3, dtype=torch.float64)
torch.linspace(torch.tensor(0.0), torch.tensor(2.0), 3)
torch.linspace(0, 10, steps=5, dtype=torch.int64)
torch.logspace(0, 3, steps=4, base=2)
torch.full((2,), 3, dtype=torch.float32)
torch.full((), 2.0)
torch.full([2, 2], True)
torch.full_like(i, 2)
torch.full_like(i, 2.5, dtype=torch.float64)
torch.zeros(2, 0)
torch.zeros([2, 3])
torch.zeros(torch.Size([2]))
torch.zeros(size=(2, 2))
torch.ones(())
torch.ones(2, dtype=torch.uint8)
torch.empty((0,))
torch.empty(2, dtype=torch.bool).dtype
torch.empty_like(x, dtype=torch.int32).dtype
torch.rand_like(x, dtype=torch.float64).dtype
torch.rand(2, 3, generator=torch.Generator().manual_seed(0)).shape
torch.randn((2,), generator=torch.Generator().manual_seed(0)).dtype
torch.randn(2, dtype=torch.float64).dtype
torch.randint(0, 2, (3,), generator=torch.Generator()).dtype
torch.randint(5, (2,), dtype=torch.float32).dtype
torch.randint_like(x, 3).dtype
torch.randint_like(i, 1, 2)
torch.randperm(4, generator=torch.Generator().manual_seed(1)).sort().values
torch.randperm(3, dtype=torch.int32).dtype
torch.normal(v, 0.0)
torch.normal(0.0, torch.zeros(2))
torch.normal(2.0, 0.0, size=(2,), generator=torch.Generator())
torch.multinomial(torch.tensor([0.0, 1.0, 0.0]), 2, replacement=True)
torch.multinomial(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), 1, generator=torch.Generator())
torch.bernoulli(torch.zeros(2))
torch.bernoulli(torch.zeros(2), generator=torch.Generator())
torch.bernoulli(torch.empty(3), 1.0)
torch.tensor([[True], [False]])
torch.tensor([1, 2.5])
torch.tensor([True, 2])
torch.tensor((1, 2))
torch.tensor([(1, 2), (3, 4)])
torch.tensor(range(3))
torch.tensor(np.float32(1.5))
torch.tensor(np.int64(3))
torch.tensor(np.array(2.5))
torch.tensor([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
torch.tensor([v[0], 2])
torch.tensor([k[0], k[1]])
torch.tensor([], dtype=torch.int64)
torch.tensor([[]])
torch.tensor(1e10)
torch.tensor(2**40)
torch.tensor(3, dtype=torch.float64, requires_grad=True)
torch.tensor([1.5, 2.5], dtype=torch.int64)
torch.tensor(np.array([1, 2], np.uint8))
torch.tensor(np.array([1.0], np.float16)).dtype
torch.as_tensor(np.array([1.0, 2.0]), dtype=torch.float32)
torch.as_tensor(v) is v
torch.as_tensor(3.5)
torch.asarray(v, dtype=torch.float64)
torch.asarray(v, copy=True)
torch.from_numpy(np.arange(4).reshape(2, 2))
a = np.zeros(2); q = torch.from_numpy(a); a[0] = 5; q
a = np.zeros(2); q = torch.as_tensor(a); q[0] = 5; a
torch.Tensor(3).shape
torch.Tensor([[1, 2]])
torch.Tensor()
torch.Tensor(np.arange(2))
torch.Tensor(v)
torch.BoolTensor([True, False])
torch.HalfTensor([1.0]).dtype
torch.ShortTensor([1])
torch.CharTensor([1])
torch.ByteTensor([1, 255])
torch.DoubleTensor([1.0])
torch.IntTensor(2).dtype
x.new_tensor([1, 2], dtype=torch.int64)
x.new_empty(2, 3).shape
x.new_empty((2, 3)).dtype
x.new_zeros((2,), dtype=torch.int64)
x.new_ones(2, requires_grad=True)
x.new_full((2,), 1.5)
i.new_full((2,), 1)
x.new(2, 3).shape
x.new([1, 2])
torch.get_rng_state().dtype
s = torch.get_rng_state(); a = torch.rand(2); torch.set_rng_state(s); torch.equal(a, torch.rand(2))
torch.random.manual_seed(3).initial_seed()
torch.random.initial_seed()
g = torch.Generator(); g.manual_seed(7); g.initial_seed()
g = torch.Generator().manual_seed(7); s = g.get_state(); a = torch.rand(2, generator=g); g.set_state(s); torch.equal(a, torch.rand(2, generator=g))
g = torch.Generator(); str(g.device)
torch.Generator(device="cpu").manual_seed(2).initial_seed()
exec("with torch.random.fork_rng():\\n    torch.rand(3)"); torch.rand(1).shape
torch.default_generator.initial_seed()
"""
LINES["attributes"] = """
x.shape
x.size()
x.size(0)
x.size(-1)
x.dim()
x.ndim
x.numel()
x.dtype
i.dtype
b.dtype
x.device
str(x.device)
x.device.type
x.is_cuda
x.requires_grad
w.requires_grad
w.is_leaf
(w * 2).is_leaf
(w * 2).requires_grad
w.grad is None
x.stride()
x.t().stride()
x.is_contiguous()
x.t().is_contiguous()
x.is_floating_point()
i.is_floating_point()
torch.is_tensor(x)
torch.is_floating_point(i)
torch.numel(x)
x.element_size()
len(x)
x.nelement()
x.shape[0]
x.shape[1:]
tuple(x.shape)
list(x.shape)
x.shape == (2, 3)
x.shape == torch.Size([2, 3])
repr(x.shape)
x.shape.numel()
torch.float32
torch.long
torch.float is torch.float32
torch.device("cpu")
torch.device("cuda:0")
torch.device("cpu").type
torch.device("cuda", 1).index
x.type()
i.type()
torch.finfo(torch.float32).eps
torch.finfo(torch.float32).max
torch.iinfo(torch.int64).max
isinstance(x, torch.Tensor)
x.T.shape
t.mT.shape
x.layout
torch.pi
torch.inf
x.nbytes
x.itemsize
i.itemsize
b.type()
x.type("torch.DoubleTensor")
x.type(torch.DoubleTensor)
x.half().type()
x.int().type()
x.short().type()
x.char().type()
x.byte().type()
x.type_as(i)
x.is_cpu
x.is_sparse
x.is_quantized
x.is_meta
x.is_mps
x.is_complex()
x.is_signed()
i.byte().is_signed()
x.is_conj()
x.is_neg()
x.is_inference()
x.is_pinned()
x.get_device()
len(x.storage())
x.storage().tolist()
x.storage()[1]
len(x.untyped_storage())
x.untyped_storage().nbytes()
x.data_ptr() == x.view(-1).data_ptr()
x.data_ptr() == x.clone().data_ptr()
x[0].untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
x.dtype.itemsize
x.dtype.is_floating_point
x.dtype.is_complex
torch.int8.is_signed
str(torch.float32)
repr(torch.bfloat16)
torch.finfo(torch.float64).tiny
torch.finfo(torch.float32).bits
torch.finfo(torch.float32).min
torch.finfo(torch.float32).resolution
torch.finfo(torch.float32).dtype
torch.finfo().eps
torch.iinfo(torch.int32).max
torch.iinfo(torch.uint8).min
torch.iinfo(torch.int64).bits
torch.iinfo(torch.int16).dtype
torch.is_complex(x)
torch.is_signed(x)
torch.is_same_size(x, y)
torch.is_storage(x)
torch.typename(x)
torch.typename(3)
torch.is_nonzero(torch.tensor(2))
torch.is_inference_mode_enabled()
torch.is_anomaly_enabled()
torch.is_autocast_enabled()
torch.are_deterministic_algorithms_enabled() in (True, False)
torch.get_float32_matmul_precision()
torch.get_default_device()
torch.device("cpu").index
torch.device("cuda", 1)
torch.device("cuda:1").index
torch.device(type="cpu")
str(torch.device("cuda", 0))
hash(torch.device("cpu")) == hash(torch.device("cpu"))
torch.newaxis
x[:, torch.newaxis].shape
torch.detach(w).requires_grad
torch.numel(i)
x.size(dim=1)
x.ndimension()
x.shape + (1,)
x.shape[:1] + x.shape[1:]
torch.Size([2, 3]) == (2, 3)
torch.Size([1]) + torch.Size([2])
isinstance(x.shape, tuple)
v.T.shape
x.contiguous() is x
x.t().contiguous().stride()
x.grad_fn
(w + 1).grad_fn.next_functions[0][0].name()
w.detach().is_leaf
w.output_nr
w.retains_grad
q = w * 2; q.retain_grad(); q.retains_grad
x.item() if x.numel() == 1 else x.tolist()
torch.tensor(3).item()
torch.tensor(True).item()
torch.tensor(2.5, dtype=torch.float64).item()
type(torch.tensor(3, dtype=torch.int8).item()).__name__
type(torch.tensor(2.5).item()).__name__
int(torch.tensor(2.7))
float(torch.tensor(2))
bool(torch.tensor(0.0))
complex(torch.tensor(2.0))
round(torch.tensor(2.7).item())
f"{torch.tensor(2.5):.3f}"
f"{torch.tensor(3):d}"
"%.2f" % torch.tensor(2.5)
"{}".format(torch.tensor(2.5))
str(torch.tensor([1.0, 2.0]))
repr(torch.tensor([[1, 2], [3, 4]]))
repr(torch.tensor([1.5], dtype=torch.float64))
repr(torch.tensor([float("nan"), float("inf")]))
repr(torch.tensor([1e-8, 1.0]))
repr(torch.tensor([12345678.0]))
repr(torch.arange(2000.0))
torch.set_printoptions(precision=2); s = repr(v / 3); torch.set_printoptions(profile="default"); s
torch.set_printoptions(sci_mode=True); s = repr(v); torch.set_printoptions(profile="default"); s
torch.set_printoptions(threshold=3, edgeitems=1); s = repr(torch.arange(9)); torch.set_printoptions(profile="default"); s
torch.set_printoptions(linewidth=20); s = repr(torch.arange(9)); torch.set_printoptions(profile="default"); s
list(v)
[float(q) for q in v]
v.tolist()
len(v)
3.0 in v
list(reversed(v))
hash(v) == hash(v)
x.to(torch.float64)
x.to("cpu") is x
x.to(dtype=torch.int64)
x.to(i)
x.to(torch.device("cpu"), torch.float64)
x.to("cpu", torch.int32, non_blocking=True, copy=True)
x.to(torch.float32) is x
x.to(torch.float32, copy=True) is x
x.to(device="cpu", dtype=torch.float64)
x.to("cpu", dtype=torch.float64)
x.cpu() is x
x.float() is x
v.numpy()
w.numpy(force=True)
np.asarray(v)
np.sin(v)
np.mean(v.numpy())
torch.tensor(2.5).numpy()
v.__array__()
v.numpy() + 1
np.add(v, 1)
"""
LINES["values"] = """
x.tolist()
x[0, 0].item()
i[0, 1].item()
b[0].item()
float(x[0, 0])
int(i[1, 2])
bool(torch.tensor(1))
bool(torch.tensor([0.0]))
f"{x[0, 0]:.3f}"
f"{x.mean():.4f}"
f"{i[0, 1]}"
format(x[0, 1], ".2f")
"%.2f" % x[0, 0]
x.numpy()
x.detach().numpy().sum().item()
np.asarray(x).shape
np.array(i)
[r.sum().item() for r in x]
a, c = x; a
list(v)[1]
2.0 in v
7.0 in v
x.cpu().shape
x.clone()
x.detach().requires_grad
w.detach().requires_grad
w.data.requires_grad
x.to(torch.float64).dtype
x.to("cpu").dtype
x.to(i).dtype
x.long()
x.int()
x.double().dtype
x.bool()
i.byte()
i.float()
i.double().dtype
b.float()
b.long()
b.int()
x.type(torch.int64)
x.to(torch.int32)
x.half().dtype
i.to(torch.uint8).dtype
x.type_as(d).dtype
x.contiguous().shape
sum([torch.tensor(1.0), torch.tensor(2.0)])
max(v)
min(v)
sorted(v.tolist())
hash(x) == hash(x)
x is x.to(torch.float32)
list(range(5))[torch.tensor(2)]
repr(torch.tensor(1.5))
repr(torch.tensor([1, 2, 3]))
repr(torch.tensor([1.0, 2.0]))
repr(x)
repr(i)
repr(b)
repr(d)
repr(w)
repr(w * 2)
repr(w.sum())
repr(torch.tensor([1e-5, 1.0]))
repr(torch.tensor([1e6, 1.5]))
repr(torch.tensor([float("nan"), float("inf"), 1.0]))
repr(torch.zeros(2, 2))
repr(torch.arange(30))
repr(torch.arange(2000))
repr(torch.linspace(0, 1, 30))
repr(torch.zeros(2, 0))
repr(torch.tensor([]))
repr(t)
repr(torch.tensor([True]))
repr(torch.tensor([1, 2], dtype=torch.int32))
repr(torch.zeros(30, 40))
str(x[0])
repr(torch.tensor([-1.25, 100.5]))
repr(nn.Parameter(torch.ones(2)))
"""
LINES["arithmetic"] = """
x + y
x - y
x * y
x / y
x + 1
1 - x
2 * x
1 / y
x ** 2
x ** 3
x.abs() ** 0.5
2 ** i
x.abs() ** y
x // 2
i // 2
i % 2
x % 2
-x % 3
-x
abs(x)
+x
x @ y.t()
i + i
i * 2
i / 2
i + 0.5
i + x
i * 1.5
b + b
b * 2
b & ~b
b | b
b ^ b
~b
~i
i & 1
i | 8
i << 1
(i + x).dtype
(i + d[0]).dtype
(x + d[0]).dtype
(x + d.sum()).dtype
(torch.tensor([1], dtype=torch.int32) + torch.tensor([1])).dtype
(torch.tensor([1], dtype=torch.uint8) + 300).dtype
torch.tensor([1, 2], dtype=torch.uint8) + 255
(torch.tensor(1) + torch.tensor(1.5)).dtype
torch.result_type(i, x)
torch.promote_types(torch.int32, torch.float32)
torch.add(x, y)
torch.add(x, y, alpha=2)
x.add(1)
x.sub(y)
x.mul(y)
x.div(y)
torch.div(i, 2, rounding_mode="floor")
torch.div(x, 2, rounding_mode="trunc")
torch.mul(x, 2)
torch.sub(x, 1)
torch.true_divide(i, 4)
torch.floor_divide(i, 4)
torch.remainder(x, 2)
torch.fmod(x, 2)
torch.pow(x, 2)
x.pow(2)
torch.pow(2, v)
x.exp()
x.abs().log()
torch.log(torch.tensor([0.0, 1.0]))
torch.log2(v)
torch.log10(v)
torch.log1p(v)
torch.expm1(v)
x.abs().sqrt()
v.rsqrt()
x.sin()
x.cos()
x.tan()
torch.asin(p)
torch.acos(p)
torch.atan(x)
torch.atan2(x, y)
torch.sinh(x)
torch.cosh(x)
x.tanh()
x.sigmoid()
torch.erf(x)
x.relu()
x.floor()
x.ceil()
x.round()
torch.round(torch.tensor([0.5, 1.5, 2.5, -0.5]))
torch.round(torch.tensor([1.234, 5.678]), decimals=2)
x.trunc()
x.frac()
x.sign()
x.square()
x.reciprocal()
x.neg()
i.sqrt()
i.exp()
torch.exp(torch.tensor(1))
torch.sigmoid(i)
x.clamp(-1, 1)
x.clamp(min=0)
x.clamp(max=1.0)
i.clamp(1, 3)
torch.clamp(x, min=y)
x.clamp_min(0)
torch.maximum(x, y)
torch.minimum(x, y)
torch.max(x, y)
torch.lerp(x, y, 0.5)
torch.addcmul(x, x, y, value=0.5)
torch.addcdiv(x, x, y)
x + np.float32(2)
x * np.array(2.0).item()
torch.nan_to_num(torch.tensor([float("nan"), 1.0]))
torch.tensor([1.0]) / 0
torch.tensor([0.0]) / 0
v + x
x * v
t + v.reshape(3, 1)
x.add(y).mul(2).sub(1)
i.abs()
(-i).abs()
i ** 2
i.neg()
torch.square(i)
torch.sqrt(torch.tensor(-1.0))
torch.tensor(7) // 2
torch.tensor(-7) // 2
torch.tensor(-7) % 3
5 // torch.tensor(2)
7 % torch.tensor(4)
torch.asinh(x)
torch.acosh(x.abs() + 1)
torch.atanh(x / 10)
torch.arcsinh(v)
torch.arccosh(v)
torch.arctanh(v / 4)
torch.atanh(torch.tensor([1.0, -1.0, 2.0]))
torch.acosh(torch.tensor([0.5, 1.0]))
x.asinh()
torch.erfc(x)
torch.erfinv(torch.tensor([-1.0, -0.9, 0.0, 0.3, 0.999, 1.0, 2.0]))
torch.lgamma(torch.tensor([0.5, 3.0, -0.5, 0.0, -1.0, 30.0]))
torch.digamma(torch.tensor([0.5, 3.0, -0.5, 0.0, -1.0, 30.0]))
torch.polygamma(1, v)
torch.polygamma(2, v)
torch.polygamma(0, v)
torch.polygamma(3, torch.tensor([0.5, -0.5, 12.0]))
v.polygamma(1)
torch.mvlgamma(v + 2, 2)
v.lgamma()
v.digamma()
v.erfinv()
q = leaf(v); grads(torch.lgamma(q) + torch.digamma(q) + torch.erfc(q) + torch.asinh(q) + torch.polygamma(1, q), q)
q = leaf(v / 4); grads(torch.erfinv(q) + torch.atanh(q), q)
q = leaf(v + 1); grads(torch.acosh(q), q)
torch.copysign(x, y)
torch.copysign(x, -1.0)
torch.copysign(i, torch.tensor(-1))
x.copysign(y)
q = leaf(x); grads(torch.copysign(q, y), q)
torch.nextafter(v, torch.zeros(3))
torch.ldexp(v, k)
torch.ldexp(v, torch.tensor(2.0))
torch.frexp(x)
torch.frexp(x).exponent
torch.logaddexp2(x, y)
torch.logaddexp(torch.tensor([-float("inf")]), torch.tensor([-float("inf")]))
torch.float_power(v, 2)
torch.float_power(i, k)
torch.float_power(2, v)
v.float_power(2)
torch.fmax(torch.tensor([1.0, float("nan")]), torch.tensor([float("nan"), 2.0]))
torch.fmin(x, y)
torch.fmax(i, i + 1)
torch.gcd(i, k)
torch.lcm(i, k + 1)
torch.fmod(x, y)
torch.fmod(i, 4)
torch.fmod(-i, 4)
torch.remainder(-i, 4)
torch.remainder(5, k + 2)
torch.remainder(x, y)
q = leaf(x); grads(torch.remainder(q, 2.0), q)
torch.sgn(x)
torch.sign(i - 3)
torch.angle(x)
torch.angle(i - 3)
x.real
torch.xlogy(torch.zeros(2), torch.tensor([0.0, float("nan")]))
torch.xlogy(2, v)
torch.xlogy(v, 2)
torch.sinc(torch.zeros(1))
torch.heaviside(i - 2, torch.tensor(7))
torch.lerp(x, y, 0.3)
torch.lerp(x, y, torch.full((2, 3), 0.5))
torch.addcmul(x, x, y, value=0.1)
torch.addcdiv(x, x, y, value=0.1)
torch.addcmul(i, i, i, value=2)
torch.logit(p, eps=0.2)
p.logit()
torch.exp2(x)
torch.deg2rad(x * 90)
torch.rad2deg(x)
torch.nan_to_num(torch.tensor([float("nan"), float("inf"), -float("inf"), 1.0]))
torch.nan_to_num(torch.tensor([float("nan"), float("inf"), -float("inf"), 1.0]), nan=5.0, posinf=1.0, neginf=-1.0)
torch.nan_to_num(i)
q = leaf(torch.tensor([float("nan"), 2.0])); grads(torch.nan_to_num(q), q)
torch.negative(x)
torch.absolute(x)
torch.true_divide(i, 2)
torch.divide(i, 2, rounding_mode="floor")
torch.div(x, y, rounding_mode="trunc")
torch.div(i, k + 1, rounding_mode="floor")
torch.div(i, 2, rounding_mode="trunc")
torch.div(x, 0.7, rounding_mode="floor")
torch.floor_divide(x, 2)
torch.floor_divide(i, -2)
torch.fix(x)
torch.rsub(x, 2)
torch.rsub(x, y, alpha=2)
torch.multiply(x, 2)
torch.subtract(x, y, alpha=0.5)
torch.clip(x, -1, 1)
torch.clamp(x, min=torch.tensor(0.0))
torch.clamp(i, 1.5, 3)
torch.clamp(i, min=2)
torch.clamp_min(x, 0)
torch.clamp_max(x, 0)
torch.round(x * 1.27, decimals=1)
torch.round(i)
torch.bitwise_left_shift(k, 1)
torch.bitwise_right_shift(k, 1)
k << 2
k >> 1
k ^ 1
1 | k
~k
3 & k
torch.bitwise_not(b)
torch.special.expit(x)
torch.special.gammaln(v)
torch.special.psi(v)
torch.special.digamma(v)
torch.special.erf(x)
torch.special.erfc(x)
torch.special.erfinv(p)
torch.special.exp2(x)
torch.special.expm1(x)
torch.special.log1p(x.abs())
torch.special.logit(p)
torch.special.sinc(x)
torch.special.round(x)
torch.special.xlogy(v, v)
torch.special.xlog1py(v, v)
torch.special.entr(torch.tensor([0.0, 0.5, 1.0, -1.0]))
torch.special.ndtr(x)
torch.special.ndtri(p)
torch.special.log_ndtr(torch.tensor([-20.0, -6.0, -5.0, -1.0, 0.0, 3.0]))
torch.special.i0(x)
torch.special.i0e(x)
torch.special.polygamma(2, v)
torch.special.multigammaln(v + 2, 2)
torch.special.softmax(x, 1)
torch.special.log_softmax(x, dim=0)
torch.special.logsumexp(x, 1)
q = leaf(x); grads(torch.special.ndtr(q) + torch.special.expit(q), q)
torch.i0(v)
torch.result_type(i, 1.5)
torch.result_type(x, d)
torch.result_type(torch.tensor(1, dtype=torch.int32), 1)
torch.promote_types(torch.int32, torch.float64)
torch.promote_types(torch.uint8, torch.int8)
torch.can_cast(torch.float32, torch.int64)
i + 1.5
i * True
b + 1
b * b
k.int() + k
x + d[0]
torch.tensor(1.5, dtype=torch.float64) + v
torch.tensor(2) * v
k / 2
k // 2
-k // 2
2 ** k
2.0 ** k
k ** 2
k ** 2.0
v ** k
1 / k
10 % v
abs(-k)
v.pow(2)
torch.pow(k, 2)
torch.pow(v, torch.tensor(2))
torch.square(k)
torch.sqrt(k)
torch.reciprocal(k)
torch.exp(k)
torch.rsqrt(v)
torch.sigmoid(k)
torch.relu(k - 1)
torch.add(x, 2, alpha=3)
torch.add(2, x)
torch.mul(2, x)
v.add(1).sub(2).mul(3).div(4)
v.true_divide(2)
v.floor_divide(2)
v.arctan2(v)
torch.arctan2(x, y)
torch.isposinf(torch.tensor([float("inf"), 1.0, -float("inf")]))
torch.isneginf(torch.tensor([float("inf"), 1.0, -float("inf")]))
torch.isreal(x)
torch.isinf(i)
torch.isnan(i)
torch.isfinite(i)
torch.isclose(i, i)
torch.isin(k, 1)
torch.isin(k, torch.tensor([1, 2]), invert=True)
torch.isin(2, k)
"""
LINES["comparison"] = """
x > y
x < 0
x >= 0
x <= y
x == y
x != y
i == 2
i > 2.5
x.eq(y)
x.gt(0)
x.ne(0)
torch.lt(x, y)
torch.ge(x, 0)
(x > 0).sum()
(x > 0).float().mean()
(x > 0) & (y > 0)
(x > 0) | (y > 0)
torch.equal(x, x)
torch.allclose(x, x + 1e-9)
torch.isclose(x, x + 1e-9)
torch.isnan(torch.tensor([float("nan"), 1.0]))
torch.isinf(torch.tensor([float("inf"), 1.0]))
torch.isfinite(x)
x.isnan().any()
torch.logical_and(b, ~b)
torch.logical_or(b, ~b)
torch.logical_not(b)
torch.logical_xor(b, b)
x.any()
b.all()
b.any()
(x > 0).all(1)
(x > 0).any(dim=0, keepdim=True)
torch.where(x > 0, x, y)
torch.where(x > 0, x, 0.0)
torch.where(x > 0, 1, 0)
torch.where(x > 0)
torch.where(b, i[0], 0)
x.where(x > 0, y)
x.masked_fill(x < 0, 0)
x.masked_fill(x < 0, float("-inf"))
x.masked_select(x > 0)
torch.nonzero(x > 0)
torch.nonzero(i)
(x > 0).nonzero()
(x > 0).nonzero(as_tuple=True)
x.argmax(1) == k[:2]
(x.argmax(1) == lab).sum().item()
(x.argmax(1) == lab).float().mean()
x.max(1)[1] == lab
b == True
torch.count_nonzero(i)
torch.eq(x, x).all().item()
not torch.tensor(0)
if_ = 1 if (x > 0).any() else 0; if_
"""
LINES["reductions"] = """
x.sum()
x.sum(0)
x.sum(1)
x.sum(dim=1, keepdim=True)
x.sum(-1)
t.sum((0, 2))
t.sum(dim=[1, 2])
i.sum()
i.sum(0)
b.sum()
i.sum(dtype=torch.float32)
x.mean()
x.mean(0)
x.mean(1, keepdim=True)
t.mean((1, 2))
i.float().mean()
x.max()
x.min()
x.max(1)
x.max(dim=1)[0]
x.max(1).indices
x.max(1).values
x.max(0, keepdim=True)
x.min(1)
i.max()
i.max(1)
torch.max(x, 1)[1]
torch.max(x, dim=1, keepdim=True)[0]
torch.min(x)
x.argmax()
x.argmax(1)
x.argmax(dim=1, keepdim=True)
x.argmin(0)
torch.argmax(x, -1)
x.amax(1)
x.amax()
x.amin((0, 1))
torch.aminmax(x)
x.prod()
x.prod(1)
i.prod()
x.std()
x.std(0)
x.std(1, unbiased=False)
x.std(dim=1, keepdim=True)
x.var()
x.var(1)
x.var(unbiased=False)
x.var(1, correction=0)
torch.var_mean(x, 1)
torch.std_mean(x)
x.norm()
x.norm(1)
x.norm(2, dim=1)
x.norm(p=3)
x.norm(float("inf"))
torch.norm(x, dim=0)
torch.linalg.norm(x)
torch.linalg.vector_norm(x, dim=1)
x.logsumexp(1)
torch.logsumexp(x, dim=(0, 1))
x.softmax(1)
torch.softmax(x, dim=0)
x.log_softmax(-1)
x.median()
x.median(1)
x.sort()
x.sort(dim=0, descending=True)
x.sort(1)[0]
x.argsort()
x.argsort(descending=True)
v.sort().values
x.topk(2)
x.topk(2, dim=1)[1]
x.topk(1, largest=False)
v.kthvalue(2)
x.cumsum(1)
x.cumsum(0)
i.cumsum(1)
x.cumprod(1)
x.cummax(1)
torch.diff(v)
torch.unique(torch.tensor([3, 1, 3, 2]))
torch.unique(torch.tensor([3, 1, 3]), return_counts=True)
torch.unique(torch.tensor([3, 1, 3]), return_inverse=True)
torch.bincount(torch.tensor([0, 1, 1, 3]))
torch.histc(x, 4, -2, 4)
torch.quantile(x, 0.5)
x.nansum()
torch.bucketize(v, torch.tensor([1.0, 2.0]))
torch.searchsorted(torch.tensor([1.0, 2.0, 3.0]), v)
x.mean().item()
x.sum().dim()
x.max().shape
torch.sum(x)
torch.mean(x, dim=0)
torch.mean(x, 1, True)
torch.all(b)
torch.any(x > 3, 1)
len(x.max(1))
vals, idx = x.max(1); vals
vals, idx = torch.topk(v, 2); idx
x.sum(0).shape
i.float().std()
torch.tensor(2.0).sum()
torch.zeros(0).sum()
x.abs().max().item()
torch.stack([x.mean(), x.std()])
torch.trace(torch.eye(3))
torch.nansum(torch.tensor([[1.0, float("nan")], [2.0, 3.0]]))
torch.nansum(torch.tensor([[1.0, float("nan")], [2.0, 3.0]]), dim=1, keepdim=True)
torch.nanmean(torch.tensor([[1.0, float("nan")], [2.0, 3.0]]), 1)
torch.nanmean(torch.tensor([[1.0, float("nan")], [2.0, 3.0]]))
torch.nansum(i)
torch.median(x, 1)
torch.median(x, dim=1, keepdim=True)
torch.median(torch.tensor([1.0, float("nan"), 3.0]))
torch.nanmedian(torch.tensor([1.0, float("nan"), 3.0]))
torch.nanmedian(torch.tensor([[1.0, float("nan"), 3.0], [1.0, 2.0, 3.0]]), dim=1)
torch.median(i)
x.median(0).values
x.nanmedian()
q = leaf(x); grads(torch.median(q), q)
q = leaf(x); grads(torch.median(q, 1).values, q)
torch.mode(torch.tensor([1, 2, 2, 3]))
torch.mode(i, 0)
torch.mode(torch.tensor([[1.0, 1.0], [2.0, 1.0]]), dim=1, keepdim=True)
torch.kthvalue(x, 2)
torch.kthvalue(x, 1, dim=0, keepdim=True)
x.kthvalue(2, 1).indices
q = leaf(x); grads(torch.kthvalue(q, 2).values, q)
torch.quantile(x, torch.tensor([0.25, 0.75]))
torch.quantile(x, torch.tensor([0.25, 0.75]), dim=1)
torch.quantile(x, torch.tensor([0.25, 0.75]), dim=0, keepdim=True)
torch.quantile(x, 0.3, dim=1, keepdim=True)
torch.quantile(x, 0.3, interpolation="lower")
torch.quantile(x, 0.3, interpolation="higher")
torch.quantile(x, 0.3, interpolation="midpoint")
torch.quantile(x, 0.3, interpolation="nearest")
torch.quantile(torch.tensor([1.0, float("nan")]), 0.5)
torch.nanquantile(torch.tensor([1.0, float("nan"), 3.0, 5.0]), 0.5)
torch.nanquantile(torch.tensor([[1.0, float("nan"), 3.0], [1.0, 2.0, 4.0]]), 0.5, dim=1)
x.quantile(0.5, dim=0)
q = leaf(x); grads(torch.quantile(q, 0.3, dim=1), q)
torch.cummax(x, dim=0).values
torch.cummin(x, 1)
torch.cummin(i, 1)
torch.cummax(torch.tensor([1.0, 3.0, 3.0, 2.0]), 0)
q = leaf(x); grads(torch.cummax(q, 1).values, q)
torch.cumsum(x, 1)
torch.cumsum(i, 0)
torch.cumsum(x, 0, dtype=torch.float64)
torch.cumprod(i, 1)
x.cumprod(0)
torch.cumprod(x, dim=1, dtype=torch.float64)
q = leaf(x); grads(torch.cumprod(q, 1), q)
q = leaf(torch.tensor([1.0, 0.0, 2.0, 0.0, 3.0])); grads(torch.cumprod(q, 0), q)
torch.logcumsumexp(x, 1)
torch.logcumsumexp(x * 100, 0)
q = leaf(x); grads(torch.logcumsumexp(q, 1), q)
x.logcumsumexp(0)
torch.diff(x, dim=0)
torch.diff(v, n=2)
torch.diff(v, prepend=torch.tensor([0.0]))
torch.diff(v, append=torch.tensor([0.0, 1.0]))
torch.diff(b)
torch.diff(i, n=0)
v.diff()
torch.trapezoid(v)
torch.trapezoid(v, dx=0.5)
torch.trapezoid(v, torch.tensor([0.0, 1.0, 3.0]))
torch.trapezoid(x, v.sort().values, dim=1)
torch.trapezoid(x, dim=0)
torch.cumulative_trapezoid(v)
torch.cumulative_trapezoid(x, dx=2, dim=1)
torch.gradient(v)
torch.gradient(x)
torch.gradient(x, dim=1)
torch.gradient(v, spacing=2.0)
torch.gradient(torch.arange(6.0) ** 2, edge_order=2)
torch.gradient(v, spacing=(torch.tensor([0.0, 1.0, 4.0]),))
torch.histc(v, bins=3)
torch.histc(v, bins=4, min=0, max=4)
torch.histc(x, 5)
torch.histogram(v, 3)
torch.histogram(v, bins=4, range=(0.0, 4.0))
torch.histogram(v, torch.tensor([0.0, 2.0, 4.0]))
torch.histogram(v, 3, density=True).hist
torch.histogram(v, 2, weight=v)
torch.bincount(k, minlength=5)
torch.bincount(k, weights=v)
torch.bincount(k, weights=v.double())
k.bincount()
torch.bucketize(v, torch.tensor([1.0, 2.0, 3.0]))
torch.bucketize(v, torch.tensor([1.0, 2.0, 3.0]), right=True)
torch.bucketize(1.5, torch.tensor([1.0, 2.0, 3.0]))
torch.bucketize(v, torch.tensor([1.0, 2.0, 3.0]), out_int32=True)
torch.searchsorted(torch.tensor([1.0, 2.0, 3.0]), 2.5)
torch.searchsorted(torch.tensor([1.0, 2.0, 3.0]), v, side="right")
torch.searchsorted(torch.tensor([[1, 3, 5], [2, 4, 6]]), torch.tensor([[2, 5], [2, 5]]))
torch.searchsorted(v, v, sorter=v.argsort())
torch.unique(k)
torch.unique(torch.tensor([[1, 2], [1, 2], [3, 4]]), dim=0)
torch.unique(torch.tensor([[1, 2], [1, 2], [3, 4]]), dim=0, return_inverse=True, return_counts=True)
torch.unique(torch.tensor([[1, 3], [2, 3]]), return_inverse=True)
torch.unique(torch.tensor([1, 3, 3]), return_counts=True)
torch.unique(torch.tensor([1, 3, 3]), sorted=True, return_inverse=True, return_counts=True)
torch.unique_consecutive(torch.tensor([[1, 1], [1, 1], [2, 2]]), dim=0)
k.unique().tolist()
k.unique(return_counts=True)
torch.aminmax(x, dim=1)
x.aminmax(dim=0, keepdim=True)
torch.aminmax(x).max
torch.amax(x, (0, 1))
torch.amax(x, dim=1, keepdim=True)
torch.count_nonzero(i, dim=0)
torch.count_nonzero(i, dim=(0, 1))
torch.std_mean(x, dim=1)
torch.var_mean(x)
torch.var(x, dim=1, correction=0)
torch.std(x, unbiased=False)
torch.std(x, (0, 1), keepdim=True)
torch.var(x, 1, False)
torch.cov(v)
torch.cov(x, correction=0)
torch.cov(x, fweights=k)
torch.cov(x, aweights=v)
torch.cov(x, fweights=k, aweights=v)
torch.corrcoef(v)
torch.dist(x, y, 1)
torch.dist(x, y, p=float("inf"))
torch.logsumexp(x, (0, 1))
torch.logsumexp(x, 1, keepdim=True)
torch.sum(x, (0, 1), keepdim=True)
torch.sum(i, dim=1, dtype=torch.float32)
torch.sum(b)
torch.prod(x, 1)
torch.prod(i)
torch.prod(b)
torch.prod(x, dim=0, keepdim=True, dtype=torch.float64)
torch.any(b)
torch.all(b, dim=0)
torch.any(x > 3, dim=1)
torch.all(x, dim=1, keepdim=True)
torch.any(x > 3, dim=(0, 1))
torch.argmax(x, dim=1, keepdim=True)
torch.argmax(x, keepdim=True)
torch.argmin(x)
torch.max(x, 1).values
torch.min(x, dim=0, keepdim=True)
torch.max(b)
torch.max(i)
torch.topk(v, 2)
torch.topk(x, 2, dim=1, largest=False)
torch.topk(x, 1, dim=0, sorted=True)
torch.sort(x, descending=True)
torch.sort(x, dim=0, stable=True)
torch.sort(i, 1, True)
torch.argsort(x, dim=0)
torch.argsort(x, descending=True, stable=True)
torch.softmax(x, dim=0, dtype=torch.float64)
torch.log_softmax(x, -1)
x.softmax(dim=0)
torch.norm(x, p="fro")
torch.norm(x, p=1, dim=1)
torch.norm(x, 2, 1, True)
torch.norm(x, dim=(0, 1))
x.norm(p=float("inf"))
q = torch.tensor([2.0, 2.0], requires_grad=True); grads(q.max(), q)
q = torch.tensor([2.0, 2.0], requires_grad=True); grads(q.min(), q)
q = torch.tensor([[2.0, 2.0]], requires_grad=True); grads(q.max(1).values, q)
repr(torch.sort(v))
"""
LINES["shapes"] = """
x.view(3, 2)
x.view(-1)
x.view(6, 1)
x.view(1, -1)
x.reshape(3, 2)
x.reshape(-1, 1)
x.t().reshape(6)
x.view_as(y)
x.reshape_as(y)
t.flatten()
t.flatten(1)
t.flatten(0, 1)
torch.flatten(t, 1)
x.ravel()
x.unsqueeze(0)
x.unsqueeze(-1)
torch.unsqueeze(x, 1)
x.unsqueeze(0).squeeze()
torch.zeros(1, 2, 1).squeeze(0)
torch.zeros(1, 2, 1).squeeze(-1)
torch.zeros(1, 2, 1).squeeze(1)
x.t()
x.T
x.transpose(0, 1)
t.transpose(1, 2)
t.permute(2, 0, 1)
t.permute((0, 2, 1))
torch.permute(t, (2, 1, 0))
t.movedim(0, -1)
t.swapaxes(0, 1)
v.expand(2, 3)
v.unsqueeze(1).expand(-1, 2)
v.expand_as(x)
v.repeat(2)
v.repeat(2, 1)
x.repeat(1, 2)
torch.tile(v, (2,))
v.repeat_interleave(2)
x.repeat_interleave(2, dim=0)
torch.repeat_interleave(v, k)
torch.cat([x, y])
torch.cat((x, y), 1)
torch.cat([x, i])
torch.cat([i, i], dim=-1)
torch.stack([v, v])
torch.stack([v, v], dim=1)
torch.stack((x, y), -1)
torch.hstack([v, v])
torch.vstack([v, v])
torch.concat([v, v])
x.chunk(2)
x.chunk(2, dim=1)
v.split(2)
v.split([1, 2])
torch.split(x, 1, dim=0)
torch.chunk(v, 2)
v.unbind()
x.unbind(1)
x.flip(0)
x.flip(0, 1)
torch.flip(v, [0])
x.flip(dims=(1,))
v.roll(1)
x.roll(1, 0)
torch.roll(x, shifts=(1, 1), dims=(0, 1))
torch.rot90(x)
torch.diag(v)
torch.diag(torch.eye(2))
t[0].diagonal()
torch.tril(torch.ones(3, 3))
torch.triu(torch.ones(3, 3), diagonal=1)
torch.tril(torch.ones(2, 3, dtype=torch.bool))
x.narrow(1, 0, 2)
x.select(1, 0)
t.unflatten(2, (2, 2))
torch.broadcast_to(v, (2, 3))
torch.broadcast_tensors(v, x)[0]
v.unfold(0, 2, 1)
x.contiguous().view(-1).shape
x[None].shape
torch.squeeze(x.unsqueeze(0))
torch.transpose(x, 0, 1)
torch.reshape(x, (3, 2))
x.view(x.size(0), -1).shape
t.view(-1, t.shape[-1])
i.view(-1)
i.t()
i.permute(1, 0)
i.unsqueeze(0).repeat(2, 1, 1)
b.view(1, 3)
torch.zeros(2, 0).reshape(0).shape
torch.atleast_1d(torch.tensor(1.0))
torch.atleast_1d(torch.tensor(1.0), v)
torch.atleast_2d((v, x))
torch.atleast_3d(v).shape
torch.atleast_3d(x).shape
torch.column_stack((v, v))
torch.column_stack((v, x.t()))
torch.row_stack((v, v))
torch.dstack((v, v))
torch.dstack((x, x)).shape
torch.hstack((v, v))
torch.vstack((v, x))
torch.concat((x, y), dim=1)
torch.concatenate((x, y), axis=1)
torch.cat((x, i))
torch.cat([x, y], -1)
torch.cat((x, torch.zeros(0)))
torch.stack((x, y), dim=1).shape
torch.tensor_split(torch.arange(7), 3)
torch.tensor_split(torch.arange(7), (2, 5))
torch.tensor_split(x, 2, dim=1)
torch.tensor_split(torch.arange(7), torch.tensor([1, 4]))
torch.tensor_split(torch.arange(7), (-3, 9))
x.tensor_split(2, 1)
torch.hsplit(x, 3)
torch.vsplit(x, 2)
torch.dsplit(t, 2)
torch.hsplit(x, [1])
torch.split(v, 2)
torch.split(x, [1, 2], dim=1)
x.split_with_sizes((1, 2), 1)
torch.split_with_sizes(v, (1, 2))
x.chunk(2, dim=-1)
torch.select(x, 1, 2)
torch.narrow(x, 1, 1, 2)
x.narrow(1, -2, 1)
x.narrow_copy(0, 0, 1)
torch.swapaxes(t, 0, 2).shape
torch.swapdims(t, 0, 1).shape
torch.moveaxis(t, 0, 2).shape
torch.movedim(t, (0, 1), (2, 0)).shape
torch.unflatten(t, 2, (2, 2)).shape
t.unflatten(-1, (-1, 2)).shape
torch.flatten(t, 1).shape
torch.flatten(torch.tensor(1.0))
t.flatten(0, 1).shape
torch.ravel(x)
torch.squeeze(x[None])
torch.squeeze(x[None, None], (0, 1)).shape
torch.rot90(x, 2, (0, 1))
torch.rot90(x, k=-1, dims=[0, 1])
torch.flip(x, (0, 1))
torch.flip(x, dims=[1])
torch.flipud(x)
torch.roll(x, 1)
torch.roll(x, (1, 2), (0, 1))
torch.roll(x, shifts=-1, dims=1)
torch.tile(x, (2,))
x.repeat(2, 1)
x.repeat(1, 2, 1).shape
torch.repeat_interleave(x, 2, dim=0)
torch.repeat_interleave(v, torch.tensor([1, 0, 2]))
torch.repeat_interleave(torch.tensor([1, 2]))
v.repeat_interleave(k)
torch.repeat_interleave(x, torch.tensor([2, 1]), dim=0, output_size=3)
torch.broadcast_tensors(v, x)
torch.broadcast_shapes((1, 3), (2, 1), (3,))
torch.diag(x, 1)
torch.diag(v, -1)
torch.diag_embed(x)
torch.diag_embed(v, offset=1)
torch.diag_embed(x, dim1=0, dim2=2)
grads(torch.diag_embed(leaf(v)))
q = leaf(v); grads(torch.diag_embed(q) * torch.arange(9.0).reshape(3, 3), q)
v.diag_embed()
torch.diagflat(x)
torch.diagflat(v, 1)
x.diagflat()
torch.diagonal(t, dim1=1, dim2=2)
torch.diagonal(x, offset=1)
torch.tril(x, -1)
torch.triu(t, diagonal=1)
torch.tril(b.expand(3, 3))
torch.as_strided(x, (2, 2), (1, 2))
torch.as_strided(v, (2, 2), (1, 1))
torch.as_strided(x, (2,), (2,), 1)
x.as_strided((2, 2), (2, 1))
x.view(torch.int32).dtype
x.view_as(y.view(3, 2)).shape
x.reshape_as(torch.zeros(3, 2)).shape
x.reshape(-1, 1, 3).shape
x.expand(4, -1, -1).shape
x.permute(1, 0)
x.permute((1, 0))
torch.permute(t, (2, 0, 1)).shape
x.transpose(-1, -2).shape
x.sum_to_size(1, 3)
x.sum_to_size(3)
x.unsqueeze(-1).shape
x[None].squeeze(0).shape
x.clone(memory_format=torch.contiguous_format)
x.contiguous(memory_format=torch.contiguous_format)
img.to(memory_format=torch.channels_last).shape
img.is_contiguous()
x.is_contiguous(memory_format=torch.contiguous_format)
"""
LINES["indexing"] = """
x[0]
x[1, 2]
x[-1]
x[:, 0]
x[:, -1]
x[0, 1:]
x[:, ::2]
x[..., 0]
x[None]
x[:, None].shape
x[:, None, :].shape
t[0, ..., 1]
x[[0, 1]]
x[[1, 0, 1]]
x[k[:2] - 1]
x[:, k]
x[:, [0, 2]]
x[torch.tensor([0, 1]), torch.tensor([2, 0])]
x[range(2), lab]
x[torch.arange(2), lab]
x[x > 0]
x[(x > 0) & (y > 0)]
x[torch.tensor([True, False])]
x[:, b]
i[i % 2 == 0]
v[1]
v[-2:]
v[k]
v[k > 0]
v[torch.tensor(1)]
t[:, 1]
t[1, :, 2:]
t[:, [0, 2], :]
t[0][1][2]
x[0][1] = 9.0; x
x[0] = 1.0; x
x[:, 1] = 0; x
x[x < 0] = 0; x
x[[0, 1], [1, 2]] = 5.0; x
x[0, :] = v; x
x[:, 0] += 1; x
x[1] = y[0]; x
v[k] = torch.tensor([1.0, 2.0, 3.0]); v
i[0, 0] = 7; i
b[0] = False; b
x[..., -1] = 2; x
t[0, 1] = 1.0; t
x[1:, 1:] = torch.zeros(1, 2); x
x.index_select(1, k)
torch.index_select(x, 0, torch.tensor([1]))
x.gather(1, lab.unsqueeze(1))
torch.gather(x, 1, torch.tensor([[0, 1], [2, 2]]))
x.gather(0, torch.tensor([[0, 1, 0]]))
torch.take(x, torch.tensor([0, 5]))
torch.zeros(2, 3).scatter_(1, lab.unsqueeze(1), 1.0)
torch.zeros(2, 3).scatter(1, torch.tensor([[0, 1], [2, 0]]), x[:, :2])
torch.zeros(3).scatter_add(0, torch.tensor([0, 0, 2]), v)
torch.zeros(3).index_add_(0, k, v)
x.index_fill(1, torch.tensor([0]), -1)
torch.zeros(2, 3).index_copy_(0, torch.tensor([1, 0]), x)
torch.take_along_dim(x, x.argmax(1, keepdim=True), dim=1)
x[0].fill_(3); x
x[:, 1].zero_(); x
x.view(-1)[2] = 8; x
x.t()[0, 1] = -9; x
x[0:1].mul_(2); x
i[1].add_(10); i
x[1:].copy_(y[:1]); x
x[b.nonzero().squeeze() // 2]
x.data[0, 0] = 4; x
u = x.clone(); u[0] = 0; x
x[:0].shape
x[torch.tensor([], dtype=torch.long)].shape
v[::2]
x.masked_fill_(x > 2, 2); x
v.tolist()[1:]
x.numpy()[0, 0] == x[0, 0].item()
a = np.zeros(2); q = torch.from_numpy(a); q[0] = 1; a.tolist()
torch.scatter_reduce(v, 0, torch.tensor([0, 0, 1]), v, "sum")
torch.scatter_reduce(v, 0, torch.tensor([0, 0, 1]), v, "mean")
torch.scatter_reduce(v, 0, torch.tensor([0, 0, 1]), v, "mean", include_self=False)
torch.scatter_reduce(v, 0, torch.tensor([0, 0, 1]), v, "prod")
torch.scatter_reduce(v, 0, torch.tensor([0, 0, 1]), v, "amax", include_self=False)
torch.scatter_reduce(v, 0, torch.tensor([0, 0, 1]), v, reduce="amin")
torch.scatter_reduce(k, 0, torch.tensor([0, 0, 1]), k, reduce="amin", include_self=False)
torch.scatter_reduce(k, 0, torch.tensor([0, 0, 1]), k, reduce="mean")
x.scatter_reduce(1, torch.tensor([[0, 0, 1], [2, 2, 2]]), y, reduce="prod")
q = leaf(v); s = leaf(v * 2); grads(torch.scatter_reduce(q, 0, torch.tensor([0, 0, 1]), s, "prod"), q, s)
q = leaf(v); s = leaf(v * 2); grads(torch.scatter_reduce(q, 0, torch.tensor([0, 0, 1]), s, "amax"), q, s)
q = leaf(v); s = leaf(v * 2); grads(torch.scatter_reduce(q, 0, torch.tensor([0, 0, 1]), s, "mean"), q, s)
q = leaf(v); s = leaf(v * 2); grads(torch.scatter_reduce(q, 0, torch.tensor([0, 0, 1]), s, "amin", include_self=False), q, s)
q = leaf(torch.tensor([1.0, 2.0])); s = leaf(torch.tensor([0.0, 3.0, 4.0])); grads(torch.scatter_reduce(q, 0, torch.tensor([0, 0, 1]), s, "prod"), q, s)
torch.index_reduce(v, 0, torch.tensor([0, 0, 1]), v, "mean")
torch.index_reduce(x, 1, torch.tensor([0, 0, 1]), y, "amax")
torch.index_reduce(x, 0, torch.tensor([1]), y[:1], "prod", include_self=False)
torch.select_scatter(x, v[:2], 1, 0)
torch.slice_scatter(x, torch.zeros(2, 1), 1, 0, 1)
torch.slice_scatter(x, torch.zeros(2, 2), dim=1, start=0, end=3, step=2)
torch.diagonal_scatter(x, v[:2])
q = leaf(x); s = leaf(v[:2]); grads(torch.select_scatter(q, s, 1, 0) * y, q, s)
torch.index_put(x, (torch.tensor([0]), torch.tensor([1])), torch.tensor([5.0]))
x.index_put((torch.tensor([0, 0]), torch.tensor([1, 1])), torch.tensor([1.0, 2.0]), accumulate=True)
torch.put(x, torch.tensor([1, 4]), torch.tensor([10.0, 20.0]))
torch.unravel_index(torch.tensor([3, 5]), (2, 3))
torch.unravel_index(torch.tensor(4), (2, 3))
torch.take_along_dim(x, torch.tensor([[0], [2]]), 1)
torch.take_along_dim(x, x.argsort(1), dim=1)
torch.take_along_dim(x, torch.tensor([1, 2]))
x.take_along_dim(torch.tensor([[1]]), dim=0)
torch.gather(input=x, dim=1, index=torch.tensor([[0], [2]]))
torch.index_select(x, 1, torch.tensor([2, 0]))
torch.masked_fill(x, x > 0, 0.0)
torch.masked_scatter(x, x > 0, torch.arange(6.0))
torch.scatter(x, 1, torch.tensor([[0], [1]]), 5.0)
torch.scatter(x, dim=1, index=torch.tensor([[0], [1]]), src=y)
torch.scatter(x, 1, torch.tensor([[0], [1]]), y, reduce="add")
torch.scatter_add(x, 1, torch.tensor([[0, 0, 0], [1, 1, 1]]), y)
torch.index_add(x, 0, torch.tensor([0, 0]), y)
torch.index_fill(x, 1, torch.tensor([0]), 1.0)
torch.index_copy(x, 1, torch.tensor([0, 2]), torch.zeros(2, 2))
torch.nonzero(x > 0, as_tuple=True)
torch.nonzero_static(x > 0, size=2)
torch.where(x > 0, x, 0)
torch.where(x > 0, 1.0, 0.0)
torch.where(x > 0, x, y.double())
torch.where(b, k, 0)
torch.where(torch.tensor(True), v, v * 2)
x.where(x > 0, 0.0)
x[[0, 1], [1, 2]]
x[:, [True, False, True]]
x[1:, ::2]
x[:, -1:]
x[torch.tensor(1)]
x[np.array([0, 1])]
x[x > 0] = 0; x
x[:, 1] = v[:2]; x
x[0] += 1; x
x[[0, 1], [0, 1]] = 5.0; x
x[torch.tensor([0])] = torch.zeros(3); x
t[0, :, [1, 2]].shape
t[:, torch.tensor([0, 1]), 1].shape
t[torch.tensor([[0, 1], [1, 0]])].shape
v[v.argmax()]
v[k.int()]
x.diagonal()
x.diagonal()[0].item()
q = x.clone(); q[0].zero_(); q
q = x.clone(); q.view(-1)[1] = 9; q
q = x.clone(); q.t()[0, 1] = 9; q
q = x.clone(); q[:, 1].fill_(7); q
q = torch.zeros(2, 3); q[:, 0] = 1; q[1] *= 2; q
"""
LINES["in place"] = """
x.add_(1); x
x.sub_(y); x
x.mul_(2); x
x.div_(2); x
x.zero_(); x
x.fill_(2.5); x
x.clamp_(0, 1); x
x.copy_(y); x
x.copy_(v); x
x.neg_(); x
x.abs_(); x
x.exp_(); x
x.relu_(); x
x.sigmoid_(); x
x.tanh_(); x
x.pow_(2); x
x.add_(y, alpha=0.5); x
x.addcmul_(x, y, value=2); x
x.lerp_(y, 0.1); x
x += 1; x
x -= y; x
x *= 2; x
x /= 4; x
x **= 2; x
i += 1; i
i *= 2; i
x.uniform_(2, 2); x
x.fill_diagonal_(7); x
x.unsqueeze_(0).shape
x.t_().shape
x.squeeze_().shape
z = x; z += 1; x
z = x.view(-1); z.add_(1); x
id(x) == id(x.add_(1))
x.floor_(); x
x.abs().sqrt_()
x.mul_(v); x
nn.init.constant_(x, 3.0)
nn.init.zeros_(x)
nn.init.ones_(x)
nn.init.eye_(torch.empty(2, 3))
nn.init.xavier_uniform_(torch.empty(3, 4)).shape
nn.init.kaiming_normal_(torch.empty(3, 4), mode="fan_out", nonlinearity="relu").shape
nn.init.orthogonal_(torch.empty(3, 3)).shape
nn.init.trunc_normal_(torch.empty(3, 3), std=0.02).abs().max() < 2
nn.init.calculate_gain("relu")
nn.init.calculate_gain("leaky_relu", 0.2)
nn.init.uniform_(torch.empty(10), 1, 2).min() >= 1
nn.init.normal_(torch.empty(2, 2)).shape
x.asinh_()
v.acosh_()
(v / 4).atanh_()
v.erfc_()
v.lgamma_()
v.digamma_()
v.exp2_()
v.deg2rad_()
v.rad2deg_()
v.hypot_(v)
p.logit_()
v.xlogy_(v)
v.sinc_()
v.copysign_(-v)
v.ldexp_(k)
v.nan_to_num_()
v.sgn_()
v.sign_()
k.gcd_(k)
k.lcm_(k)
v.eq_(v)
v.ne_(2)
v.lt_(2.0)
k.ge_(1)
b.logical_and_(b)
b.logical_not_()
k.bitwise_and_(1)
k.bitwise_or_(4)
k.bitwise_xor_(1)
k.bitwise_not_()
k.bitwise_left_shift_(1)
k |= 1; k
k &= 1; k
k ^= 3; k
k <<= 1; k
k >>= 1; k
b |= True; b
k %= 2; k
k //= 2; k
v //= 2; v
v %= 2; v
v **= 2; v
v.tan_()
v.asin_()
v.acos_()
v.atan_()
v.sinh_()
v.cosh_()
v.log2_()
v.log10_()
v.log1p_()
v.expm1_()
v.frac_()
v.trunc_()
v.fix_()
v.negative_()
v.absolute_()
v.subtract_(1)
v.multiply_(2)
v.divide_(2)
v.true_divide_(2)
v.clip_(1, 2)
v.clamp_(min=2)
v.arctan2_(v)
v.atan2_(v)
v.fmod_(2)
v.remainder_(2)
v.double().float_power_(2)
v.cumsum_(0)
v.cumprod_(0)
x.transpose_(0, 1)
x.swapaxes_(0, 1)
x.t_()
x[None].squeeze_().shape
x.resize_(3, 2)
x.resize_((1, 2))
v.resize_as_(torch.zeros(2))
v.apply_(lambda q: q + 1)
v.map_(v, lambda a, c: a * c)
x.addmm_(x, torch.eye(3))
v.addmv_(torch.eye(3), v)
torch.ones(3, 3).addr_(v, v)
torch.ones(2, 3, 3).baddbmm_(t[:, :, :3], t[:, :, :3])
x.renorm_(2, 0, 1.0)
v.scatter_(0, k, 5.0)
v.scatter_(0, torch.tensor([1]), torch.tensor([7.0]))
x.scatter_(1, torch.tensor([[0], [2]]), 1.0, reduce="multiply")
x.scatter_(1, torch.tensor([[0], [2]]), 1.0, reduce="add")
x.put_(torch.tensor([0, 5]), torch.tensor([9.0, 8.0]))
x.put_(torch.tensor([0, 0]), torch.tensor([9.0, 8.0]), accumulate=True)
x.index_put_((torch.tensor([0]), torch.tensor([1])), torch.tensor(5.0))
x.index_put_((torch.tensor([0, 0]), torch.tensor([1, 1])), torch.tensor(5.0), accumulate=True)
x.index_fill_(1, torch.tensor([0]), 3)
x.index_add_(0, torch.tensor([1]), torch.ones(1, 3), alpha=2)
x.index_copy_(0, torch.tensor([1]), torch.ones(1, 3))
x.masked_fill_(x > 0, 0)
x.masked_scatter_(x > 0, torch.arange(6.0))
x.fill_diagonal_(5)
torch.zeros(5, 2).fill_diagonal_(1, wrap=True)
x.tril_()
x.triu_(1)
x.zero_()
x.fill_(2)
x.fill_(torch.tensor(2))
x.copy_(y)
x.copy_(i)
x.lerp_(y, 0.5)
x.addcmul_(x, y, value=2)
x.addcdiv_(x, y, value=2)
torch.zeros(3).exponential_().shape
torch.zeros(3).geometric_(0.5).ge(1).all()
torch.zeros(3).log_normal_().gt(0).all()
torch.zeros(3).cauchy_().shape
torch.zeros(3).uniform_(2, 3).ge(2).all()
torch.zeros(3).normal_(0, 1, generator=torch.Generator()).shape
torch.zeros(3).random_(5).lt(5).all()
torch.zeros(3).random_(2, 5).ge(2).all()
torch.zeros(3).bernoulli_(1.0)
v.share_memory_() is v
v.requires_grad_(True).requires_grad
torch.exp_(v)
torch.sigmoid_(v)
torch.tanh_(v)
torch.relu_(x)
torch.clamp_(x, 0, 1)
torch.zero_(x)
torch.fill_(x, 2.0)
torch.neg_(x)
torch.sqrt_(v)
torch.add(v, 1, out=v)
torch.mul(v, 2, out=torch.empty(0))
o = torch.empty(3); torch.sin(v, out=o); o
o = torch.empty(2, 2); torch.matmul(x, y.t(), out=o) is o
o = torch.empty(3, dtype=torch.float64); torch.add(v, 1, out=o)
torch.cat((v, v), out=torch.empty(6))
torch.max(x, 1, out=(torch.empty(2), torch.empty(2, dtype=torch.int64)))
torch.sort(v, out=(torch.empty(3), torch.empty(3, dtype=torch.int64))).indices
torch.stack((v, v), out=torch.empty(2, 3))
torch.eq(v, v, out=torch.empty(3, dtype=torch.bool))
v.scatter_reduce_(0, k, v * 2, "sum")
v.scatter_reduce_(0, torch.tensor([0, 0, 1]), v * 2, reduce="amax", include_self=False)
v.index_reduce_(0, torch.tensor([0, 0, 1]), v * 2, "prod")
torch.sum(x, dim=0, out=torch.empty(3))
t[:, torch.tensor([0, 1]), 1] = 0; t
"""
LINES["linear algebra"] = """
x @ v
v @ v
v @ x.t()
torch.matmul(t, t.transpose(1, 2))
torch.matmul(t, torch.ones(4))
torch.matmul(torch.ones(5, 1, 2, 3), torch.ones(2, 3, 4)).shape
torch.matmul(v, t)
x.mm(y.t())
torch.mm(x, y.t())
torch.bmm(t, t.transpose(1, 2))
torch.mv(x, v)
torch.dot(v, v)
torch.outer(v, v)
torch.ger(v, v)
i @ i.t()
torch.addmm(torch.ones(2, 2), x, y.t())
torch.einsum("ij,kj->ik", x, y)
torch.einsum("ij->ji", x)
torch.einsum("ij->", x)
torch.einsum("ii->i", torch.eye(3))
torch.einsum("bij,bkj->bik", t, t)
torch.einsum("i,j->ij", v, v)
torch.einsum("ij,j", x, v)
torch.einsum("bij,jk->bik", t, torch.ones(4, 2))
torch.einsum("...ij,...kj->...ik", t, t)
torch.tensordot(x, y, dims=([1], [1]))
torch.kron(torch.eye(2), torch.ones(2, 2))
torch.cdist(x, y)
torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
torch.linalg.det(torch.tensor([[2.0, 1.0], [1.0, 4.0]]))
torch.linalg.solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 4.0]))
torch.linalg.svd(x)[1]
torch.linalg.eigh(torch.tensor([[2.0, 1.0], [1.0, 2.0]]))[0]
torch.linalg.matrix_rank(x)
torch.linalg.matrix_power(torch.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
torch.inverse(torch.eye(2))
torch.det(torch.eye(2))
torch.linalg.inv(w @ w.t() + torch.eye(2))
grads(torch.linalg.inv(w) * torch.arange(4.0).reshape(2, 2), w)
grads(torch.inverse(w), w)
w.inverse()
w.det()
grads(torch.det(w), w)
grads(torch.linalg.det(torch.stack([w, w * 2])) * torch.tensor([1.0, 2.0]), w)
grads(torch.logdet(w.t() @ w), w)
torch.logdet(w)
grads(torch.linalg.slogdet(w)[1], w)
torch.slogdet(w).logabsdet
grads(torch.linalg.pinv(leaf(x)) * x.t())
q = leaf(x); grads(torch.linalg.pinv(q) * x.t(), q)
q = leaf(x.t()); grads(torch.linalg.pinv(q) * x, q)
torch.pinverse(x)
x.pinverse()
torch.linalg.pinv(x, hermitian=False)
torch.linalg.pinv(w.detach(), rcond=0.3)
q = leaf(v[:2]); grads(torch.linalg.solve(w, q), w, q)
q = leaf(torch.ones(2, 3)); grads(torch.linalg.solve(w, q) * x, w, q)
torch.linalg.solve(w, x, left=True)
torch.linalg.solve(w.detach(), x.t(), left=False)
torch.linalg.solve(torch.stack([torch.eye(2), 2 * torch.eye(2)]), torch.ones(2, 2, 1))
torch.linalg.solve(torch.stack([torch.eye(2), 2 * torch.eye(2)]), torch.ones(2, 2))
grads(torch.linalg.cholesky(w.t() @ w + torch.eye(2)) * w.detach(), w)
torch.cholesky(torch.eye(2) * 9, upper=True)
torch.linalg.cholesky(torch.eye(2) * 9, upper=True)
torch.linalg.cholesky_ex(torch.eye(2) * 9)
torch.linalg.inv_ex(torch.eye(2) * 4)
torch.cholesky_solve(torch.ones(2, 1), torch.linalg.cholesky(torch.eye(2) * 9))
torch.cholesky_inverse(torch.linalg.cholesky(torch.tensor([[4.0, 1.0], [1.0, 3.0]])))
q = leaf(torch.tensor([[2.0, 1.0], [1.0, 3.0]])); e, u = torch.linalg.eigh(q); grads(e * torch.tensor([1.0, 3.0]), q)
q = leaf(torch.tensor([[2.0, 1.0], [1.0, 3.0]])); e, u = torch.linalg.eigh(q); grads(u.abs() * torch.tensor([1.0, 3.0]), q)
q = leaf(torch.tensor([[2.0, 1.0], [1.0, 3.0]])); grads(torch.linalg.eigvalsh(q) ** 2, q)
torch.linalg.eigh(torch.tensor([[2.0, 1.0], [1.0, 3.0]])).eigenvalues
torch.linalg.eigvalsh(torch.tensor([[2.0, 9.0], [1.0, 3.0]]), UPLO="U")
q = leaf(x); grads(torch.linalg.svdvals(q) ** 2, q)
q = leaf(x); u, s, vh = torch.linalg.svd(q, full_matrices=False); grads((u * s) @ vh, q)
q = leaf(x); u, s, vh = torch.linalg.svd(q, full_matrices=False); grads(u.abs().sum() + (vh.abs() * x).sum(), q)
q = leaf(x.t()); u, s, vh = torch.linalg.svd(q, full_matrices=False); grads(u.abs().sum() + (vh.abs() * w.detach()).sum(), q)
torch.svd(x).V.abs()
torch.svd(x)[0].shape
torch.svd(x, some=False)[2].shape
torch.linalg.svd(x).Vh.shape
torch.linalg.svd(x, full_matrices=False).Vh.shape
q = leaf(x.t()); a, r = torch.linalg.qr(q); grads((a * x.t()).sum() + (r * w.detach()).sum(), q)
q = leaf(x); a, r = torch.linalg.qr(q); grads((a * w.detach()).sum() + (r * x).sum(), q)
torch.qr(x.t()).R.abs()
torch.linalg.qr(x.t(), mode="complete")[0].shape
torch.linalg.qr(x.t(), mode="r")[1].abs()
torch.linalg.qr(x, mode="complete").R
torch.linalg.lstsq(x.t(), torch.ones(3, 1)).solution
torch.linalg.lstsq(x.t(), torch.ones(3, 1)).residuals
torch.linalg.lstsq(x, torch.ones(2, 2)).solution
torch.matrix_exp(w)
grads(torch.matrix_exp(w / 3), w)
torch.linalg.matrix_exp(torch.zeros(2, 3, 3))
torch.matrix_power(w, 3)
torch.linalg.matrix_power(w, -2)
torch.linalg.matrix_power(w, 0)
torch.linalg.matrix_power(w.detach(), 1)
w.matrix_power(2)
grads(torch.linalg.matrix_power(w, 3), w)
torch.linalg.solve_triangular(w.detach().triu(), torch.ones(2, 1), upper=True)
torch.linalg.solve_triangular(w.detach(), torch.ones(2, 1), upper=False)
torch.linalg.solve_triangular(w.detach(), torch.ones(2, 1), upper=False, unitriangular=True)
torch.linalg.solve_triangular(w.detach(), torch.ones(1, 2), upper=True, left=False)
grads(torch.linalg.solve_triangular(w, torch.ones(2, 1), upper=True), w)
torch.triangular_solve(torch.ones(2, 1), w.detach()).solution
torch.linalg.lu(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
torch.linalg.lu(x)
torch.linalg.lu(x.t())
torch.linalg.lu_factor(torch.tensor([[1.0, 2.0], [3.0, 5.0]]))
torch.linalg.lu_solve(*torch.linalg.lu_factor(torch.tensor([[1.0, 2.0], [3.0, 5.0]])), torch.ones(2, 1))
torch.linalg.tensorinv(torch.eye(6).reshape(2, 3, 2, 3)).shape
torch.linalg.tensorsolve(torch.eye(6).reshape(2, 3, 2, 3) * 2, x)
torch.linalg.norm(x, "fro")
torch.linalg.norm(x, "nuc")
torch.linalg.norm(x, 2)
torch.linalg.norm(x, 1)
torch.linalg.norm(x, float("inf"))
torch.linalg.norm(x, -1)
torch.linalg.norm(v, 3)
torch.linalg.norm(v, float("-inf"))
torch.linalg.norm(t, dim=(1, 2))
torch.linalg.norm(t, "fro", dim=(0, 2), keepdim=True)
torch.linalg.norm(t, 1, dim=(1, 2))
torch.linalg.norm(x, dtype=torch.float64)
torch.linalg.matrix_norm(t)
torch.linalg.matrix_norm(t, "nuc")
torch.linalg.matrix_norm(t, 2, keepdim=True)
torch.linalg.matrix_norm(t, -2)
torch.linalg.matrix_norm(t, 1, dim=(0, 1))
torch.linalg.matrix_norm(t, float("-inf"), keepdim=True)
torch.linalg.vector_norm(x, 3)
torch.linalg.vector_norm(x, float("inf"), dim=0)
torch.linalg.vector_norm(x, 0)
torch.linalg.vector_norm(x, 2, dim=(0, 1), keepdim=True)
torch.linalg.vector_norm(i.float(), ord=1, dim=1, dtype=torch.float64)
q = leaf(x); grads(torch.linalg.matrix_norm(q, "nuc"), q)
q = leaf(x); grads(torch.linalg.matrix_norm(q, 2), q)
torch.linalg.cond(w.detach(), 1)
torch.linalg.cond(w.detach(), "fro")
torch.linalg.cond(x)
torch.linalg.matrix_rank(torch.ones(3, 3))
torch.linalg.matrix_rank(torch.eye(3), atol=0.5)
torch.linalg.matrix_rank(torch.diag(torch.tensor([1.0, 0.1])), rtol=0.5)
torch.linalg.matrix_rank(t)
torch.linalg.cross(torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 1, 0]))
torch.linalg.cross(x, y)
torch.linalg.vecdot(x, y)
torch.linalg.vecdot(x, y, dim=0)
torch.linalg.diagonal(t)
torch.linalg.diagonal(w, offset=1)
torch.linalg.vander(v)
torch.linalg.vander(v, N=2)
torch.linalg.matmul(x, y.t())
torch.linalg.multi_dot([v[:2], x, v])
torch.linalg.eigvalsh(torch.eye(2).expand(3, 2, 2))
torch.vdot(v, v)
torch.inner(x, y)
torch.inner(v, v)
torch.inner(v, torch.tensor(2.0))
x.inner(y)
torch.addr(torch.ones(3, 2), v, v[:2])
torch.addr(torch.ones(3, 2), v, v[:2], beta=2, alpha=0.5)
torch.addbmm(torch.ones(3, 3), t.transpose(1, 2)[:, :3], t[:, :, :3].contiguous())
torch.baddbmm(torch.ones(2, 3, 3), t, t.transpose(1, 2), beta=0.5)
torch.addmm(torch.full((2, 2), float("nan")), x, y.t(), beta=0)
torch.addmv(v[:2], x, v, beta=3, alpha=2)
x.t().addmm(y.t(), torch.eye(2))
x.mv(v)
torch.outer(v, k)
torch.kron(v, v)
torch.kron(x, v)
torch.kron(i, i)
torch.tensordot(t, t, dims=3)
torch.tensordot(t, x, dims=([1], [1]))
torch.einsum("bij,bik->bjk", t, t)
torch.einsum("...ij->...ji", t)
torch.einsum("ii", w.detach())
torch.einsum("i,i", v, v)
torch.einsum("ij,ij->", x, y)
torch.trace(i[:, :2])
torch.cdist(x, y, p=1)
torch.cdist(x, y, p=float("inf"))
torch.cdist(t, t, p=2.0)
torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
torch.pdist(y)
torch.pdist(torch.cat([x, y]), p=1)
q = leaf(x); grads(torch.cdist(q, y), q)
torch.renorm(x, 2, 0, 1.0)
x.renorm(p=1, dim=1, maxnorm=2.0)
torch.linalg.LinAlgError.__mro__[1].__name__
torch.cross(x, y)
torch.cross(x, y, dim=1)
torch.cross(torch.ones(3, 2), torch.arange(6.0).reshape(3, 2), dim=0)
torch.det(torch.zeros(0, 0))
torch.matmul(v, v)
torch.matmul(x, v)
torch.matmul(v[:2], x)
torch.bmm(t, t.mT)
w.mT
w.mH
w.H
w.adjoint()
repr(torch.linalg.slogdet(torch.eye(2)))
"""
LINES["autograd"] = """
w.sum().backward(); w.grad
(w * w).sum().backward(); w.grad
(w ** 3).mean().backward(); w.grad
w.exp().sum().backward(); w.grad
w.log().sum().backward(); w.grad
(w @ w).sum().backward(); w.grad
w.max().backward(); w.grad
w.max(1)[0].sum().backward(); w.grad
w.amax(1).sum().backward(); w.grad
w.std().backward(); w.grad
w.norm().backward(); w.grad
w.prod().backward(); w.grad
w.softmax(1)[0, 0].backward(); w.grad
w.logsumexp(1).sum().backward(); w.grad
w[0].sum().backward(); w.grad
w[:, 1].sum().backward(); w.grad
w[[0, 0]].sum().backward(); w.grad
w[w > 2].sum().backward(); w.grad
w.t().reshape(-1)[1].backward(); w.grad
w.view(-1)[2:].sum().backward(); w.grad
torch.cat([w, w]).sum().backward(); w.grad
torch.stack([w, 2 * w]).sum().backward(); w.grad
w.expand(3, 2, 2).sum().backward(); w.grad
w.repeat(2, 1).sum().backward(); w.grad
w.clamp(2, 3).sum().backward(); w.grad
torch.where(w > 2, w, w * w).sum().backward(); w.grad
w.cumsum(0).sum().backward(); w.grad
w.sort(descending=True)[0][:, 0].sum().backward(); w.grad
w.topk(1)[0].sum().backward(); w.grad
w.gather(1, torch.tensor([[0], [1]])).sum().backward(); w.grad
w.flip(0)[0].sum().backward(); w.grad
torch.maximum(w, torch.tensor(2.0)).sum().backward(); w.grad
torch.einsum("ij,ij->", w, w).backward(); w.grad
(w / w.detach().sum()).sum().backward(); w.grad
w.sin().sum().backward(); w.grad
w.tril().sum().backward(); w.grad
w.abs().sqrt().sum().backward(); w.grad
w.double().sum().backward(); w.grad
w.backward(torch.ones(2, 2)); w.grad
(w * 2).backward(gradient=torch.ones_like(w)); w.grad
(2 * w).sum().backward(); (3 * w).sum().backward(); w.grad
z = (w * w).sum(); z.backward(retain_graph=True); z.backward(); w.grad
w.sum().backward(); w.grad.zero_(); w.grad
w.sum().backward(); w.grad = None; w.grad is None
torch.autograd.grad((w ** 2).sum(), w)
torch.autograd.grad((w ** 2).sum(), [w])[0]
z = w * 2; torch.autograd.grad((z * z).sum(), [z, w])
torch.autograd.grad(w * 2, w, grad_outputs=torch.ones(2, 2))
torch.autograd.grad(w.sum(), [w, leaf(v)], allow_unused=True)[1]
z = w * 2; z.retain_grad(); (z * z).sum().backward(); z.grad
z = w * 2; h = z.register_hook(lambda g: g * 10); z.sum().backward(); w.grad
h = w.register_hook(lambda g: g * 10); w.sum().backward(); w.grad
h = w.register_hook(lambda g: g * 10); h.remove(); w.sum().backward(); w.grad
(w * 2).detach().requires_grad
with torch.no_grad(): z = w * 2
z = None
(w * 2).grad_fn is not None
w.grad_fn is None
(w * 2).grad_fn.name()
(w + 1).grad_fn.name()
w.mean().grad_fn.name()
w.relu().grad_fn.name()
torch.is_grad_enabled()
u = leaf(v); (u * u).sum().backward(); u.grad
u = leaf(v); z = u * 2; z[0] = 0; z.sum().backward(); u.grad
u = leaf(v); z = u.clone(); z[1:] *= 2; z.sum().backward(); u.grad
u = leaf(v); z = u * 1; z += u; z.sum().backward(); u.grad
u = leaf(v); z = u * 1; z.mul_(3); z.sum().backward(); u.grad
u = leaf(v); z = torch.zeros(3); z[k] = u; (z * torch.arange(3)).sum().backward(); u.grad
u = leaf(v); (u[1] * u[2]).backward(); u.grad
u = leaf(v); (u.sum() / u.numel()).backward(); u.grad
u = leaf(x); u.mean(0).pow(2).sum().backward(); u.grad
u = leaf(x); (u - u.mean(1, keepdim=True)).pow(2).sum().backward(); u.grad
u = leaf(x); u.var(1).sum().backward(); u.grad
u = leaf(t); u.permute(2, 0, 1)[0].sum().backward(); u.grad
u = leaf(x); F.pad(u, (1, 1)).sum().backward(); u.grad
u = leaf(x); u.masked_fill(x > 0, 0).sum().backward(); u.grad
u = leaf(x); u.scatter_add(1, lab.unsqueeze(1), torch.ones(2, 1)).pow(2).sum().backward(); u.grad
u = leaf(x); torch.lerp(u, y, 0.3).sum().backward(); u.grad
u = leaf(v); torch.outer(u, u).sum().backward(); u.grad
u = leaf(v); (u ** u).sum().backward(); u.grad
u = leaf(v); torch.atan2(u, torch.ones(3)).sum().backward(); u.grad
u = leaf(v); u.erf().sum().backward(); u.grad
u = leaf(v); u.log2().sum().backward(); u.grad
u = leaf(v); u.rsqrt().sum().backward(); u.grad
u = leaf(x); torch.cdist(u, y).sum().backward(); u.grad
u = leaf(v); torch.diff(u).pow(2).sum().backward(); u.grad
u = leaf(v); u.cumprod(0).sum().backward(); u.grad
u = leaf(v); torch.diag(u).pow(2).sum().backward(); u.grad
x.requires_grad_().requires_grad
x.requires_grad = True; x.requires_grad
w.requires_grad_(False).requires_grad
torch.ones(2, requires_grad=True).detach_().requires_grad
w.sum().backward(); w.data -= 0.1 * w.grad; w
w.sum().backward(); w.data.add_(w.grad, alpha=-0.1); w
torch.autograd.gradcheck(lambda q: (q ** 2).sum(), leaf(d))
torch.autograd.functional.jacobian(lambda q: q ** 2, v)
torch.autograd.functional.jacobian(lambda q: (q ** 2).sum(), v)
torch.autograd.functional.jacobian(lambda a, c: a * c, (v, v + 1))
torch.autograd.functional.jacobian(lambda q: (q, q * 2), v[:2])
torch.autograd.functional.jacobian(lambda q: q @ x.t(), x)
torch.autograd.functional.jacobian(lambda q: q * 2, x, vectorize=True)
torch.autograd.functional.jacobian(lambda q: torch.ones(2), v)
torch.autograd.functional.vjp(lambda q: q ** 2, v, torch.ones(3))
torch.autograd.functional.vjp(lambda q: (q ** 2).sum(), v)
torch.autograd.functional.vjp(lambda a, c: a * c, (v, v), torch.ones(3))
torch.autograd.functional.jvp(lambda q: q ** 2, v, torch.ones(3))
torch.autograd.functional.jvp(lambda a, c: a @ c, (x, y.t()), (x, y.t()))
torch.func.grad(lambda q: (q ** 3).sum())(v)
torch.func.grad(lambda a, c: (a * c).sum(), argnums=1)(v, v + 1)
torch.func.grad(lambda a, c: (a * c).sum(), argnums=(0, 1))(v, v + 1)
torch.func.grad(lambda q: ((q ** 2).sum(), q.detach()), has_aux=True)(v)[0]
torch.func.grad_and_value(lambda q: (q ** 2).sum())(v)
torch.func.grad(lambda q: (q["a"] * q["b"]).sum())({"a": v, "b": v + 1})
torch.func.grad(torch.sin)(torch.tensor(1.0))
torch.func.jacrev(lambda q: q ** 2)(v)
torch.func.jacrev(lambda a, c: a * c, argnums=1)(v, v + 1)
torch.func.jacfwd(lambda q: q.sin())(v)
torch.func.vjp(lambda q: q ** 2, v)[1](torch.ones(3))
torch.func.vjp(lambda q: q ** 2, v)[0]
torch.func.vjp(lambda a, c: a * c, v, v + 1)[1](torch.ones(3))
torch.func.jvp(lambda q: q ** 2, (v,), (torch.ones(3),))
torch.vmap(lambda q: q.sum())(x)
torch.vmap(torch.dot)(x, y)
torch.vmap(torch.dot, in_dims=(0, None))(x, v)
torch.vmap(lambda q: q * 2, in_dims=1)(x)
torch.vmap(lambda q: q * 2, in_dims=1, out_dims=1)(x)
torch.vmap(lambda q: (q, q.sum()))(x)
torch.vmap(torch.vmap(lambda q: q + 1))(x)
torch.vmap(lambda a, c: a @ c)(t, t.mT)
torch.vmap(lambda q, n: q * n, in_dims=(0, None))(x, 2)
torch.vmap(lambda q: {"s": q.sum()})(x)["s"]
torch.func.vmap(torch.func.grad(lambda a, c: (a * c).sum()), in_dims=(None, 0))(v, x)
grads(torch.vmap(lambda q: q.sum() ** 2)(w), w)
m = fixed(nn.Linear(3, 2)); torch.func.functional_call(m, {"weight": x, "bias": torch.zeros(2)}, (y,))
m = fixed(nn.Linear(3, 2)); torch.func.functional_call(m, dict(m.named_parameters()), y)
m = fixed(nn.Linear(3, 2)); torch.func.functional_call(m, {"bias": torch.zeros(2)}, y); m(y)
m = fixed(nn.Sequential(nn.Linear(3, 2), nn.ReLU())); p_ = {n: q.detach() for n, q in m.named_parameters()}; torch.func.grad(lambda ps: torch.func.functional_call(m, ps, (x,)).sum())(p_)
m = fixed(nn.Linear(3, 1)); p_ = {n: q.detach() for n, q in m.named_parameters()}; torch.func.vmap(torch.func.grad(lambda ps, q: torch.func.functional_call(m, ps, (q,)).sum()), in_dims=(None, 0))(p_, x)
torch.func.stack_module_state([fixed(nn.Linear(2, 1)), fixed(nn.Linear(2, 1))])[0]
exec("class Two(torch.autograd.Function):\\n    @staticmethod\\n    def forward(ctx, a):\\n        ctx.save_for_backward(a)\\n        return a * 2, a ** 2\\n    @staticmethod\\n    def backward(ctx, d, e):\\n        return d * 2 + e * 2 * ctx.saved_tensors[0]"); r, s = Two.apply(w); grads(r.sum() + (s * s).sum(), w)
exec("class Two(torch.autograd.Function):\\n    @staticmethod\\n    def forward(ctx, a):\\n        ctx.save_for_backward(a)\\n        return a * 2, a ** 2\\n    @staticmethod\\n    def backward(ctx, d, e):\\n        return d * 2 + e * 2 * ctx.saved_tensors[0]"); r, s = Two.apply(w); grads(s, w)
exec("class Sq(torch.autograd.Function):\\n    @staticmethod\\n    def forward(a):\\n        return a ** 2\\n    @staticmethod\\n    def setup_context(ctx, inputs, output):\\n        ctx.save_for_backward(*inputs)\\n    @staticmethod\\n    def backward(ctx, d):\\n        return d * 2 * ctx.saved_tensors[0]"); grads(Sq.apply(w), w)
exec("class Mx(torch.autograd.Function):\\n    @staticmethod\\n    def forward(ctx, a):\\n        v, k = a.max(1)\\n        ctx.mark_non_differentiable(k)\\n        ctx.save_for_backward(a, k)\\n        return v, k\\n    @staticmethod\\n    def backward(ctx, d, dk):\\n        a, k = ctx.saved_tensors\\n        return torch.zeros_like(a).scatter(1, k[:, None], d[:, None])"); r, s = Mx.apply(w); (grads(r, w), s)
torch.autograd.grad(w.sum(), w)
torch.autograd.grad([w.sum(), (w ** 2).sum()], [w])
torch.autograd.grad((w * 2), w, torch.ones(2, 2))
torch.autograd.grad(w.sum(), [w, v.requires_grad_()], allow_unused=True)
torch.autograd.grad(w.sum(), [w, v.requires_grad_()], materialize_grads=True)
torch.autograd.backward([w.sum(), (w * 2).sum()]); w.grad
torch.autograd.backward(w * 2, torch.ones(2, 2)); w.grad
torch.autograd.backward(w.sum(), inputs=[w]); w.grad
w.sum().backward(inputs=[w]); w.grad
(w * 2).sum().backward(retain_graph=True); w.grad
torch.autograd.gradcheck(lambda q: q ** 2, torch.ones(2, dtype=torch.float64, requires_grad=True))
torch.autograd.gradcheck(torch.linalg.inv, (torch.eye(2, dtype=torch.float64).mul(2).requires_grad_(),))
torch.utils.checkpoint.checkpoint(lambda q: q * 2, w, use_reentrant=False)
torch.testing.assert_close(x, x + 1e-7)
torch.testing.assert_close([v, v], [v, v])
torch.testing.assert_close({"a": v}, {"a": v})
torch.testing.assert_close(1.0, 1.0 + 1e-9)
torch.testing.assert_close(v, v + 0.1, rtol=0.1, atol=0.1)
torch.testing.assert_close(torch.tensor([float("nan")]), torch.tensor([float("nan")]), equal_nan=True)
torch.fft.fftfreq(5)
torch.fft.fftfreq(4, d=0.5)
torch.fft.rfftfreq(5)
torch.fft.fftshift(torch.arange(5))
torch.fft.ifftshift(torch.arange(5))
torch.fft.fftshift(x, dim=1)
torch.fft.ifftshift(x)
"""
LINES["functional"] = """
F.relu(x)
F.relu6(x)
F.leaky_relu(x, 0.1)
F.elu(x)
F.selu(x)
F.celu(x)
F.gelu(x)
F.gelu(x, approximate="tanh")
F.silu(x)
F.mish(x)
F.softplus(x)
F.softplus(x, beta=2)
F.hardtanh(x)
F.hardsigmoid(x)
F.hardswish(x)
F.softsign(x)
F.tanhshrink(x)
F.softshrink(x)
F.hardshrink(x)
F.threshold(x, 0.5, 9.0)
F.logsigmoid(x)
F.glu(t)
F.prelu(x, torch.tensor([0.25]))
F.sigmoid(x)
F.tanh(x)
F.softmax(x, dim=1)
F.log_softmax(x, dim=1)
F.softmin(x, dim=1)
F.dropout(x, 0.5, training=False)
F.dropout(x, 0.0)
F.dropout(torch.ones(1000), 0.5).unique()
F.linear(x, torch.ones(4, 3))
F.linear(x, torch.ones(4, 3), torch.ones(4))
F.linear(t, torch.ones(2, 4), torch.ones(2))
F.linear(v, torch.ones(2, 3), torch.ones(2))
F.bilinear(x, y, torch.ones(2, 3, 3))
F.embedding(k, torch.eye(3))
F.one_hot(k)
F.one_hot(k, num_classes=4)
F.conv2d(img, ker)
F.conv2d(img, ker, torch.ones(4), stride=2, padding=1)
F.conv2d(img, ker, padding="same")
F.conv2d(img, ker, padding=(1, 0), dilation=2)
F.conv2d(img[0], ker).shape
F.conv2d(img, ker[:3, :1], groups=3)
F.conv1d(row, torch.ones(4, 3, 3))
F.conv1d(row, torch.ones(4, 3, 3), padding=1, stride=2)
F.conv_transpose2d(img, torch.ones(3, 4, 3, 3))
F.conv_transpose2d(img, ker.transpose(0, 1).contiguous()[:, :, :2, :2], stride=2)
F.conv_transpose2d(img, torch.ones(3, 2, 3, 3), torch.ones(2), 2, 1, 1)
F.conv_transpose1d(row, torch.ones(3, 2, 3), stride=2)
F.max_pool2d(img, 2)
F.max_pool2d(img, 3, stride=2, padding=1)
F.max_pool2d(img, (2, 3))
F.max_pool2d(img, 2, return_indices=True)
F.max_pool2d(img, 4, ceil_mode=True)
F.max_pool1d(row, 2)
F.avg_pool2d(img, 2)
F.avg_pool2d(img, 3, 2, 1)
F.avg_pool2d(img, 3, 2, 1, count_include_pad=False)
F.avg_pool2d(img, 2, divisor_override=1)
F.avg_pool1d(row, 2)
F.adaptive_avg_pool2d(img, 1)
F.adaptive_avg_pool2d(img, (2, 3))
F.adaptive_avg_pool2d(img, 4)
F.adaptive_max_pool2d(img, 2)
F.adaptive_avg_pool1d(row, 2)
F.adaptive_max_pool1d(row, 3)
F.unfold(img, 3)
F.unfold(img, 2, stride=2)
F.pad(x, (1, 2))
F.pad(x, (1, 0, 0, 1), value=5.0)
F.pad(x, (-1, 1))
F.pad(i, (1, 1))
F.pad(img, (1, 1, 1, 1), mode="reflect")
F.pad(img, (1, 2, 0, 1), mode="replicate")
F.pad(img, (1, 1, 1, 1), mode="circular")
F.interpolate(img, scale_factor=2)
F.interpolate(img, size=(4, 9))
F.interpolate(img, scale_factor=2, mode="bilinear")
F.interpolate(img, size=(3, 4), mode="bilinear", align_corners=True)
F.interpolate(row, scale_factor=2, mode="linear")
F.pixel_shuffle(torch.arange(16.0).reshape(1, 4, 2, 2), 2)
F.normalize(x)
F.normalize(x, dim=0)
F.normalize(x, p=1, dim=1)
F.cosine_similarity(x, y)
F.pairwise_distance(x, y)
F.layer_norm(x, (3,))
F.layer_norm(t, (3, 4))
F.layer_norm(x, (3,), v, v)
F.group_norm(img, 3)
F.instance_norm(img)
F.batch_norm(img, torch.zeros(3), torch.ones(3))
F.batch_norm(img, torch.zeros(3), torch.ones(3), training=True)
F.local_response_norm(img, 2)
F.scaled_dot_product_attention(t, t, t)
F.scaled_dot_product_attention(t, t, t, is_causal=True)
u = leaf(img); grads(F.conv2d(u, ker, padding=1) ** 2, u)
u = leaf(ker); grads(F.conv2d(img, u, stride=2) ** 2, u)
u = leaf(img); grads(F.conv_transpose2d(u, torch.ones(3, 4, 3, 3)) ** 2, u)
u = leaf(img); grads(F.max_pool2d(u, 2), u)
u = leaf(img); grads(F.avg_pool2d(u, 3, 2, 1) ** 2, u)
u = leaf(img); grads(F.adaptive_avg_pool2d(u, 4) ** 2, u)
u = leaf(img); grads(F.interpolate(u, scale_factor=2, mode="bilinear") ** 2, u)
u = leaf(img); grads(F.batch_norm(u, None, None, training=True) ** 3, u)
u = leaf(x); grads(F.layer_norm(u, (3,)) ** 3, u)
u = leaf(x); grads(F.elu(u), u)
u = leaf(x); grads(F.silu(u), u)
u = leaf(x); grads(F.mish(u), u)
u = leaf(x); grads(F.hardswish(u), u)
u = leaf(x); grads(F.relu6(u * 3), u)
u = leaf(x); grads(F.softplus(u), u)
u = leaf(x); grads(F.log_softmax(u, 1)[:, 0], u)
u = leaf(x); grads(F.normalize(u), u)
u = leaf(x); grads(F.gelu(u), u)
"""
LINES["losses"] = """
F.cross_entropy(x, lab)
F.cross_entropy(x, lab, reduction="sum")
F.cross_entropy(x, lab, reduction="none")
F.cross_entropy(x, p)
F.cross_entropy(x, lab, weight=v)
F.cross_entropy(x, lab, label_smoothing=0.1)
F.cross_entropy(x, lab, weight=v, label_smoothing=0.1)
F.cross_entropy(x, torch.tensor([2, -100]))
F.cross_entropy(x, torch.tensor([2, 0]), ignore_index=0)
F.cross_entropy(t, torch.tensor([[0, 1, 2, 0], [2, 1, 0, 1]]))
F.cross_entropy(img, torch.zeros(2, 6, 6, dtype=torch.long))
F.cross_entropy(v, torch.tensor(1))
F.nll_loss(F.log_softmax(x, 1), lab)
F.nll_loss(F.log_softmax(x, 1), lab, weight=v)
F.nll_loss(F.log_softmax(x, 1), lab, reduction="sum").item()
F.mse_loss(x, y)
F.mse_loss(x, y, reduction="sum")
F.mse_loss(x, y, reduction="none")
F.l1_loss(x, y)
F.smooth_l1_loss(x, y)
F.smooth_l1_loss(x, y, beta=0.5)
F.huber_loss(x, y, delta=0.7)
F.binary_cross_entropy(p, (p > 0.3).float())
F.binary_cross_entropy(p, (p > 0.3).float(), weight=v)
F.binary_cross_entropy_with_logits(x, (y > 0).float())
F.binary_cross_entropy_with_logits(x, (y > 0).float(), pos_weight=v)
F.binary_cross_entropy_with_logits(x, (y > 0).float(), reduction="none")
F.kl_div(p.log(), p.flip(1), reduction="batchmean")
F.kl_div(p.log(), p.flip(1), reduction="sum")
F.kl_div(p.log(), p.flip(1).log(), log_target=True, reduction="mean")
F.multi_margin_loss(x, lab)
F.hinge_embedding_loss(x, torch.sign(y))
F.margin_ranking_loss(v, v.flip(0), torch.ones(3))
F.soft_margin_loss(x, torch.sign(y))
F.cosine_embedding_loss(x, y, torch.tensor([1, -1]))
F.triplet_margin_loss(x, y, p)
F.poisson_nll_loss(x, y.abs())
F.gaussian_nll_loss(x, y, torch.ones(2, 3))
nn.CrossEntropyLoss()(x, lab)
nn.CrossEntropyLoss(label_smoothing=0.2)(x, lab)
nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]))(x, lab)
nn.NLLLoss()(F.log_softmax(x, 1), lab)
nn.MSELoss()(x, y)
nn.MSELoss(reduction="sum")(x, y)
nn.L1Loss()(x, y)
nn.BCELoss()(p, (p > 0.3).float())
nn.BCEWithLogitsLoss()(x, (y > 0).float())
nn.SmoothL1Loss()(x, y)
nn.HuberLoss()(x, y)
nn.KLDivLoss(reduction="batchmean")(p.log(), p.flip(1))
nn.MultiMarginLoss()(x, lab)
nn.CosineEmbeddingLoss()(x, y, torch.tensor([1, -1]))
nn.TripletMarginLoss()(x, y, p)
repr(nn.CrossEntropyLoss())
repr(nn.MSELoss())
u = leaf(x); grads(F.cross_entropy(u, lab), u)
u = leaf(x); grads(F.cross_entropy(u, lab, weight=v, label_smoothing=0.1), u)
u = leaf(t); grads(F.cross_entropy(u, torch.tensor([[0, 1, 2, 0], [2, 1, 0, 1]])), u)
u = leaf(x); grads(F.mse_loss(u, y), u)
u = leaf(x); grads(F.smooth_l1_loss(u, y), u)
u = leaf(x); grads(F.binary_cross_entropy_with_logits(u, p), u)
u = leaf(x); grads(F.binary_cross_entropy_with_logits(u, p, pos_weight=v), u)
u = leaf(x); grads(F.multi_margin_loss(u, lab), u)
u = leaf(x); grads(F.kl_div(F.log_softmax(u, 1), p, reduction="batchmean"), u)
"""
LINES["layers"] = """
fixed(nn.Linear(3, 4))(x)
fixed(nn.Linear(3, 4, bias=False))(x)
nn.Linear(3, 4).weight.shape
nn.Linear(3, 4).bias.shape
nn.Linear(3, 4, bias=False).bias is None
fixed(nn.Conv2d(3, 4, 3))(img)
fixed(nn.Conv2d(3, 6, 3, stride=2, padding=1, groups=3))(img)
fixed(nn.Conv2d(3, 4, (3, 1), padding=(1, 0), bias=False))(img)
fixed(nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"))(img)
fixed(nn.Conv1d(3, 4, 3))(row)
fixed(nn.ConvTranspose2d(3, 4, 2, stride=2))(img)
fixed(nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1))(img)
fixed(nn.BatchNorm2d(3))(img)
fixed(nn.BatchNorm2d(3)).eval()(img)
m = nn.BatchNorm2d(3); m(img); m.running_mean
m = nn.BatchNorm2d(3); m(img); m.running_var
m = nn.BatchNorm2d(3); m(img); m(img); m.num_batches_tracked
m = nn.BatchNorm1d(3, momentum=None); m(x); m(y); m.running_mean
fixed(nn.BatchNorm1d(3))(x)
nn.BatchNorm1d(3, affine=False)(row)
fixed(nn.LayerNorm(3))(x)
fixed(nn.LayerNorm([3, 4]))(t)
fixed(nn.GroupNorm(3, 3))(img)
nn.InstanceNorm2d(3)(img)
fixed(nn.InstanceNorm2d(3, affine=True))(img)
nn.MaxPool2d(2)(img)
nn.MaxPool2d(3, 2, 1)(img)
nn.MaxPool1d(2)(row)
nn.AvgPool2d(2)(img)
nn.AvgPool1d(2)(row)
nn.AdaptiveAvgPool2d(1)(img)
nn.AdaptiveAvgPool2d((2, 2))(img)
nn.AdaptiveMaxPool2d(2)(img)
nn.ReLU()(x)
nn.ReLU(inplace=True)(x)
nn.LeakyReLU(0.2)(x)
nn.ELU()(x)
nn.SELU()(x)
nn.GELU()(x)
nn.SiLU()(x)
nn.Mish()(x)
nn.Sigmoid()(x)
nn.Tanh()(x)
nn.Softplus()(x)
nn.Hardtanh()(x)
nn.Hardswish()(x)
nn.ReLU6()(x)
nn.PReLU()(x)
nn.Softmax(dim=1)(x)
nn.LogSoftmax(dim=1)(x)
nn.Softmax(-1)(x)
nn.LogSigmoid()(x)
nn.GLU()(t)
nn.Threshold(0.1, 20)(x)
nn.Dropout(0.5).eval()(x)
nn.Dropout(0.0)(x)
nn.Dropout2d(0.5).eval()(img).shape
nn.Flatten()(img).shape
nn.Flatten(0)(x).shape
nn.Unflatten(1, (3, 1))(x).shape
nn.Identity()(x)
nn.Identity(54, unused=1)(x)
nn.Upsample(scale_factor=2)(img).shape
nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)(img)
nn.PixelShuffle(2)(torch.arange(16.0).reshape(1, 4, 2, 2))
nn.ZeroPad2d(1)(img).shape
nn.ReflectionPad2d(1)(img)
nn.ConstantPad2d(1, 3.0)(img)
fixed(nn.Embedding(5, 3))(k)
fixed(nn.Embedding(5, 3))(i[:, :2] % 5).shape
nn.Embedding(5, 3, padding_idx=0).weight[0]
nn.Embedding.from_pretrained(torch.eye(3))(k)
fixed(nn.Bilinear(3, 3, 2))(x, y)
nn.CosineSimilarity()(x, y)
fixed(nn.RNN(4, 5))(t)
fixed(nn.RNN(4, 5, nonlinearity="relu"))(t)[1]
fixed(nn.LSTM(4, 5, batch_first=True))(t)
fixed(nn.LSTM(4, 3, num_layers=2))(t)[0]
fixed(nn.LSTM(4, 3, bidirectional=True))(t)[1]
fixed(nn.GRU(4, 5))(t)
fixed(nn.GRU(4, 3, num_layers=2, bidirectional=True, batch_first=True))(t)[0]
fixed(nn.LSTM(4, 3))(t[0])[0]
fixed(nn.LSTMCell(3, 4))(x)
fixed(nn.GRUCell(3, 4))(x)
fixed(nn.RNNCell(3, 4))(x)
fixed(nn.MultiheadAttention(4, 2, batch_first=True))(t, t, t)
fixed(nn.MultiheadAttention(4, 2))(t, t, t)[0]
fixed(nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True))(t)
fixed(nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, activation="gelu", norm_first=True))(t)
nn.Sequential(nn.Linear(3, 4), nn.ReLU())(x).shape
repr(nn.Linear(3, 4))
repr(nn.Linear(3, 4, bias=False))
repr(nn.Conv2d(3, 6, 5))
repr(nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False))
repr(nn.Conv2d(4, 4, 3, padding="same", groups=4, dilation=2))
repr(nn.Conv1d(3, 6, 5))
repr(nn.ConvTranspose2d(3, 6, 2, stride=2, output_padding=1))
repr(nn.MaxPool2d(2))
repr(nn.MaxPool2d((2, 2), stride=(1, 1)))
repr(nn.AvgPool2d(2))
repr(nn.AdaptiveAvgPool2d((1, 1)))
repr(nn.BatchNorm2d(16))
repr(nn.BatchNorm1d(16, affine=False))
repr(nn.LayerNorm(10))
repr(nn.GroupNorm(2, 4))
repr(nn.InstanceNorm2d(4))
repr(nn.Dropout(0.25))
repr(nn.ReLU())
repr(nn.ReLU(inplace=True))
repr(nn.LeakyReLU(0.2))
repr(nn.ELU())
repr(nn.GELU())
repr(nn.SiLU())
repr(nn.Softmax(dim=1))
repr(nn.LogSoftmax(dim=1))
repr(nn.Flatten())
repr(nn.Unflatten(1, (3, 1)))
repr(nn.Embedding(10, 3))
repr(nn.Embedding(10, 3, padding_idx=0))
repr(nn.LSTM(10, 20, 2, batch_first=True))
repr(nn.GRU(10, 20))
repr(nn.Upsample(scale_factor=2))
repr(nn.Identity())
repr(nn.PReLU())
repr(nn.Hardtanh())
repr(nn.Softplus())
repr(nn.ZeroPad2d(1))
repr(nn.Sequential(nn.Linear(3, 4), nn.ReLU()))
repr(nn.Sequential())
repr(nn.ModuleDict({"a": nn.Linear(1, 2)}))
repr(nn.Sequential(nn.Sequential(nn.Linear(1, 2)), nn.Tanh()))
"""
LINES["modules"] = """
list(nn.Sequential(nn.Linear(2, 3), nn.ReLU()).state_dict())
[n for n, _ in nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)).named_parameters()]
[type(c).__name__ for c in nn.Sequential(nn.Linear(2, 3), nn.ReLU()).children()]
[n for n, _ in nn.Sequential(nn.Linear(2, 3), nn.ReLU()).named_children()]
[type(c).__name__ for c in nn.Sequential(nn.Linear(2, 3), nn.ReLU()).modules()]
[n for n, _ in nn.Sequential(nn.Sequential(nn.Linear(2, 3))).named_modules()]
len(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
nn.Sequential(nn.Linear(2, 3), nn.ReLU())[0]
nn.Sequential(nn.Linear(2, 3), nn.ReLU())[-1]
nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Tanh())[:2]
[type(m).__name__ for m in nn.Sequential(nn.Linear(2, 3), nn.ReLU())]
s = nn.Sequential(nn.ReLU()); s.append(nn.Tanh()); len(s)
s = nn.Sequential(); s.add_module("fc", nn.Linear(2, 2)); s
from collections import OrderedDict; nn.Sequential(OrderedDict([("a", nn.Linear(2, 2)), ("b", nn.ReLU())]))
nn.Sequential(*list(nn.Sequential(nn.Linear(2, 3), nn.ReLU()).children())[:-1])
sum(q.numel() for q in nn.Linear(3, 4).parameters())
sum(q.numel() for q in nn.Linear(3, 4).parameters() if q.requires_grad)
nn.Linear(2, 3).training
nn.Linear(2, 3).eval().training
nn.Sequential(nn.Dropout()).eval()[0].training
nn.Linear(2, 3).train(False).training
type(nn.Linear(2, 3).weight).__name__
isinstance(nn.Linear(2, 3).weight, torch.Tensor)
isinstance(nn.Linear(2, 3).weight, nn.Parameter)
nn.Parameter(torch.ones(2)).requires_grad
nn.Parameter(torch.ones(2), requires_grad=False).requires_grad
nn.Parameter(x).data_ptr() == x.data_ptr()
m = nn.Linear(2, 3); m.weight.data.fill_(1); m.weight
m = nn.Linear(2, 3); m.weight.data = torch.ones(3, 2); m.weight.sum()
m = nn.Linear(2, 3); m.weight = nn.Parameter(torch.zeros(3, 2)); m.weight
m = fixed(nn.Linear(3, 2)); n = nn.Linear(3, 2); n.load_state_dict(m.state_dict()); n(x)
str(nn.Linear(2, 3).load_state_dict(nn.Linear(2, 3).state_dict()))
m = fixed(nn.Linear(3, 2)); m.state_dict()["weight"]
m = fixed(nn.Linear(3, 2)); m(x).sum().backward(); m.weight.grad
m = fixed(nn.Linear(3, 2)); m(x).sum().backward(); m.zero_grad(); m.weight.grad is None
m = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)]); len(m)
m = nn.ModuleList([nn.Linear(2, 2)]); m.append(nn.ReLU()); [n for n, _ in m.named_parameters()]
m = nn.ModuleDict({"a": nn.Linear(2, 2)}); list(m.keys())
m = nn.ModuleDict({"a": nn.ReLU()}); m["a"](x)
m = nn.ParameterList([nn.Parameter(torch.ones(2))]); len(list(m.parameters()))
m = nn.Linear(2, 2); m.apply(lambda q: nn.init.ones_(q.weight) if isinstance(q, nn.Linear) else None); m.weight
m = nn.Linear(2, 3); m.double().weight.dtype
m = nn.Linear(2, 3).to("cpu"); m.weight.device
next(nn.Linear(2, 3).parameters()).shape
m = nn.BatchNorm1d(3); [n for n, _ in m.named_buffers()]
list(nn.BatchNorm2d(3).state_dict())
m = fixed(nn.Linear(3, 2)); seen = []; h = m.register_forward_hook(lambda a, c, o: seen.append(o.shape)); m(x); h.remove(); m(x); len(seen)
m = nn.ReLU(); h = m.register_forward_hook(lambda a, c, o: o * 2); m(x)
m = nn.ReLU(); h = m.register_forward_pre_hook(lambda a, c: (c[0] + 1,)); m(x)
m = nn.Module(); m.register_buffer("q", torch.ones(2)); list(m.state_dict())
m = nn.Module(); m.register_buffer("q", torch.ones(2), persistent=False); list(m.state_dict())
m = nn.Module(); m.register_parameter("q", nn.Parameter(torch.ones(2))); [n for n, _ in m.named_parameters()]
m = nn.Module(); m.q = nn.Parameter(torch.ones(2)); m.q
m = nn.Module(); m.q = torch.ones(2); list(m.parameters())
m = nn.Linear(2, 3); m.requires_grad_(False); [q.requires_grad for q in m.parameters()]
m = nn.Linear(2, 3); m.weight.requires_grad = False; [q.requires_grad for q in m.parameters()]
nn.Sequential(nn.Linear(2, 2)).get_submodule("0")
import copy; m = fixed(nn.Linear(3, 2)); copy.deepcopy(m)(x)
import copy; m = nn.Linear(3, 2); copy.deepcopy(m).weight is m.weight
nn.utils.parameters_to_vector(fixed(nn.Linear(2, 2)).parameters())
m = fixed(nn.Linear(3, 2)); m(x).sum().backward(); nn.utils.clip_grad_norm_(m.parameters(), 1.0)
m = fixed(nn.Linear(3, 2)); m(x).sum().backward(); nn.utils.clip_grad_norm_(m.parameters(), 1.0); m.weight.grad
m = fixed(nn.Linear(3, 2)); m(x).sum().backward(); nn.utils.clip_grad_value_(m.parameters(), 0.5); m.weight.grad
hasattr(nn.Linear(2, 2), "weight")
nn.Linear(2, 2).in_features
nn.Conv2d(3, 4, 5).kernel_size
nn.MaxPool2d(2).kernel_size
nn.Conv2d(3, 4, 3).stride
nn.Dropout(0.3).p
nn.BatchNorm2d(4).eps
"""
LINES["optim"] = """
repr(optim.SGD([leaf(v)], lr=0.1))
o = optim.SGD([w], lr=0.1); (w * w).sum().backward(); o.step(); w
o = optim.SGD([w], lr=0.1, momentum=0.9); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.SGD([w], lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.Adam([w], lr=0.1); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.AdamW([w], lr=0.1, weight_decay=0.1); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.Adam([w], lr=0.1, amsgrad=True); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.RMSprop([w], lr=0.1, momentum=0.5); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.Adagrad([w], lr=0.1); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.Adadelta([w], lr=1.0); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.Adamax([w]); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.NAdam([w]); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; w
o = optim.RAdam([w]); [((w * w).sum().backward(), o.step(), o.zero_grad()) for _ in range(8)]; w
o = optim.SGD([w], lr=0.1, maximize=True); w.sum().backward(); o.step(); w
o = optim.SGD([w], lr=0.1); o.param_groups[0]["lr"]
o = optim.SGD([w], lr=0.1); o.param_groups[0]["lr"] = 0.5; w.sum().backward(); o.step(); w
o = optim.SGD([w], lr=0.1); sorted(o.param_groups[0])
o = optim.Adam([w]); o.param_groups[0]["betas"]
o = optim.SGD([{"params": [w], "lr": 0.5}, {"params": [leaf(v)]}], lr=0.1); [g["lr"] for g in o.param_groups]
o = optim.SGD([w], lr=0.1); o.add_param_group({"params": [leaf(v)], "lr": 1.0}); len(o.param_groups)
o = optim.SGD([w], lr=0.1); w.sum().backward(); o.zero_grad(); w.grad is None
o = optim.SGD([w], lr=0.1); w.sum().backward(); o.zero_grad(set_to_none=False); w.grad
o = optim.SGD([w], lr=0.1); w.sum().backward(); o.step(); w.grad
o = optim.Adam([w]); w.sum().backward(); o.step(); sorted(o.state[w])
o = optim.Adam([w]); w.sum().backward(); o.step(); o.state[w]["exp_avg"]
o = optim.Adam([w]); w.sum().backward(); o.step(); o.state_dict()["state"][0]["step"]
o = optim.SGD([w], lr=0.1, momentum=0.9); w.sum().backward(); o.step(); o.state[w]["momentum_buffer"]
o = optim.SGD([w], lr=0.1); o.state_dict()["param_groups"][0]["params"]
o = optim.SGD([w], lr=0.1); o.step(lambda: w.sum())
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.StepLR(o, 2, 0.1); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(6)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.MultiStepLR(o, [1, 3]); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(6)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.ExponentialLR(o, 0.5); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(6)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.CosineAnnealingLR(o, 4); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(10)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.LambdaLR(o, lambda e: 0.9 ** e); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(6)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.MultiplicativeLR(o, lambda e: 0.9); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(6)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.LinearLR(o, total_iters=3); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(6)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.ConstantLR(o, total_iters=3); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(6)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.PolynomialLR(o, total_iters=4, power=2.0); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(6)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(9)]; r
o = optim.SGD([w], lr=1.0, momentum=0.9); s = optim.lr_scheduler.OneCycleLR(o, 1.0, total_steps=10); r = []; [(r.append((s.get_last_lr()[0], o.param_groups[0]["momentum"])), o.step(), s.step()) for _ in range(9)]; r
o = optim.Adam([w], lr=1.0); s = optim.lr_scheduler.OneCycleLR(o, 1.0, total_steps=10, anneal_strategy="linear", three_phase=True); r = []; [(r.append((s.get_last_lr()[0], o.param_groups[0]["betas"][0])), o.step(), s.step()) for _ in range(9)]; r
o = optim.SGD([w], lr=1.0, momentum=0.9); s = optim.lr_scheduler.CyclicLR(o, 0.1, 1.0, step_size_up=3, mode="triangular2"); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(12)]; r
o = optim.SGD([w], lr=1.0); L = optim.lr_scheduler; s = L.SequentialLR(o, [L.LinearLR(o, 0.1, total_iters=2), L.ExponentialLR(o, 0.5)], [3]); r = []; [(r.append(s.get_last_lr()[0]), o.step(), s.step()) for _ in range(7)]; r
o = optim.SGD([w], lr=1.0); L = optim.lr_scheduler; s = L.ChainedScheduler([L.ConstantLR(o, 0.1, 2), L.ExponentialLR(o, 0.9)]); r = []; [(r.append(o.param_groups[0]["lr"]), o.step(), s.step()) for _ in range(6)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.ReduceLROnPlateau(o, patience=1); r = []; [(s.step(q), r.append(o.param_groups[0]["lr"])) for q in (3.0, 2.0, 2.5, 2.5, 2.5, 2.5)]; r
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.StepLR(o, 1); o.step(); s.step(); s.last_epoch
o = optim.SGD([w], lr=1.0); s = optim.lr_scheduler.StepLR(o, 1); o.param_groups[0]["initial_lr"]
"""
LINES["data"] = """
from torch_data import TensorDataset, DataLoader; len(TensorDataset(x, lab))
from torch_data import TensorDataset, DataLoader; TensorDataset(x, lab)[1]
from torch_data import TensorDataset, DataLoader; len(DataLoader(TensorDataset(i.view(-1)), batch_size=4))
from torch_data import TensorDataset, DataLoader; len(DataLoader(TensorDataset(i.view(-1)), batch_size=4, drop_last=True))
from torch_data import TensorDataset, DataLoader; list(DataLoader(TensorDataset(x, lab)))
from torch_data import TensorDataset, DataLoader; list(DataLoader(TensorDataset(i.view(-1)), batch_size=4))
from torch_data import TensorDataset, DataLoader; next(iter(DataLoader(TensorDataset(x, lab), batch_size=2)))
from torch_data import DataLoader; list(DataLoader([1, 2, 3], batch_size=2))
from torch_data import DataLoader; list(DataLoader([1.5, 2.5], batch_size=2))
from torch_data import DataLoader; list(DataLoader([{"a": 1, "b": "q"}, {"a": 2, "b": "r"}], batch_size=2))
from torch_data import DataLoader; list(DataLoader([(x, 1), (y, 2)], batch_size=2))
from torch_data import DataLoader; list(DataLoader([np.ones(2, np.float32)] * 2, batch_size=2))
from torch_data import DataLoader; list(DataLoader([1, 2, 3], batch_size=2, collate_fn=lambda q: sum(q)))
from torch_data import DataLoader; list(DataLoader([1, 2, 3], batch_size=None))
from torch_data import DataLoader; sorted(int(q) for q in DataLoader(range(5), shuffle=True))
from torch_data import Subset; [Subset([5, 6, 7], [2, 0])[q] for q in range(2)]
from torch_data import ConcatDataset; [ConcatDataset([[1, 2], [3]])[q] for q in range(3)]
from torch_data import random_split; [len(q) for q in random_split(range(10), [7, 3])]
from torch_data import random_split; [len(q) for q in random_split(range(10), [0.75, 0.25])]
from torch_data import random_split; sorted(q for part in random_split(range(6), [4, 2]) for q in part)
from torch_data import SequentialSampler, BatchSampler; list(BatchSampler(SequentialSampler(range(5)), 2, False))
from torch_data import SubsetRandomSampler; sorted(SubsetRandomSampler([3, 1]))
from torch_data import WeightedRandomSampler; list(WeightedRandomSampler([0.0, 1.0], 3))
from torch_data import RandomSampler; sorted(RandomSampler(range(4)))
from torch_data import DataLoader, Dataset; D = type("D", (Dataset,), {"__len__": lambda s: 3, "__getitem__": lambda s, q: (q, q * 2.0)}); list(DataLoader(D(), 2))
from torch_data import DataLoader, IterableDataset; D = type("D", (IterableDataset,), {"__iter__": lambda s: iter(range(3))}); list(DataLoader(D(), 2))
"""
LINES["mixed"] = """
torch.addmm(torch.zeros(2, 2), x, y.t())
torch.addcdiv(x, x, y, value=0.5)
torch.cross(v, torch.tensor([1., 0., 2.]), dim=0)
torch.kron(torch.eye(2), x)
torch.trace(w)
torch.diagonal(w)
torch.block_diag(x, w.detach())
torch.meshgrid(v, v, indexing="ij")
torch.cartesian_prod(v, torch.tensor([1., 2.]))
torch.bincount(k)
torch.histc(x, bins=4, min=-2, max=4)
torch.bucketize(x, torch.tensor([0., 1., 2.]))
torch.searchsorted(torch.tensor([0., 1., 2.]), v)
torch.unique(torch.tensor([3, 1, 1, 2]), return_counts=True)
torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1]))
torch.roll(x, 1, dims=1)
torch.flip(x, [0, 1])
torch.fliplr(x)
torch.tile(v, (2, 2))
torch.repeat_interleave(v, 2)
torch.take(x, torch.tensor([0, 4]))
torch.take_along_dim(x, x.argsort(1), 1)
torch.index_add(torch.zeros(3, 3), 0, torch.tensor([0, 2]), x)
torch.zeros(3, 3).index_copy_(0, torch.tensor([0, 2]), x)
torch.zeros(2, 3).index_fill_(1, torch.tensor([1]), 7.)
torch.zeros(2, 3).scatter_(1, torch.tensor([[0], [2]]), 1.)
torch.zeros(2, 3).scatter_add_(1, torch.tensor([[0, 0], [2, 2]]), x)
x.scatter(1, torch.tensor([[0], [1]]), 9.)
torch.masked_select(x, x > 0)
x.masked_scatter(x > 0, torch.zeros(6))
torch.nonzero(x > 1)
torch.nonzero(x > 1, as_tuple=True)
torch.where(x > 1)
torch.argwhere(x > 1)
torch.count_nonzero(x > 0)
torch.triu_indices(3, 3)
torch.tril(torch.ones(3, 3), -1)
torch.lerp(x, y, 0.25)
torch.fmod(x, 2.)
torch.remainder(x, 2.)
torch.floor_divide(x, 2.)
torch.trunc(x)
torch.round(x, decimals=1)
torch.nan_to_num(torch.tensor([float("nan"), float("inf")]))
torch.isclose(x, y)
torch.allclose(x, x)
torch.signbit(x)
torch.clip(x, 0)
torch.var_mean(x, dim=1)
torch.median(x)
torch.median(x, dim=1)
torch.mode(torch.tensor([1, 1, 2]))
torch.quantile(x, 0.25)
torch.nanmean(torch.tensor([1., float("nan")]))
torch.nansum(torch.tensor([1., float("nan")]))
torch.cummax(x, 1)
torch.cumprod(x, 1)
torch.diff(x)
F.normalize(x, dim=1)
F.one_hot(lab, 4)
F.unfold(img, 3).shape
F.pixel_unshuffle(img, 2).shape
F.channel_shuffle(img[:, :2], 2)
F.adaptive_avg_pool2d(img, (3, 2))
F.adaptive_max_pool2d(img, 2, return_indices=True)
F.max_pool2d(img, 3, 2, 1, return_indices=True)
F.max_unpool2d(*F.max_pool2d(img, 2, return_indices=True), 2)
F.lp_pool2d(img.abs(), 2, 2)
F.avg_pool2d(img, 3, 2, 1, True, False)
F.interpolate(img, scale_factor=2, mode="nearest").shape
F.interpolate(img, size=(4, 4), mode="bilinear", align_corners=False)
F.interpolate(img, size=(9, 9), mode="bilinear", align_corners=True)
F.interpolate(img, size=(4, 4), mode="area")
F.pad(x, (1, 2), value=3.)
F.conv_transpose2d(img, ker.transpose(0, 1)[:, :2].contiguous(), stride=2).shape
F.conv2d(img, ker, stride=2, padding="valid")
F.conv2d(img, ker, padding="same").shape
F.triplet_margin_loss(x, y, y + 1)
F.hinge_embedding_loss(x, torch.tensor([[1, -1, 1], [1, 1, -1]]))
F.soft_margin_loss(x, y.sign())
F.margin_ranking_loss(x, y, y.sign())
nn.MaxUnpool2d(2)
nn.Fold((4, 4), 2)
nn.Unfold(3)
nn.Identity()
nn.Softmax2d()
nn.Flatten(0)
nn.Threshold(0.1, 20)
nn.RReLU()
nn.LogSigmoid()
nn.ReflectionPad2d(1)(img).shape
nn.ReplicationPad2d((1, 0, 2, 0))(img).shape
nn.ConstantPad1d(1, 3.5)(row).shape
nn.UpsamplingBilinear2d(scale_factor=2)(img).shape
nn.Bilinear(3, 3, 2)
nn.PairwiseDistance()(x, y)
nn.LocalResponseNorm(2)(img)
nn.Hardshrink()(x)
nn.GRUCell(3, 2)
nn.LSTMCell(3, 2)
nn.RNNCell(3, 2)
fixed(nn.GRUCell(3, 2))(x)
nn.utils.get_total_norm([v, v])
nn.init.trunc_normal_(torch.empty(3, 3)).shape
nn.init.dirac_(torch.empty(3, 3, 3, 3)).sum()
torch.linalg.qr(w.detach())[1].abs()
torch.linalg.eigvalsh(w.detach() + w.detach().t())
torch.linalg.lstsq(w.detach(), torch.ones(2, 1)).solution
torch.linalg.matrix_rank(w.detach())
torch.linalg.cond(w.detach())
torch.chain_matmul(x, y.t(), x)
torch.can_cast(torch.float, torch.int)
torch.iinfo(torch.int8).max
torch.is_floating_point(x)
torch.broadcast_shapes((2, 1), (3,))
torch.broadcast_tensors(v, x)[0].shape
torch.atleast_2d(v).shape
torch.hstack([x, y])
torch.dstack([x, y]).shape
torch.hsplit(torch.ones(2, 4), 2)[0].shape
torch.unbind(x)
torch.swapaxes(t, 0, 1).shape
torch.movedim(t, 0, 2).shape
torch.squeeze(torch.ones(1, 2, 1), (0, 2)).shape
x.unflatten(1, (3, 1)).shape
x.unfold(1, 2, 1)
x.view_as(y).shape
x.type(torch.float64).dtype
x.new_full((2,), 3.)
x.ravel().shape
x.contiguous().data_ptr() == x.data_ptr()
x.fill_diagonal_(0.)
x.clamp_max_(1)
x.sub(y, alpha=2)
x.add(y, alpha=-1)
x.true_divide(2)
x.pow_(2)
x.square_()
x.rsqrt()
x.erf_()
x.softmax(-1)
x.log_softmax(1)
x.argmin()
x.kthvalue(2)
x.topk(2).indices
x.msort()
x.all()
x.any(1)
v.dot(v)
v.ger(v)
w.mv(torch.ones(2))
torch.multinomial(torch.tensor([0., 0., 1.]), 1)
torch.randperm(4).sort().values
torch.normal(torch.zeros(3), torch.zeros(3))
torch.randint_like(i, 5).shape
torch.initial_seed()
torch.Generator().manual_seed(3).initial_seed()
torch.set_printoptions(precision=2); str(torch.tensor(1.23456))
torch.compile(lambda q: q + 1)(v)
torch.backends.cudnn.deterministic
torch.backends.mps.is_available()
torch.__version__.split(".")[0].isdigit()
torch.get_num_threads() >= 1
torch.inference_mode().__class__.__name__
torch.nn.Module().training
torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1]), return_inverse=True, return_counts=True)
torch.unique_consecutive(torch.zeros(0))
torch.signbit(torch.tensor([-0.0, 0.0, -1.0, float("inf")]))
torch.signbit(torch.tensor([-1, 2]))
nn.MaxUnpool2d((2, 1), stride=(1, 2))
nn.utils.get_total_norm([v, x], norm_type=1.0)
torch.can_cast(torch.int, torch.float)
torch.can_cast(torch.bool, torch.int)
torch.can_cast(torch.int, torch.bool)
torch.can_cast(torch.float64, torch.float32)
torch.broadcast_shapes((1,), (3, 1, 1), (2, 2))
torch.hsplit(v, [1])
torch.vsplit(torch.ones(4, 2), [1, 3])
torch.vsplit(torch.arange(8).reshape(4, 2), 2)
torch.hsplit(torch.arange(8).reshape(4, 2), [0, 5])
torch.amp.GradScaler("cuda", enabled=False).get_scale()
torch.cuda.amp.GradScaler(enabled=False).is_enabled()
q = torch.cuda.amp.autocast(enabled=False)(lambda: x @ y.t())(); q
s = torch.amp.GradScaler("cuda", enabled=False); q = leaf(v); o = optim.SGD([q], lr=0.1); s.scale((q * q).sum()).backward(); s.unscale_(o); s.step(o); s.update(); q
torch.zeros(size=(2, 3))
torch.randn(size=(2,)).shape
torch.atleast_2d(v)
torch.addmv(torch.ones(2), x, v)
torch.argwhere(x > 0)
torch.celu(x)
torch.clone(x)
torch.column_stack([v, v])
torch.cov(x)
torch.corrcoef(x)
torch.cross(v, v.flip(0), dim=0)
torch.deg2rad(v)
torch.dist(x, y)
torch.dstack([v, v])
torch.exp2(v)
torch.flatten(x)
torch.floor(x)
torch.frac(x)
torch.gt(x, 0)
torch.heaviside(x, torch.tensor(0.5))
torch.hypot(x, y)
torch.logit(p)
torch.logaddexp(x, y)
torch.mode(torch.tensor([1, 2, 2]))
torch.msort(x)
torch.mul(x, y)
torch.nanmean(x)
torch.positive(x)
torch.rad2deg(v)
torch.real(x)
torch.relu(x)
torch.select(x, 0, 1)
torch.sigmoid(x)
torch.sinc(x)
torch.square(x)
torch.sub(x, y, alpha=2)
torch.swapaxes(x, 0, 1)
torch.t(x)
torch.tensor_split(v, 2)
torch.trapz(v)
torch.unflatten(t, 2, (2, 2))
torch.vander(v)
torch.xlogy(x.abs(), y.abs())
torch.zeros_like(b)
torch.empty(3).fill_(2)
torch.full((2, 2), 1.0, dtype=torch.float64)
torch.arange(0, 10, 3).tolist()
torch.block_diag(torch.eye(2), torch.ones(1, 1))
torch.combinations(v)
torch.masked_select(x, x > 1)
torch.clamp(x, -1, 1)
torch.mean(x, dim=(0, 1))
torch.max(x, dim=1).values
torch.isin(k, torch.tensor([1, 2]))
torch.std(x, dim=0, unbiased=True)
torch.ones(2, 3).sum(dim=1).shape
torch.squeeze(torch.ones(1, 3), 0)
torch.scatter(torch.zeros(2, 3), 1, lab.unsqueeze(1), 1.0)
torch.take(x, k)
torch.rand(2).ge(0).all()
torch.equal(x, y)
torch.is_nonzero(torch.tensor(1))
torch.conv2d(img, ker)
torch.nn.functional.relu(x)
torch.softmax(x, -1)
torch.dropout(x, 0.0, True)
torch.add(1, x)
torch.asarray([1, 2])
torch.baddbmm(torch.zeros(2, 3, 3), t, t.transpose(1, 2))
torch.chain_matmul(x, y.t())
torch.linalg.multi_dot([x, y.t(), x])
torch.linalg.pinv(x)
torch.linalg.qr(x.t())[1].abs()
torch.linalg.cholesky(torch.eye(2) * 4)
torch.linalg.eigvalsh(torch.eye(2))
torch.linalg.svdvals(x)
torch.linalg.slogdet(torch.eye(2))
torch.svd(x)[1]
x.nanmean()
x.expm1()
x.mul(2.0).add_(1.0)
x.ne(y).sum()
x.index_put((torch.tensor([0]), torch.tensor([1])), torch.tensor([9.0]))
x.index_put_((torch.tensor([0]), torch.tensor([1])), torch.tensor([9.0])); x
x.masked_scatter(x > 0, torch.arange(6.0))
x.put_(torch.tensor([0]), torch.tensor([5.0])); x
x.view(2, -1, 1).shape
x.storage_offset()
x[1].storage_offset()
x.is_shared()
x.T.contiguous().stride()
x.to(dtype=torch.float64, device="cpu").dtype
x.to(torch.device("cpu")).device
x.new_tensor([1.0])
x.new_empty((2, 2)).shape
x.logical_not()
x.not_equal(y)
x.isfinite().all()
x.cumsum(dim=-1)
x.max(dim=-1, keepdim=True).values
x.argmax(-1).tolist()
x.std().item()
x.unique()
x.view(torch.int32).shape
x.dim() == 2
x.tolist() == x.numpy().tolist()
x.abs_().sqrt_(); x
x.round(decimals=1)
x.sigmoid().round()
x.clip(0, 1)
x.addmm(torch.ones(2, 2), y)
x.minimum(y)
x.fmod(2)
x.sub(1).pow(2).mean().sqrt()
x.dist(y)
x.stride(0)
x.repeat(2, 1, 1).shape
x.split(2, dim=1)
x.tile((2, 1))
x.swapaxes(0, 1).shape
x.var(dim=0, keepdim=True)
x.amax(dim=(0, 1), keepdim=True)
x.reshape(-1)[x.argmax()]
x[x.argmax(0), torch.arange(3)]
x[torch.tensor([[0, 1], [1, 0]])]
x[:, torch.tensor([[0, 1], [1, 2]])].shape
x[..., None].shape
x[b[:2]]
x[0, b]
x[1:2, k]
x[(0, 1)]
x[slice(0, 1)]
x[np.array([1, 0])]
x[np.int64(1)]
x[True].shape
x[[True, False]]
x[x.sum(1) > 1]
x[torch.where(x > 2)]
x[None, None, 0].shape
t[..., -1, :].shape
t[0, [0, 2]][:, 1]
t[:, :, 1:3].shape
x[0][0] += 1; x
x[x > 0] += 1; x
x[0], x[1] = x[1].clone(), x[0].clone(); x
x[:, 0], x[:, 1] = 1, 2; x
del x; y
i[k[:2] - 1, lab] = -1; i
i.scatter_(1, lab.unsqueeze(1), 9); i
i.float().softmax(0)
i.max().item()
i.topk(2)
i.sort(descending=True)
i.cumprod(1)
i.prod(1)
i.bitwise_and(1)
i.to(torch.bool)
i == i.t().t()
(i > 2).long()
(i > 2).sum(dim=0)
(i % 2 == 0).nonzero().squeeze()
b.sum().item()
b.float().mean().item()
b.to(torch.uint8)
b * x[0]
x * b
b.int().sum()
~(x > 0)
torch.tensor(5) in torch.tensor([5, 6])
torch.tensor([1, 2]) @ torch.tensor([3, 4])
torch.tensor(3.7).int()
torch.tensor(3.7).round().long()
torch.tensor([3, 4]).float().norm()
torch.tensor([1, 2, 3], dtype=torch.float).mean()
torch.tensor([[1, 2], [3, 4]]).float().inverse()
torch.tensor([1, 2]).expand(3, 2)
torch.tensor(2) ** 3
torch.tensor([2, 3]) ** torch.tensor([2.0])
torch.tensor(1.0).item() == 1.0
torch.tensor([0.1, 0.2]).sum().item()
float(torch.tensor([2.5]))
int(torch.tensor(2.9))
torch.tensor([True, False]).any().item()
round(x.mean().item(), 4)
list(map(float, v))
[q.item() for q in v]
max(x.flatten().tolist())
sum(v)
sum(v).item()
np.mean(v.numpy()).item()
np.exp(v)
np.array([q.numpy() for q in x]).shape
torch.from_numpy(np.arange(4)).dtype
torch.from_numpy(np.arange(4.0)).float().dtype
torch.stack([torch.tensor(q) for q in (1.0, 2.0)])
torch.cat([v.unsqueeze(0), v.unsqueeze(0)], dim=0)
torch.stack(list(x)).shape
torch.tensor(list(v))
str(torch.tensor([1.0]).dtype)
x.dtype == torch.float32
x.dtype is torch.float
str(torch.device("cuda:1"))
torch.device("cpu") == torch.device("cpu")
torch.Size([2, 3]) + torch.Size([1])
torch.Size((2, 3)).numel()
x.type() == "torch.FloatTensor"
torch.set_printoptions(precision=2); s = repr(x); torch.set_printoptions(precision=4); s
torch.get_num_threads() > 0
torch.__version__ > "1.0"
torch.cuda.is_available()
torch.cuda.device_count()
torch.backends.cudnn.is_available()
torch.manual_seed(3).initial_seed()
torch.initial_seed() == 1
g = torch.Generator(); g.manual_seed(1); torch.rand(2, generator=g).shape
g = torch.Generator().manual_seed(1); a = torch.randn(3, generator=g); g.manual_seed(1); torch.equal(a, torch.randn(3, generator=g))
torch.autograd.Variable(x).shape
torch.no_grad().__class__.__name__
F.relu(x, inplace=True); x
F.max_pool2d(F.relu(img), kernel_size=2, stride=2).shape
F.cross_entropy(input=x, target=lab)
F.mse_loss(x, y.double()).dtype
F.mse_loss(input=x, target=y)
F.softmax(x)
F.conv2d(input=img, weight=ker, stride=(2, 2))
F.avg_pool2d(img, kernel_size=2)
F.adaptive_avg_pool2d(img, (None, 2)).shape
F.interpolate(img, scale_factor=0.5, mode="nearest")
F.interpolate(img, size=3, mode="area")
F.upsample(img, scale_factor=2).shape
F.fold(F.unfold(img, 2, stride=2), (6, 6), 2, stride=2)
F.multilabel_soft_margin_loss(x, (y > 0).float())
F.rms_norm(x, (3,))
F.gumbel_softmax(x, hard=True).sum(1)
F.lp_pool2d(img, 2, 2)
F.channel_shuffle(torch.arange(8.0).reshape(1, 4, 1, 2), 2)
nn.Fold((6, 6), 2, stride=2)(F.unfold(img, 2, stride=2)).shape
nn.Softmax2d()(img).shape
nn.UpsamplingNearest2d(scale_factor=2)(img).shape
nn.UpsamplingBilinear2d(scale_factor=2)(img)
nn.MultiLabelSoftMarginLoss()(x, (y > 0).float())
nn.utils.rnn.pad_sequence([v, v[:2]], batch_first=True)
nn.parameter.Parameter is nn.Parameter
nn.Sequential(nn.Linear(3, 2)).state_dict()["0.weight"].shape
nn.Linear(3, 2).weight.grad is None
nn.Linear(3, 2).weight.device
nn.Linear(3, 2)(x).grad_fn is not None
nn.Linear(3, 2)(x).requires_grad
nn.Linear(3, 2, dtype=torch.float64).weight.dtype
nn.Linear(in_features=3, out_features=2)
nn.Conv2d(in_channels=3, out_channels=4, kernel_size=3, padding=1)
nn.MaxPool2d(kernel_size=2, stride=2)
nn.BatchNorm2d(num_features=4)
nn.Dropout(p=0.2)
nn.Embedding(num_embeddings=4, embedding_dim=2)
nn.LSTM(input_size=3, hidden_size=4, num_layers=1, batch_first=True)
nn.GRU(input_size=3, hidden_size=4)
nn.RNN(3, 4, 2)
nn.MultiheadAttention(4, 2)
nn.TransformerEncoderLayer(d_model=4, nhead=2)
nn.CrossEntropyLoss(reduction="sum")(x, lab)
nn.CrossEntropyLoss(ignore_index=0)(x, lab)
nn.Sigmoid()(torch.tensor(0.0))
nn.Tanh()(x).shape
nn.ModuleList([nn.Linear(1, 1)])
nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
nn.ParameterList([nn.Parameter(torch.ones(2, 3))])
m = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)); del m[1]; len(m)
m = nn.Sequential(nn.Linear(3, 4)); m[0] = nn.Linear(3, 5); m[0].out_features
m = nn.Sequential(nn.Linear(3, 4)) + nn.Sequential(nn.ReLU()); len(m)
m = nn.Linear(3, 2); m.weight.data.normal_(0, 0.02).shape
m = nn.Linear(3, 2); m.bias.data.zero_(); m.bias
m = nn.Linear(3, 2); nn.init.constant_(m.bias, 0.5); m.bias
m = nn.Linear(3, 2); m.bias = None; m.bias is None
m = nn.Linear(3, 2); del m.bias; hasattr(m, "bias")
m = nn.Linear(3, 2); m.eval(); m.training
m = nn.Linear(3, 2); m.share_memory() is m
m = nn.Linear(3, 2); m.type(torch.float64).weight.dtype
m = nn.Linear(3, 2); m.half().weight.dtype
m = nn.Linear(3, 2); sum(1 for _ in m.buffers())
m = nn.Linear(3, 2); m.__class__.__name__
m = nn.Linear(3, 2); m._get_name()
m = nn.Linear(3, 2); list(m._parameters)
m = nn.Linear(3, 2); dict(m.named_parameters())["bias"].shape
m = nn.Linear(3, 2); {n: tuple(q.shape) for n, q in m.state_dict().items()}
m = nn.Linear(3, 2); r = m.load_state_dict({"weight": torch.ones(2, 3)}, strict=False); r.missing_keys
m = nn.Linear(3, 2); isinstance(m, nn.Module)
m = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()); m.train(); m(img).shape
m = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()); nn.BCELoss()(m(x).squeeze(), torch.tensor([0.0, 1.0])).requires_grad
m = fixed(nn.Linear(3, 2)); o = optim.SGD(m.parameters(), lr=0.1); l = m(x).sum(); l.backward(); o.step(); m.weight
m = fixed(nn.Linear(3, 2)); o = optim.Adam(m.parameters(), lr=0.1, weight_decay=0.1); m(x).pow(2).sum().backward(); o.step(); m.bias
o = optim.Adam([{"params": [w], "weight_decay": 0.1}, {"params": [leaf(v)]}], lr=1e-3); [g["weight_decay"] for g in o.param_groups]
o = optim.SGD([w], 0.1, 0.9); o.defaults["momentum"]
o = optim.SGD([w], lr=0.1); s = optim.lr_scheduler.CosineAnnealingLR(o, T_max=10, eta_min=0.01); s.get_last_lr()
o = optim.SGD([w], lr=0.1); s = optim.lr_scheduler.ReduceLROnPlateau(o, "min"); s.step(1.0); s.get_last_lr()
o = optim.SGD([w], lr=0.1); o.state_dict()["state"]
o = optim.Adam([w], lr=torch.tensor(0.1)); w.sum().backward(); o.step(); w
w.grad
w.sum().backward(); w.grad.sum()
w.sum().backward(); w.grad += 1; w.grad
w.sum().backward(); w.grad.data.zero_(); w.grad
w.sum().backward(); w.grad.clone()
w.mean().backward(); w.grad.norm().item()
(w.sum() * 2 + w.prod()).backward(); w.grad
with torch.enable_grad(): z = (w * 2).sum()
z = w.clone(); z.requires_grad
z = w.detach().clone().requires_grad_(True); z.is_leaf
z = w.view(-1); z.requires_grad
z = (w * 2).data; z.requires_grad
u = leaf(x); (u.t() @ u).sum().backward(); u.grad
u = leaf(x); u[0].max().backward(); u.grad
u = leaf(x); u.unfold(1, 2, 1).sum().backward(); u.grad
u = leaf(x); F.relu(u).sum().backward(); u.grad
u = leaf(x); (u > 0).float().sum().requires_grad
u = leaf(x); u.round().sum().backward(); u.grad
u = leaf(x); torch.sum(u, dim=0)[1].backward(); u.grad
u = leaf(x); u.chunk(3, 1)[1].sum().backward(); u.grad
u = leaf(x); torch.max(u, y).sum().backward(); u.grad
u = leaf(x); torch.min(u, dim=0)[0].sum().backward(); u.grad
u = leaf(x); u.pow(torch.tensor(2.0)).sum().backward(); u.grad
u = leaf(x); (2 ** u).sum().backward(); u.grad
u = leaf(x); u.norm(dim=1).sum().backward(); u.grad
u = leaf(x); u.index_select(1, k).sum().backward(); u.grad
u = leaf(x); u.tanh().mul(u).sum().backward(); u.grad
u = leaf(x); u.expand(4, 2, 3).mean().backward(); u.grad
u = leaf(x); u.median().backward(); u.grad
u = leaf(x); torch.logaddexp(u, y).sum().backward(); u.grad
u = leaf(x); F.dropout(u, 0.0).sum().backward(); u.grad
u = leaf(x); F.embedding(k, u.t()).sum().backward(); u.grad
x.add(other=1)
x.sum(axis=1)
x.mean(axis=0)
x.max(axis=1)[0]
x.argmax(axis=1)
torch.cat([x, y], axis=1)
torch.stack([x, y], axis=0).shape
torch.mean(input=x)
torch.unsqueeze(input=x, dim=0).shape
torch.matmul(input=x, other=y.t())
torch.where(condition=x > 0, input=x, other=y)
torch.randint(low=0, high=5, size=(3,)).shape
torch.eye(3, dtype=torch.long)
torch.ones(2, 3, device="cpu", dtype=torch.float32, requires_grad=True).requires_grad
torch.linspace(start=0, end=1, steps=3)
torch.arange(start=0, end=4, step=2)
torch.full(size=(2,), fill_value=3.0)
torch.clamp(input=x, min=0)
torch.topk(input=x, k=1, dim=1)
torch.sort(x, dim=1, descending=True)[1]
torch.distributions.Normal(0.0, 1.0).log_prob(v)
torch.distributions.Normal(v, v).log_prob(x)
torch.distributions.Normal(v, v).entropy()
torch.distributions.Normal(v, 2.0).mean
torch.distributions.Normal(v, 2.0).variance
torch.distributions.Normal(v, v).stddev
torch.distributions.Normal(v, v).sample().shape
torch.distributions.Normal(v, v).sample((4,)).shape
torch.distributions.Normal(v, v).rsample((2, 2)).requires_grad
torch.distributions.Normal(leaf(v), v).rsample().requires_grad
torch.distributions.Normal(leaf(v), v).sample().requires_grad
torch.distributions.Normal(0.0, 1.0).sample().shape
torch.distributions.Normal(0.0, 1.0).sample(torch.Size([2, 3])).shape
torch.distributions.Normal(v, v).cdf(torch.ones(3))
torch.distributions.Normal(v, v).icdf(torch.tensor([0.1, 0.5, 0.9]))
torch.distributions.Normal(v, v).batch_shape
torch.distributions.Normal(v, v).event_shape
q = leaf(v); grads(torch.distributions.Normal(q, q).log_prob(torch.ones(3)), q)
torch.distributions.Uniform(0.0, torch.tensor([1.0, 2.0])).log_prob(torch.tensor([0.5, 0.25]))
torch.distributions.Uniform(0.0, torch.tensor([1.0, 2.0])).entropy()
torch.distributions.Uniform(-1.0, 1.0).sample((3,)).abs().le(1).all()
torch.distributions.Uniform(torch.zeros(2), 4.0).mean
torch.distributions.Uniform(torch.zeros(2), 4.0).variance
torch.distributions.Exponential(v).log_prob(torch.ones(3))
torch.distributions.Exponential(v).entropy()
torch.distributions.Exponential(v).mean
torch.distributions.Exponential(torch.ones(2)).rsample((3,)).ge(0).all()
torch.distributions.Bernoulli(p).log_prob((p > 0.3).float())
torch.distributions.Bernoulli(logits=x).log_prob((x > 0).float())
torch.distributions.Bernoulli(probs=p).entropy()
torch.distributions.Bernoulli(logits=x).probs
torch.distributions.Bernoulli(p).logits
torch.distributions.Bernoulli(p).variance
torch.distributions.Bernoulli(torch.ones(2)).sample((3,))
torch.distributions.Categorical(p).log_prob(torch.tensor([0, 2]))
torch.distributions.Categorical(logits=x).log_prob(torch.tensor([0, 2]))
torch.distributions.Categorical(logits=x).logits
torch.distributions.Categorical(p * 2).probs
torch.distributions.Categorical(p).entropy()
torch.distributions.Categorical(logits=x).entropy()
torch.distributions.Categorical(torch.tensor([0.0, 1.0])).sample()
torch.distributions.Categorical(torch.tensor([0.0, 1.0])).sample((2, 2))
torch.distributions.Categorical(p).sample((5,)).shape
torch.distributions.Categorical(p).sample().dtype
torch.distributions.Categorical(torch.tensor([0.25, 0.75])).log_prob(torch.tensor([0, 1, 1]))
q = leaf(x); grads(torch.distributions.Categorical(logits=q).log_prob(torch.tensor([0, 2])), q)
torch.distributions.Independent(torch.distributions.Normal(x, x.exp()), 1).log_prob(y)
torch.distributions.Independent(torch.distributions.Normal(x, x.exp()), 1).event_shape
torch.distributions.Independent(torch.distributions.Normal(x, x.exp()), 1).batch_shape
torch.distributions.Independent(torch.distributions.Normal(x, x.exp()), 1).entropy()
torch.distributions.Independent(torch.distributions.Bernoulli(p), 1).sample((2,)).shape
torch.distributions.kl_divergence(torch.distributions.Normal(v, v), torch.distributions.Normal(0.0, 1.0))
torch.distributions.kl_divergence(torch.distributions.Bernoulli(p), torch.distributions.Bernoulli(1 - p))
torch.distributions.kl_divergence(torch.distributions.Categorical(p), torch.distributions.Categorical(logits=x))
torch.distributions.kl_divergence(torch.distributions.Exponential(v), torch.distributions.Exponential(v + 1))
torch.distributions.kl_divergence(torch.distributions.Uniform(v, v + 1), torch.distributions.Uniform(v - 1, v + 1))
torch.distributions.kl_divergence(torch.distributions.Independent(torch.distributions.Normal(x, y.exp()), 1), torch.distributions.Independent(torch.distributions.Normal(y, x.exp()), 1))
"""
LINES["idioms"] = """
x = x.requires_grad_(); y2 = x * 2; y2[y2 < 0] = 0; y2.sum().backward(); x.grad
a = torch.zeros(3); c = a; c += 1; a
a = torch.zeros(2, 3); a[0] += v; a
a = torch.zeros(2, 3); r = a[1]; r += 5; a
a = torch.arange(6.).view(2, 3); q = a.t(); q[0, 0] = 100; a
a = torch.ones(3); q = a.numpy(); a.add_(1); q
a = torch.ones(2, 2); q = a.expand(3, 2, 2); q.shape
a = torch.arange(4); a[1:3] = torch.tensor([9, 8]); a
a = torch.zeros(3, dtype=torch.long); a[1] = 2.7; a
a = torch.zeros(2, 2); a[:, 0] = torch.tensor([1, 2]); a
m = torch.ones(2, 3, dtype=torch.bool); m[0, 1] = False; m.sum()
z = x.clone(); z[z > 1] = float("nan"); torch.isnan(z).sum()
torch.cat([torch.zeros(0), v])
torch.stack([i, i]).dtype
(i == i).all().item() is True
x.sum() > 2
(x.sum() > 2).dtype
if_ = "yes" if x.sum() > 2 else "no"; if_
[int(q) for q in i[0]]
{"a": x.mean().item()}
x.mean() + 1
1 + x.mean()
x.mean() * torch.tensor(2)
torch.tensor(2) * x
torch.tensor(2, dtype=torch.float64) * x
i * torch.tensor(1.5)
i.sum() / 2
i.float() / i.sum()
i.sum(1) / 3
i // torch.tensor([1, 2, 3])
torch.tensor([1., 2.]).to(torch.int8)
torch.tensor(300).to(torch.uint8)
torch.tensor(-1).to(torch.uint8)
torch.tensor([1.9, -1.9]).long()
torch.arange(3, dtype=torch.float32) / 2
torch.arange(0.5, 2.5, 0.5)
torch.zeros(3).long()
x.argmax().item()
x.view(-1).argmax(0)
x.topk(2, dim=-1, largest=True, sorted=True)
x.max(dim=1, keepdim=True)[1].view(-1)
x.log_softmax(dim=1).exp().sum(dim=1)
(F.softmax(x, dim=1) * y).sum(dim=1)
F.one_hot(torch.tensor([[0, 1], [2, 0]]), 3).shape
F.one_hot(lab, 3).float() @ torch.ones(3, 1)
torch.eye(3)[lab]
torch.zeros(2, 3).scatter_(1, lab[:, None], 1)
x[torch.arange(len(x)), lab].log().sum() if x[0, 2] > 0 else x
-F.log_softmax(x, 1)[range(2), lab].mean()
-(F.one_hot(lab, 3) * F.log_softmax(x, 1)).sum(1).mean()
((x - x.mean(0)) / (x.std(0) + 1e-7))
(x - x.min()) / (x.max() - x.min())
x / x.norm(dim=1, keepdim=True)
x @ x.t() / (x.norm(dim=1)[:, None] * x.norm(dim=1)[None, :])
torch.sqrt(((x[:, None] - y[None]) ** 2).sum(-1))
torch.exp(-x ** 2 / 2)
img.mean((0, 2, 3)), img.std((0, 2, 3))
img.view(2, 3, -1).mean(2).sum(0)
img.permute(0, 2, 3, 1).numpy().shape
img[0].permute(1, 2, 0).numpy().shape
(img[0] * 0.5 + 0.5).clamp(0, 1).max()
img[:, :, ::2, ::2].shape
img.flip(3)[0, 0, 0]
img.roll((1, 1), (2, 3))[0, 0, 0]
img.reshape(2, -1).shape
img.unsqueeze(1).expand(-1, 2, -1, -1, -1).shape
F.pad(img, (2, 2, 2, 2))[:, :, 1:7, 1:7].shape
F.avg_pool2d(img, img.size()[2:]).view(2, -1)
F.max_pool2d(img, kernel_size=(2, 2)).sum()
F.conv2d(img.mean(1, keepdim=True), torch.tensor([[[[1., 0., -1.], [2., 0., -2.], [1., 0., -1.]]]]), padding=1).shape
nn.Conv2d(3, 8, 3).weight.view(8, -1).shape
nn.Conv2d(1, 6, 5)(torch.zeros(1, 1, 32, 32)).shape
nn.Sequential(nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten())(torch.zeros(1, 1, 28, 28)).shape
sum(q.numel() for q in nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 2)).parameters())
net = nn.Sequential(nn.Linear(3, 3)); net[0].weight.shape
net = nn.Linear(3, 2); [q.data.zero_() for q in net.parameters()]; net(x)
net = nn.Linear(3, 2); net.weight.detach().zero_(); net.weight.sum()
net = fixed(nn.Linear(3, 2)); out = net(x); out.retain_grad(); out.pow(2).sum().backward(); out.grad
net = fixed(nn.Linear(3, 2)); torch.autograd.grad(net(x).sum(), net.parameters())
net = fixed(nn.Linear(3, 2)); net.weight[0, 0].item()
net = fixed(nn.Linear(3, 2)); net.weight.mean().item(), net.bias.std().item()
net = fixed(nn.Linear(3, 2)); with_ = net.weight.clone(); with_ is net.weight
net = fixed(nn.Linear(3, 2)); (net.weight ** 2).sum().backward(); net.weight.grad
net = fixed(nn.Linear(3, 2)); sum((q ** 2).sum() for q in net.parameters())
net = fixed(nn.Linear(3, 2)); sum(q.abs().sum() for q in net.parameters())
net = fixed(nn.Linear(3, 2)); loss = F.mse_loss(net(x), torch.zeros(2, 2)) + 0.1 * sum(q.norm() for q in net.parameters()); loss
net = fixed(nn.Linear(3, 2)); o = optim.SGD(net.parameters(), lr=0.1); o.zero_grad(); net(x).mean().backward(); o.step(); net.bias
net = nn.BatchNorm1d(3); net.eval(); net(x)
net = nn.BatchNorm2d(3); net(img); net.eval(); net(img)
net = nn.BatchNorm1d(3); net(x).mean(0), net(x).var(0, unbiased=False)
net = nn.Dropout(0.5); net.train(); net(torch.ones(100)).max()
net = fixed(nn.GRU(4, 3, batch_first=True)); o, h = net(t); o[:, -1] == h[0]
net = fixed(nn.LSTM(4, 3)); o, (h, c) = net(t, (torch.zeros(1, 3, 3), torch.zeros(1, 3, 3))); h.shape
net = fixed(nn.Embedding(6, 2)); net(i).sum().backward(); net.weight.grad
net = fixed(nn.Embedding(6, 2, padding_idx=0)); net(i).sum().backward(); net.weight.grad
w.data
w.detach().numpy()
(w * 2).detach().numpy()
w.tolist()
w.item if w.numel() == 1 else w.sum().item()
w.requires_grad_().grad_fn
torch.tensor([w.sum(), 1.0])
w.sum().item() + 1
with torch.no_grad(): w[0, 0] = 5.0
z = [q for q in w]; z[0].requires_grad
w.var().backward(); w.grad
w.std(0).sum().backward(); w.grad
w.median().backward(); w.grad
(w.max() - w.min()).backward(); w.grad
w.sort()[0].sum().backward(); w.grad
w.unbind()[0].sum().backward(); w.grad
w.split(1)[1].sum().backward(); w.grad
w.triu().sum().backward(); w.grad
w.roll(1, 0)[0].sum().backward(); w.grad
w.reshape(4)[::2].sum().backward(); w.grad
(w[:, None] * w[None]).sum().backward(); w.grad
w.pow(0.5).sum().backward(); w.grad
w.pow(0).sum().backward(); w.grad
(w - w).abs().sum().backward(); w.grad
w.cumprod(1).sum().backward(); w.grad
w.mean(dim=(0, 1)).backward(); w.grad
w.relu().sum().backward(); w.grad
w.where(w > 2, torch.zeros(2, 2)).sum().backward(); w.grad
w.float().sum().backward(); w.grad
w.to(torch.float64).sum().backward(); w.grad.dtype
w.addmm(w, w).sum().backward(); w.grad
"""
LINES["errors"] = """
x.names
F.cross_entropy(x, lab.int())
F.nll_loss(x, lab.float())
x + torch.ones(4)
x @ y
x.view(4)
x.reshape(5, 2)
torch.cat([x, v])
torch.stack([x, v])
x.item()
x[5]
x[0, 0, 0]
x.sum(5)
w.numpy()
w.add_(1)
x.backward()
w.backward()
torch.tensor([1], requires_grad=True)
i.mean()
torch.tensor([[1, 2], [3]])
torch.zeros(2).expand(3)
F.cross_entropy(x, torch.tensor([5, 0]))
F.cross_entropy(x, torch.tensor([0, 1, 2]))
nn.Linear(3, 4)(torch.ones(2, 5))
nn.Conv2d(3, 4, 3)(torch.ones(1, 1, 5, 5))
nn.Linear(2, 2).load_state_dict({})
nn.Linear(3, 4)(x.double())
bool(x)
for_ = [q for q in torch.tensor(1.0)]
len(torch.tensor(1))
optim.SGD([], lr=0.1)
optim.SGD([w], lr=-1)
torch.zeros(3)[torch.tensor([1.0])]
x.squeeze(3)
torch.zeros(2, 3).t().view(6)
nn.Dropout(2.0)
x.foo
torch.foo
x.permute(0)
x.transpose(0, 5)
b - b
F.dropout(x, 1.5)
nn.Linear(2, 3)("a")
x.split([1, 5], 1)
torch.mm(v, x)
i.float().requires_grad_().long().requires_grad_()
nn.BatchNorm1d(3)(torch.ones(1, 3))
nn.Module()(1)
x.max(3)
x.gather(1, torch.tensor([[7]]))
x.index_select(0, torch.tensor([9]))
torch.linalg.inv(torch.zeros(2, 2))
torch.linalg.inv(x)
torch.linalg.inv(v)
torch.linalg.inv(i[:, :2])
torch.linalg.solve(torch.zeros(2, 2), torch.ones(2))
torch.linalg.solve(torch.eye(2), torch.ones(3))
torch.linalg.cholesky(-torch.eye(2))
torch.linalg.cholesky(x)
torch.det(x)
torch.linalg.norm(x, "foo")
torch.linalg.matrix_norm(v)
torch.linalg.norm(i)
torch.linalg.qr(x, mode="foo")
torch.linalg.multi_dot([x])
torch.linalg.cross(w, w)
torch.linalg.matrix_power(x, 2)
torch.mm(x, v)
torch.mv(x, y)
torch.dot(x, y)
torch.bmm(x, y)
torch.bmm(t, t)
torch.inner(x, v[:2])
torch.outer(x, v)
torch.trace(v)
torch.einsum("ij,jk->ik", x, y)
torch.einsum("ij->i", v)
torch.cdist(v, v)
torch.cdist(x, w)
torch.kthvalue(v, 5)
torch.kthvalue(v, 0)
torch.quantile(i, 0.5)
torch.quantile(v, 1.5)
torch.quantile(v, d)
torch.quantile(v, 0.5, interpolation="foo")
torch.bincount(v)
torch.bincount(torch.tensor([-1]))
torch.bincount(i)
torch.histc(i)
torch.histc(v, min=3, max=1)
torch.searchsorted(x, torch.ones(3, 1))
torch.searchsorted(v, 1.0, side="foo")
torch.bucketize(v, x)
torch.scatter_reduce(v, 0, k, v, "foo")
torch.index_reduce(v, 0, k, v, "sum")
torch.select_scatter(x, v, 1, 0)
torch.slice_scatter(x, x, 1, 0, 1)
torch.diagonal_scatter(w, v)
torch.tensor_split(v, 0)
torch.hsplit(x, 2)
torch.vsplit(x, [3], 1)
torch.stack([])
torch.cat([])
torch.broadcast_shapes((2, 3), (4,))
torch.heaviside(v, torch.tensor(1))
torch.gcd(v, v)
torch.polygamma(-1, v)
torch.combinations(x)
torch.diff(torch.tensor(1.0))
torch.logcumsumexp(i, 0)
torch.nanmean(i)
torch.frexp(i)
torch.unravel_index(v, (2, 2))
torch.topk(v, 5)
x.topk(4, dim=0)
torch.diag(t)
torch.func.grad(lambda q: q * 2)(v)
torch.vmap(lambda q: q)(v, v[:2])
torch.vmap(lambda q, r: q + r)(x, v)
torch.vmap(lambda q: q, in_dims=None)(v)
torch.autograd.functional.jacobian(lambda q: 3, v)
torch.testing.assert_close(x, y)
torch.testing.assert_close(v, k)
torch.testing.assert_close(x, x, rtol=1)
torch.testing.assert_close(x, x.double())
torch.add(w, 1, out=torch.empty(2, 2))
torch.add(v, 1, out=torch.empty(3, dtype=torch.int64))
v.imag
i.exp_()
i.add_(1.5)
i.div_(2)
b.add_(1.5)
w.resize_(3)
w.exp_()
v.bitwise_and(1)
v & k
~v
torch.sin(3)
torch.exp(2.0)
torch.sqrt([1.0])
torch.sum(x, foo=1)
torch.relu("a")
torch.ones(2, foo=1)
torch.zeros(-1)
torch.arange(0, 5, 0)
torch.arange(5, 0, 1)
torch.eye(-1)
torch.linspace(0, 1, -1)
torch.randint(5, 2, (2,))
torch.randperm(-1)
torch.full((2,), "a")
torch.multinomial(torch.tensor([0.5, 0.5]), 3)
torch.multinomial(torch.tensor([-0.5, 0.5]), 1)
torch.normal(0.0, -1.0, (2,))
torch.bernoulli(torch.tensor([2.0]))
torch.tensor("a")
torch.tensor(None)
torch.tensor([1, "a"])
torch.as_tensor("a")
torch.from_numpy([1])
torch.device("foo")
x.to("foo")
x.type("foo")
x.expand(4, 3)
x.repeat(2)
x.unfold(1, 5, 1)
x.narrow(1, 2, 2)
x.select(1, 3)
x.chunk(0)
x.flip(2)
x.roll(1, 2)
x.movedim(0, 2)
x.unflatten(1, (2, 2))
x.flatten(1, 0)
x.view(2, -1, -1)
x.squeeze(2)
x.unsqueeze(4)
x.index_select(1, torch.tensor([3]))
x.gather(0, torch.tensor([0]))
x.scatter(0, torch.tensor([[5]]), 1.0)
x.masked_fill(b[:2], 0)
x.masked_select(torch.tensor([1, 0, 1]))
x[b]
x[:, 5]
x[torch.tensor([5])]
x["a"]
x[1.5]
x[0] = v[:2]
x[5] = 1
v[0] = "a"
x.sum(dim=(0, 0))
x.mean(dim=3)
x.std(dim=5)
x.argmax(dim=2)
x.sort(dim=2)
x.cumsum(3)
x.norm(dim=4)
torch.where(v, v, v)
torch.maximum(v, 1)
torch.max(torch.zeros(0))
torch.argmax(torch.zeros(0))
torch.zeros(0, 3).max(0)
torch.median(torch.zeros(0), 0)
int(x)
float(x)
x.tolist(1)
if_ = 1 if x else 2
x in [1]
[1][v]
[1][k[0] - 5]
round(x, "a")
x @ 2
x + "a"
x + None
x - [1, 2]
torch.add(x, "a")
x ** "a"
2 @ x
x.add(y, alpha="a")
x.div(y, rounding_mode="foo")
i // 0
i % 0
torch.pow(i, -1)
x.clamp()
torch.lerp(x, y, "a")
x.requires_grad_().numpy()
torch.autograd.grad(v.sum(), v)
torch.autograd.grad((w * 2).sum(), v.requires_grad_())
torch.autograd.grad(w * 2, w)
w.backward(torch.ones(3))
(w * 2).backward(torch.ones(3))
x.register_hook(print)
x.retain_grad()
w.detach_().backward()
w.grad = 5
w.grad = torch.ones(3)
w.requires_grad = False; w.sum().backward()
(w * 2).requires_grad_(False)
torch.distributions.Categorical()
torch.distributions.Categorical(p).rsample()
torch.distributions.Categorical(torch.tensor(1.0))
torch.distributions.kl_divergence(torch.distributions.Normal(0.0, 1.0), torch.distributions.Bernoulli(torch.tensor(0.5)))
"""
# fmt: on

# Lines that give something else, and why.
DIFFERENT: dict[str, str] = {}


def numbered() -> list[tuple[str, int, str]]:
    """Return all lines with their areas and numbers."""
    return [
        (area, n, line)
        for area, text in LINES.items()
        for n, line in enumerate(filter(None, map(str.strip, text.splitlines())))
    ]
