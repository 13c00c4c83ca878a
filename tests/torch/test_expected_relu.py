"""A ReLU that is computed with the layer before it, because one came last time: nobody can tell but by the clock."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
import minitorch.torch as torch
import minitorch.torch.nn as nn
import minitorch.torch.nn.functional as F
from minitorch.tensor_functions.late_relu import JoinedHistory


class Net(nn.Module):
    """One layer of each kind, whose results are only read by a ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Linear(5, 4)

    def forward(self, x: Any) -> Any:
        return F.relu(self.fc(F.relu(self.norm(F.relu(self.conv(x))))))


def images(seed: int = 3, special: bool = False) -> Any:
    values = np.random.default_rng(seed).normal(size=(2, 2, 4, 5)).astype("float32")
    if special:
        values[0, 0, 0, 0], values[1, 1, 2, 2] = np.nan, np.inf
    return torch.tensor(values.tolist())


def numbers(t: Any) -> Any:
    return np.zeros(0) if t is None else np.array(t.detach().tolist())


def same(got: Any, expected: Any) -> None:
    """The bits are the same; a nan is a nan."""
    np.testing.assert_array_equal(numbers(got), numbers(expected))


@pytest.fixture
def trained() -> Any:
    """A convolution after which a ReLU is expected, and one with equal weights after which none is."""
    torch.manual_seed(0)
    expecting = nn.Conv2d(2, 3, 3, padding=1)
    plain = copy.deepcopy(expecting)
    F.relu(expecting(images(9)))
    expecting(images(9))
    assert expecting(images(9))._expected is not None
    assert plain(images(9))._expected is None
    return expecting, plain


@pytest.mark.parametrize("backend", ["fast", "simple"])
@pytest.mark.parametrize("special", [False, True], ids=["numbers", "nan and inf"])
@pytest.mark.parametrize("layer", ["conv", "norm", "evaluated norm", "linear"])
def test_values_and_gradients_have_the_bits_of_two_calls(layer: str, special: bool, backend: str) -> None:
    minitorch.set_default_backend(backend)
    torch.manual_seed(1)
    kinds = {
        "conv": lambda: nn.Conv2d(2, 3, (3, 2), padding=1, stride=(1, 2)),
        "linear": lambda: nn.Linear(5, 4),
    }
    module = kinds.get(layer, lambda: nn.BatchNorm2d(2))()
    if layer == "evaluated norm":
        module.eval()
    found = []
    for expected in (False, True):
        x = images(special=special).requires_grad_()
        y = module(x)
        assert (y._expected is not None) is expected
        z = F.relu(y)
        assert isinstance(z._value.history, JoinedHistory) or not expected
        module.zero_grad()
        (z * z).sum().backward()
        found.append([z, x.grad, *(p.grad for p in module.parameters())])
    for got, wanted in zip(*found):
        same(got, wanted)


def test_a_training_run_has_the_bits_of_the_core() -> None:
    torch.manual_seed(2)
    model = Net()
    layers = (minitorch.Conv2d(2, 3, 3, padding=1), minitorch.BatchNorm2d(3), minitorch.Linear(5, 4))
    for ours, theirs in zip((model.conv, model.norm, model.fc), layers):
        for name in ("weight", "bias"):
            vars(theirs)["_parameters"][name].update(
                minitorch.tensor(np.array(getattr(ours, name).tolist(), "float32"), requires_grad=True)
            )
    optimizers = (
        torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        minitorch.SGD([p for layer in layers for p in layer.parameters()], lr=0.1, momentum=0.9),
    )
    for step in range(4):
        x = images(step)
        out = model(x)
        optimizers[0].zero_grad()
        (out * out).mean().backward()
        h = minitorch.tensor(np.array(x.tolist(), "float32"))
        h = layers[1](layers[0](h, act="relu"), act="relu")
        core = layers[2](h.reshape(24, 5), act="relu")
        optimizers[1].zero_grad()
        (core * core).mean().backward()
        np.testing.assert_array_equal(numbers(out).reshape(24, 4), core.to_numpy())
        for o in optimizers:
            o.step()
    for ours, theirs in zip((model.conv, model.norm, model.fc), layers):
        np.testing.assert_array_equal(numbers(ours.weight), theirs.weight.value.to_numpy())


