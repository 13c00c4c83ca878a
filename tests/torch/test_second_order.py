"""``create_graph=True``: derivatives of derivatives, against PyTorch in float64 and against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
import minitorch.torch as ours
from minitorch.torch.autograd.recorded import RULES

theirs = pytest.importorskip("torch", reason="the reference is PyTorch")

Case = tuple[str, Callable[..., Any], tuple[tuple[int, ...], ...], Callable[[Any], Any] | None]


def f(torch: Any) -> Any:
    return torch.nn.functional


# A name, a function of the module and of tensors, their shapes, and what makes normal numbers fit its domain.
CASES: list[Case] = [
    ("add and sub", lambda t, a, b: (a + b * 2.0 - b) * a, ((3, 1), (1, 4)), None),
    ("mul", lambda t, a, b: a * b * b, ((2, 3), (3,)), None),
    ("div", lambda t, a, b: a / b, ((2, 3), (3,)), lambda x: x + 3 * np.sign(x)),
    ("neg", lambda t, a: -(a * a), ((3,),), None),
    ("reciprocal", lambda t, a: a.reciprocal(), ((3,),), lambda x: x + 3 * np.sign(x)),
    ("square", lambda t, a: a**2, ((3,),), None),
    ("cube", lambda t, a: a**3, ((3,),), None),
    ("power 0", lambda t, a: a**0 * a, ((3,),), None),
    ("power", lambda t, a, b: a**b, ((2, 3), (3,)), lambda x: abs(x) + 0.5),
    ("exp", lambda t, a: a.exp(), ((3,),), None),
    ("expm1", lambda t, a: t.expm1(a), ((3,),), None),
    ("logarithms", lambda t, a: a.log() * t.log2(a) + t.log10(a) * t.log1p(a), ((4,),), lambda x: abs(x) + 0.5),
    ("roots", lambda t, a: a.sqrt() + a.rsqrt(), ((4,),), lambda x: abs(x) + 0.5),
    ("trigonometry", lambda t, a: a.sin() * a.cos() + t.tan(a), ((4,),), lambda x: x / 4),
    ("inverse trigonometry", lambda t, a: t.asin(a) + t.acos(a) * t.atan(a), ((4,),), lambda x: x / 4),
    ("atan2", lambda t, a, b: t.atan2(a, b), ((3,), (3,)), lambda x: x + np.sign(x)),
    ("hyperbolic", lambda t, a: a.sinh() * a.cosh() + a.tanh(), ((4,),), None),
    ("erf", lambda t, a: t.erf(a), ((4,),), None),
    ("sigmoid", lambda t, a: a.sigmoid(), ((4,),), None),
    ("softplus", lambda t, a: f(t).softplus(a), ((4,),), None),
    ("silu", lambda t, a: f(t).silu(a), ((4,),), None),
    ("gelu", lambda t, a: f(t).gelu(a), ((4,),), None),
    ("gelu by tanh", lambda t, a: f(t).gelu(a, approximate="tanh"), ((4,),), None),
    ("elu", lambda t, a: f(t).elu(a), ((4,),), None),
    ("relu", lambda t, a: a.relu() * a, ((5,),), None),
    ("leaky relu", lambda t, a: f(t).leaky_relu(a, 0.2) ** 2, ((5,),), None),
    ("abs and clamp", lambda t, a: a.abs() * a.clamp(-0.5, 0.5), ((6,),), None),
    ("maximum", lambda t, a, b: t.maximum(a, b) * t.minimum(a, b) * a, ((3, 2), (2,)), None),
    ("where", lambda t, a, b: t.where(a > 0, a * b, b * b), ((3, 2), (2,)), None),
    ("sum", lambda t, a: a.sum(1) ** 2, ((3, 4),), None),
    ("sum of all", lambda t, a: a.sum() ** 2, ((3, 4),), None),
    ("mean", lambda t, a: a.mean((0, 2), keepdim=True) ** 3, ((2, 3, 2),), None),
    ("max", lambda t, a: a.max(1).values ** 2, ((3, 4),), None),
    ("var and norm", lambda t, a: a.var(1) * a.norm(dim=1), ((3, 4),), None),
    ("cumsum", lambda t, a: a.cumsum(1) ** 2, ((2, 4),), None),
    ("logsumexp", lambda t, a: a.logsumexp(1), ((2, 4),), None),
    ("matmul", lambda t, a, b: (a @ b) ** 2, ((2, 3), (3, 4)), None),
    ("batches", lambda t, a, b: t.matmul(a, b) ** 2, ((2, 2, 3), (3, 2)), None),
    ("vectors", lambda t, a, b: (a @ b) ** 2, ((3,), (3,)), None),
    ("layout", lambda t, a: a.t().reshape(2, 6).unsqueeze(0).expand(2, 2, 6).permute(2, 0, 1) ** 2, ((3, 4),), None),
    ("index", lambda t, a: a[1:, ::2] ** 2 + a[0, 1] * a[[0, 0, 2]][:2, :2], ((3, 4),), None),
    ("gather", lambda t, a: a.gather(1, t.tensor([[0, 0], [2, 1]])) ** 2, ((2, 3),), None),
    ("cat and stack", lambda t, a, b: t.stack([t.cat([a, b]), t.cat([b * b, a])]) ** 2, ((2,), (3,)), None),
    ("pad", lambda t, a: f(t).pad(a, (1, 2)) ** 2 * 3.0, ((2, 3),), None),
    ("embedding", lambda t, w: f(t).embedding(t.tensor([0, 2, 0]), w) ** 2, ((3, 2),), None),
    ("double cast", lambda t, a: (a.double() * a) ** 2, ((3,),), None),
    ("softmax", lambda t, a: a.softmax(-1) * a, ((2, 3),), None),
    ("log softmax", lambda t, a: a.log_softmax(0) * a, ((2, 3),), None),
    ("cross-entropy", lambda t, a: f(t).cross_entropy(a, t.tensor([0, -100, 2])), ((3, 4),), None),
    ("its sum", lambda t, a: f(t).cross_entropy(a, t.tensor([0, 1, 2]), reduction="sum"), ((3, 4),), None),
    ("nll", lambda t, a: f(t).nll_loss(a.log_softmax(1), t.tensor([0, 1])) ** 2, ((2, 3),), None),
    ("logits", lambda t, a, b: f(t).binary_cross_entropy_with_logits(a, b.sigmoid()), ((3,), (3,)), None),
    ("mse", lambda t, a, b: f(t).mse_loss(a, b), ((3,), (3,)), None),
    ("huber", lambda t, a, b: f(t).smooth_l1_loss(a, b), ((6,), (6,)), lambda x: x * 2),
    ("linear", lambda t, x, w, b: f(t).linear(x, w, b) ** 2, ((2, 3), (4, 3), (4,)), None),
    ("linear and relu", lambda t, x, w, b: f(t).linear(x, w, b).relu() ** 2, ((2, 2, 3), (4, 3), (4,)), None),
    ("conv2d", lambda t, x, w, b: f(t).conv2d(x, w, b, 2, 1) ** 2, ((1, 2, 4, 5), (2, 2, 3, 2), (2,)), None),
    ("conv2d and relu", lambda t, x, w, b: f(t).conv2d(x, w, b).relu() ** 2, ((2, 1, 3, 3), (2, 1, 2, 2), (2,)), None),
    ("without bias", lambda t, x, w: f(t).conv2d(x, w, groups=2) ** 2, ((1, 2, 3, 3), (2, 1, 2, 2)), None),
    ("conv1d", lambda t, x, w, b: f(t).conv1d(x, w, b, 1, 1) ** 2, ((2, 2, 4), (3, 2, 3), (3,)), None),
    ("transposed", lambda t, x, w: f(t).conv_transpose2d(x, w, stride=2) ** 2, ((1, 2, 2, 2), (2, 1, 2, 3)), None),
    ("batch norm", lambda t, x, w, b: f(t).batch_norm(x, None, None, w, b, True) ** 2, ((3, 2, 2), (2,), (2,)), None),
    ("layer norm", lambda t, x, w, b: f(t).layer_norm(x, (3,), w, b) ** 2, ((2, 3), (3,), (3,)), None),
    ("average pooling", lambda t, x: f(t).avg_pool2d(x, 2, 1, 1) ** 2, ((1, 2, 3, 4),), None),
    ("largest of windows", lambda t, x: f(t).max_pool2d(x, 2, 1, 1) ** 2, ((1, 2, 3, 4),), None),
    ("dropout of nothing", lambda t, x: f(t).dropout(x, 0.0, True) ** 2, ((3,),), None),
]  # fmt: skip


def leaves(torch: Any, case: Case) -> list[Any]:
    draw = np.random.default_rng(5)
    made = []
    for shape in case[2]:
        x = draw.normal(size=shape)
        x = x if case[3] is None else case[3](x)
        made.append(torch.tensor(x.tolist(), dtype=torch.float64, requires_grad=True))
    return made


def numbers(t: Any) -> Any:
    return None if t is None else np.array(t.detach().tolist())


def close(got: Any, expected: Any) -> None:
    for a, b in zip(got, expected, strict=True):
        wanted = numbers(b)
        np.testing.assert_allclose(
            np.zeros_like(wanted) if a is None else numbers(a), wanted, rtol=1e-8, atol=1e-9
        )


@pytest.mark.parametrize("backend", ["fast", "simple"])
@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_first_second_and_third_derivatives(case: Case, backend: str) -> None:
    minitorch.set_default_backend(backend)
    found = []
    for torch in (ours, theirs):
        xs = leaves(torch, case)
        y = case[1](torch, *xs)
        weights = torch.linspace(1.0, 2.0, y.numel(), dtype=torch.float64).reshape(y.shape)
        rows = []
        total = (y * weights).sum()
        for order in range(3):
            if order == 2 and case[0] in ("batch norm", "layer norm"):
                break  # PyTorch takes its statistics as constants there: see the test below
            if not total.requires_grad:
                rows += [x * 0.0 for x in xs]
                continue
            ds = torch.autograd.grad(total, xs, create_graph=True, allow_unused=True)
            ds = [x * 0.0 if d is None else d for d, x in zip(ds, xs)]
            rows += ds
            total = sum(((d * d).sum() if order else (d**3 + d).sum()) for d in ds)
        found.append(rows)
    close(*found)


def test_the_third_derivative_of_a_norm() -> None:
    """The reference is the norm written out."""

    def of(torch: Any, x: Any, w: Any, b: Any) -> Any:
        if torch is ours:
            return torch.nn.functional.batch_norm(x, None, None, w, b, True)
        mean, var = x.mean((0, 2), keepdim=True), x.var((0, 2), unbiased=False, keepdim=True)
        return (x - mean) / (var + 1e-5).sqrt() * w[:, None] + b[:, None]

    found = []
    for torch in (ours, theirs):
        xs = leaves(torch, ("", of, ((3, 2, 2), (2,), (2,)), None))
        total, rows = (of(torch, *xs) ** 3).sum(), []
        for _ in range(3):
            ds = torch.autograd.grad(total, xs, create_graph=True, allow_unused=True)
            rows += [x * 0.0 if d is None else d for d, x in zip(ds, xs)]
            total = sum((d * d).sum() for d in ds if d is not None)
        found.append(rows)
    close(*found)


@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_against_differences(case: Case) -> None:
    xs = leaves(ours, case)
    ours.manual_seed(0)
    assert ours.autograd.gradgradcheck(lambda *a: case[1](ours, *a), xs, atol=1e-4)


def test_gradgradcheck_finds_a_wrong_derivative() -> None:
    class Wrong(ours.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, d: Any) -> Any:
            (x,) = ctx.saved_tensors
            return d * 3.0 * x.detach() ** 2

    x = ours.tensor([0.5, 2.0], dtype=ours.float64, requires_grad=True)
    assert ours.autograd.gradcheck(Wrong.apply, x)
    with pytest.raises(ours.autograd.GradcheckError):
        ours.autograd.gradgradcheck(Wrong.apply, x)
    assert not ours.autograd.gradgradcheck(Wrong.apply, x, raise_exception=False)


def critic(torch: Any) -> Any:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3, padding=1), torch.nn.LeakyReLU(0.2), torch.nn.Conv2d(3, 2, 2, stride=2),
        torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1),
    ).double()  # fmt: skip
    draw = np.random.default_rng(1)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.tensor(draw.normal(size=tuple(p.shape)).tolist(), dtype=torch.float64))
    return net


def test_gradient_penalty() -> None:
    """WGAN-GP (Gulrajani and others, 2017): three steps, in the second and third of which ReLUs are expected."""
    found = []
    for torch in (ours, theirs):
        net = critic(torch)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        rows: list[Any] = []
        for step in range(3):
            values = np.random.default_rng(step).normal(size=(4, 1, 4, 4))
            x = torch.tensor(values.tolist(), dtype=torch.float64, requires_grad=True)
            out = net(x)
            (d,) = torch.autograd.grad(out, x, torch.ones_like(out), create_graph=True, retain_graph=True)
            loss = out.mean() + 10.0 * ((d.reshape(4, -1).norm(2, dim=1) - 1.0) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            rows += [loss, *(p.grad for p in net.parameters())]
            optimizer.step()
        found.append(rows)
    close(*found)


@pytest.mark.filterwarnings("ignore:Using backward")
def test_backward_collects_recorded_gradients() -> None:
    found = []
    for torch in (ours, theirs):
        x, w = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([1.0, 2.0], [3.0, -1.0]))
        seen: list[Any] = []
        w.register_hook(seen.append)
        for _ in range(2):
            ((x * w) ** 3).sum().backward(create_graph=True)
        first = [x.grad.detach().clone(), w.grad.detach().clone()]
        assert x.grad.requires_grad
        total = (x.grad * w.grad).sum()
        x.grad = w.grad = None
        total.backward(inputs=[x])
        assert w.grad is None
        found.append([*first, x.grad, seen[0]])
    close(*found)


def test_hooks() -> None:
    found = []
    for torch in (ours, theirs):
        x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
        y = x * x
        y.register_hook(lambda d: d * d)
        (d,) = torch.autograd.grad((y * x).sum(), x, create_graph=True)
        found.append([d, *torch.autograd.grad(d.sum(), x)])
    close(*found)


def test_users_functions() -> None:
    found = []
    for torch in (ours, theirs):

        class Cube(torch.autograd.Function):  # type: ignore[name-defined, misc]
            @staticmethod
            def forward(ctx: Any, x: Any, y: Any) -> Any:
                out = x**3 * y
                ctx.save_for_backward(x, y, out)
                return out, y * 2.0

            @staticmethod
            def backward(ctx: Any, d: Any, e: Any) -> Any:
                x, y, out = ctx.saved_tensors
                return d * 3.0 * x**2 * y, d * out / y + e * 2.0

        x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([1.0, 2.0], [3.0, -1.0]))
        a, b = Cube.apply(x, y)
        first = torch.autograd.grad((a * b).sum(), [x, y], create_graph=True)
        second = torch.autograd.grad(first[0].sum() + (first[1] ** 2).sum(), [x, y])
        found.append([*first, *second])
    close(*found)


def test_derivatives_of_the_given_derivative() -> None:
    found = []
    for torch in (ours, theirs):
        x, v = (torch.tensor(k, dtype=torch.float64, requires_grad=True) for k in ([1.0, 2.0], [3.0, -1.0]))
        (d,) = torch.autograd.grad(x.exp() * x, x, v, create_graph=True)
        found.append(torch.autograd.grad(d.sum(), [x, v]))
    close(*found)


def test_hessians_and_their_products() -> None:
    found = []
    for torch in (ours, theirs):
        functional = torch.autograd.functional
        x = torch.tensor([[0.5, 1.0], [2.0, -1.0]], dtype=torch.float64)
        y = torch.tensor([1.5, 2.5], dtype=torch.float64)

        def of_one(a: Any) -> Any:
            return (a**3).sum() * a[0, 0].sin()

        def of_two(a: Any, b: Any) -> Any:
            return ((a @ b) ** 2).sum() + b.exp().sum()

        rows = [functional.hessian(of_one, x)]
        rows += [t for row in functional.hessian(of_two, (x, y)) for t in row]
        for fn in (functional.vhp, functional.hvp):
            rows += [*fn(of_one, x, x * 2.0)]
            value, products = fn(of_two, (x, y), (x, y))
            rows += [value, *products]

        def slope(a: Any, jacobian: Any = functional.jacobian) -> Any:
            return jacobian(of_one, a, create_graph=True)

        rows.append(functional.jacobian(slope, x))
        found.append(rows)
        with pytest.raises(RuntimeError, match="single element"):
            functional.hessian(lambda a: a * 2.0, x)
    close(*found)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_functions_of_functions() -> None:
    found = []
    for torch in (ours, theirs):
        func = torch.func
        x = torch.tensor([0.5, 1.0, -2.0], dtype=torch.float64)
        y = torch.tensor([1.5, 2.0, 3.0], dtype=torch.float64)

        def of_one(a: Any, b: Any) -> Any:
            return (a**3 * b).sum() * a[0].sin()

        def slope(a: Any, func: Any = func, of_one: Any = of_one) -> Any:
            return (func.grad(of_one)(a, a * 2.0) ** 2).sum()

        def product(a: Any, func: Any = func, y: Any = y) -> Any:
            return (func.vjp(lambda q: q**2 * a, a)[1](y)[0] ** 2).sum()

        rows = [func.grad(slope)(x), func.grad(product)(x), func.hessian(of_one)(x, y)]
        rows += [t for row in func.hessian(of_one, argnums=(0, 1))(x, y) for t in row]
        rows += [func.hessian(lambda a: a**3)(x), func.grad(func.grad(torch.sin))(x[0])]
        leaf = x.clone().requires_grad_()
        rows += torch.autograd.grad(func.grad(of_one)(leaf * 2.0, y).sum(), leaf)
        found.append(rows)
    close(*found)


def test_what_has_no_rule_says_so() -> None:
    x = ours.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=ours.float64, requires_grad=True)
    with pytest.raises(
        NotImplementedError, match=r"create_graph=True: the derivative of \w+ has no recorded"
    ):
        ours.autograd.grad(ours.linalg.inv(x).sum(), x, create_graph=True)
    assert x.grad is None
    ours.autograd.grad(ours.linalg.inv(x).sum(), x)


def test_values_that_were_changed_since_are_refused() -> None:
    for torch in (ours, theirs):
        x = torch.ones(3, requires_grad=True)
        y = x * 2.0
        z = y * y
        y.detach()[0] = 5.0
        with pytest.raises(RuntimeError, match=r"in.?place"):
            torch.autograd.grad(z.sum(), x, create_graph=True)


def test_every_rule_is_compared() -> None:
    used: set[Any] = set()
    for case in CASES:
        y = case[1](ours, *leaves(ours, case))
        (d,) = ours.autograd.grad(y.sum(), leaves_of(y)[:1], create_graph=True)
        for start in (y, d):
            used |= {v.history.last_fn for v in minitorch.topological_sort(start._value)}
    names = {fn.__name__ for fn in set(RULES) - used}
    # Piecewise constant functions, what users add, and what the other tests of this file reach.
    assert names <= {
        "_Hooked", "_Users", "Floor", "Ceil", "Round", "Trunc", "Sign", "Log", "Drop", "ScaleShift", "Copy", "Cast",
        "ReLU6", "AverageBack", "ConvWeight", "Weigh",
    }  # fmt: skip


def leaves_of(y: Any) -> list[Any]:
    return [ours.from_minitorch(v) for v in minitorch.topological_sort(y._value) if v.is_leaf()]