def test_steps_of_an_optimizer_keep_it_expected() -> None:
    model = Net()
    optimizer = torch.optim.Adam(model.parameters())
    for step in range(4):
        optimizer.zero_grad()
        model(images(step)).sum().backward()
        optimizer.step()
    assert [m.weight._follower.relu for m in (model.conv, model.norm, model.fc)] == [True] * 3


def test_a_value_that_is_used_twice(trained: Any) -> None:
    found = []
    for module in trained:
        x = images().requires_grad_()
        y = module(x)
        z = F.relu(y)
        w = y * 2.0
        (z * w + F.relu(y)).sum().backward()
        found.append([y, z, w, x.grad, module.weight.grad, module.bias.grad])
    for got, expected in zip(*found):
        same(got, expected)
    assert trained[0].weight._follower.relu is False
    F.relu(trained[0](images()))
    assert trained[0](images())._expected is None


def test_a_value_that_no_relu_reads(trained: Any) -> None:
    found = []
    for module in trained:
        y = module(images())
        assert y.requires_grad
        assert y.shape == (2, 3, 4, 5)
        assert y.grad_fn.name() == "ConvolutionBackward0"
        y.tanh().sum().backward()
        found.append([y, module.weight.grad])
    for got, expected in zip(*found):
        same(got, expected)


def test_two_relus_of_one_value_have_memory_of_their_own(trained: Any) -> None:
    with torch.no_grad():
        y = trained[0](images())
        a, b = F.relu(y), torch.relu(y)
        a.zero_()
        same(b, F.relu(trained[1](images())))


CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "an optimizer's step": lambda m, x: step(m),
    "add_": lambda m, x: m.weight.add_(1.0),
    "copy_": lambda m, x: m.weight.copy_(torch.ones(3, 2, 3, 3)),
    "item assignment": lambda m, x: m.weight.__setitem__((0, 1), 7.0),
    "item assignment to the input": lambda m, x: x.__setitem__(0, 7.0),
    "a view of the input": lambda m, x: x[1].mul_(3.0),
    "data": lambda m, x: setattr(m.weight, "data", torch.ones(3, 2, 3, 3)),
    "data of the bias": lambda m, x: m.bias.data.fill_(2.0),
    "double": lambda m, x: m.double(),
    "load_state_dict": lambda m, x: m.load_state_dict({k: v + 1.0 for k, v in m.state_dict().items()}),
    "initial values": lambda m, x: nn.init.normal_(m.weight),
    "an array of the weight": lambda m, x: m.weight.detach().numpy().__setitem__(0, 7.0),
    "an array of the input": lambda m, x: np.asarray(x).__setitem__(0, 7.0),
    "the Tensor of the core": lambda m, x: m.weight.minitorch().tuple()[0].__setitem__(0, 7.0),
    "requires_grad": lambda m, x: m.requires_grad_(False),
}


def step(module: Any) -> None:
    module.weight.grad = torch.ones(3, 2, 3, 3)
    torch.optim.SGD(module.parameters(), lr=0.5).step()


@pytest.mark.parametrize("relu_first", [False, True], ids=["before any use", "after the ReLU"])
@pytest.mark.parametrize("change", CHANGES)
def test_operands_that_change_before_the_value_is_used(trained: Any, change: str, relu_first: bool) -> None:
    expecting, plain = trained
    x = images()
    y, expected = expecting(x), plain(images())
    assert y._expected is not None
    z = F.relu(y) if relu_first else None
    with torch.no_grad():
        CHANGES[change](expecting, x)
    same(y, expected)
    if relu_first:
        same(z, F.relu(expected))
    same(F.relu(y), F.relu(expected))


@pytest.mark.parametrize("change", CHANGES)
def test_operands_that_change_before_the_relu(trained: Any, change: str) -> None:
    expecting, plain = trained
    x = images()
    y, expected = expecting(x), plain(images())
    with torch.no_grad():
        CHANGES[change](expecting, x)
    same(F.relu(y), F.relu(expected))


def test_backward_after_a_change_is_refused(trained: Any) -> None:
    for module in trained:
        z = F.relu(module(images().requires_grad_()))
        with torch.no_grad():
            module.weight.add_(1.0)
        with pytest.raises(RuntimeError, match="changed in place"):
            z.sum().backward()


def test_memory_that_others_may_write_to_expects_nothing(trained: Any) -> None:
    module = trained[0]
    array = np.array(images().tolist(), "float32")
    for x in (
        torch.from_numpy(array),
        torch.from_numpy(array)[:1],
        torch.as_tensor(array).view(2, 2, 4, 5),
        torch.from_minitorch(minitorch.tensor(array)),
    ):
        assert module(x)._expected is None
    assert module(torch.from_numpy(array).clone())._expected is not None
    assert module(torch.tensor(array))._expected is not None
    module.weight.detach().numpy()
    assert module(images())._expected is None


def test_exposed_memory_is_forgotten_with_its_array(trained: Any) -> None:
    from minitorch.runtime import exposure

    array = np.zeros((2, 2), "float32")
    x = torch.from_numpy(array)
    known = len(exposure._exposed)
    del x, array
    assert len(exposure._exposed) == known - 1


def test_hooks_see_the_value_before_the_relu(trained: Any) -> None:
    expecting, plain = trained
    seen: list[Any] = []
    handle = expecting.register_forward_hook(lambda m, args, out: seen.append(out))
    z = F.relu(expecting(images()))
    handle.remove()
    expecting.weight.data.add_(1.0)
    same(seen[0], plain(images()))
    same(z, F.relu(plain(images())))


def test_hooks_of_gradients(trained: Any) -> None:
    found: list[list[Any]] = []
    for module in trained:
        kept: list[Any] = []
        y = module(images())
        y.register_hook(lambda d, kept=kept: kept.append(d.clone()))
        y.retain_grad()
        F.relu(y).sum().backward()
        found.append([*kept, y.grad, module.weight.grad])
    assert len(found[0]) == 3
    for got, expected in zip(*found):
        same(got, expected)


@pytest.mark.parametrize("used", [False, True], ids=["ReLU alone", "the value too"])
def test_the_derivative_of_the_value_in_between_can_be_asked_for(trained: Any, used: bool) -> None:
    found = []
    for module in trained:
        y = module(images())
        z = F.relu(y)
        loss = (z * z).sum() + (y.sum() if used else 0.0)
        found.append([*torch.autograd.grad(loss, [y, module.weight])])
    for got, expected in zip(*found):
        same(got, expected)


def test_without_gradients(trained: Any) -> None:
    expecting, plain = trained
    with torch.no_grad():
        constant = expecting(images())
    z = F.relu(constant)
    assert not z.requires_grad
    assert z.grad_fn is None
    y = expecting(images())
    with torch.no_grad():
        z = F.relu(y)
    assert not z.requires_grad
    same(z, F.relu(plain(images())))
    assert y.requires_grad
    with torch.no_grad():
        y = expecting(images().requires_grad_())
        same(y * 1.0, plain(images()))
    assert not y.requires_grad


@pytest.mark.parametrize(
    "form", [lambda y: F.relu(y, inplace=True), lambda y: y.relu_(), nn.ReLU(inplace=True)]
)
@pytest.mark.parametrize("recorded", [True, False])
def test_in_place(trained: Any, form: Any, recorded: bool) -> None:
    found = []
    for module in trained:
        y = module(images())
        with torch.set_grad_enabled(recorded):
            out = form(y)
        assert out is y
        if recorded:  # else the value that the convolution saved was changed
            y.sum().backward()
        found.append([y, module.weight.grad])
    for got, expected in zip(*found):
        same(got, expected)
    if recorded:
        assert trained[0](images())._expected is not None
    with torch.no_grad():
        y = trained[0](images())
        form(y)
        same(y, F.relu(trained[1](images())))


def test_errors_come_at_the_call(trained: Any) -> None:
    module = trained[0]
    for wrong in (
        torch.zeros(2, 3, 4, 5),
        torch.zeros(2, 2, 4, 5).double(),
        torch.zeros(2, 2),
        torch.arange(3),
    ):
        with pytest.raises(RuntimeError):
            module(wrong)
    with pytest.raises(RuntimeError, match=r"[Kk]ernel"):
        F.conv2d(torch.zeros(2, 2, 1, 1), module.weight, module.bias)
    assert module(images())._expected is not None


def test_unbatched_images(trained: Any) -> None:
    for module in trained:
        z = F.relu(module(images()[0]))
        same(z, F.relu(trained[1](images()))[0])


def test_copies_and_files(trained: Any) -> None:
    expecting, plain = trained
    for again in (copy.deepcopy(expecting), pickle.loads(pickle.dumps(expecting))):
        assert again.weight._follower is None
        same(F.relu(again(images())), F.relu(plain(images())))
    with torch.no_grad():
        same(copy.deepcopy(expecting(images())), plain(images()))
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(trained[0](images()))
    assert set(expecting.state_dict()) == {"weight", "bias"}


def test_two_backward_passes(trained: Any) -> None:
    found = []
    for module in trained:
        z = F.relu(module(images()))
        z.sum().backward(retain_graph=True)
        (z * z).sum().backward()
        found.append(module.weight.grad)
    same(*found)


def test_one_weight_in_two_places(trained: Any) -> None:
    found = []
    for module in trained:
        y = F.relu(module(images()))
        z = torch.tanh(F.conv2d(images(1), module.weight, module.bias))
        (y.sum() + z.sum()).backward()
        found.append(module.weight.grad)
    same(*found)


def test_grad_fn_shows_two_calls(trained: Any) -> None:
    z = F.relu(trained[0](images()))
    assert z.grad_fn.name() == "ReluBackward0"
    ((before, _),) = z.grad_fn.next_functions
    assert before.name() == "ConvolutionBackward0"


def test_threads_that_read_one_value(trained: Any) -> None:
    expecting, plain = trained
    expected = plain(images())
    for _ in range(10):
        y = expecting(images())
        expecting.weight._follower.relu = True
        seen: list[Any] = []
        start = threading.Barrier(4)

        def read(y: Any = y, seen: list[Any] = seen, start: Any = start) -> None:
            start.wait()
            seen.append((y._value, F.relu(y)))

        threads = [threading.Thread(target=read) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len({id(v) for v, _ in seen}) == 1
        same(y, expected)
        for _, z in seen:
            same(z, F.relu(expected))


def test_threads_that_train_networks_of_their_own() -> None:
    def train(results: list[Any], k: int) -> None:
        optimizer = torch.optim.SGD(models[k].parameters(), lr=0.1)
        for s in range(5):
            optimizer.zero_grad()
            models[k](images(s)).sum().backward()
            optimizer.step()
        results[k] = [numbers(p) for p in models[k].parameters()]

    torch.manual_seed(4)
    first = Net()
    models = [copy.deepcopy(first) for _ in range(3)]
    results: list[Any] = [None] * 3
    threads = [threading.Thread(target=train, args=(results, k)) for k in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for other in results[1:]:
        for got, expected in zip(other, results[0]):
            np.testing.assert_array_equal(got, expected)
