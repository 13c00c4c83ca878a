"""Augmentations by name: ``flip,crop:4,jitter:0.2`` as transforms of `minitorch.vision`.

A name is followed by its numbers or words, each after a colon; what is left out has its default. ``apply``, ``choice``
and ``order`` take others in brackets: ``choice(posterize:4,solarize:128)``. Those of a list apply in the order of
`KNOWN`, whatever the order in the list.
"""

from __future__ import annotations

import argparse
import inspect
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..runtime import rng
from ..runtime.types import Array
from ..vision import transforms as t

Change: TypeAlias = Callable[[Array], Array]
Mix: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]

SIDE, CLASSES = 32, 10  # of CIFAR-10


def _affine(degrees: float = 15, translate: float = 0.1, scale: float = 0.1, shear: float = 0) -> Change:
    return t.RandomAffine(degrees, (translate, translate), (1 - scale, 1 + scale), shear, "bilinear")


def _jitter(amount: float = 0.2, contrast: float = -1, saturation: float = -1, hue: float = -1) -> Change:
    """Return a jitter; what is left out follows the first amount, hue by a quarter of it."""
    follow = (contrast, amount), (saturation, amount), (hue, min(amount / 4, 0.5))
    return t.ColorJitter(amount, *(usual if given == -1 else given for given, usual in follow))


def _resizedcrop(lowest: float = 0.5) -> Change:
    return t.RandomResizedCrop(SIDE, (lowest, 1.0))


def _crop(padding: int = 4) -> Change:
    return t.RandomCrop(SIDE, _at_most(SIDE, padding))


def _pad(padding: int = 4, mode: str = "constant") -> Change:
    return t.Pad(_at_most(SIDE, padding), padding_mode=mode)


def _at_most(largest: int, number: int) -> int:
    if number > largest:
        raise ValueError(f"expected at most {largest}, got {number}")
    return number


# Of one image, as bytes, in the order in which they apply.
PIXELS: dict[str, Callable[..., Change]] = {
    "pad": _pad,
    "flip": lambda p=0.5: t.RandomHorizontalFlip(p),
    "vflip": lambda p=0.5: t.RandomVerticalFlip(p),
    "resizedcrop": _resizedcrop,
    "crop": _crop,
    "rotate": lambda degrees=15.0: t.RandomRotation(degrees),
    "affine": _affine,
    "perspective": lambda distortion=0.3, p=0.5: t.RandomPerspective(distortion, p),
    "jitter": _jitter,
    "gray": lambda p=0.1: t.RandomGrayscale(p),
    "blur": lambda highest=1.0: t.GaussianBlur(3, (0.1, highest)),
    "sharpness": lambda factor=2.0, p=0.5: t.RandomAdjustSharpness(factor, p),
    "invert": lambda p=0.5: t.RandomInvert(p),
    "posterize": lambda bits=4, p=0.5: t.RandomPosterize(bits, p),
    "solarize": lambda threshold=128.0, p=0.5: t.RandomSolarize(threshold, p),
    "autocontrast": lambda p=0.5: t.RandomAutocontrast(p),
    "equalize": lambda p=0.5: t.RandomEqualize(p),
    "autoaugment": lambda policy="cifar10": t.AutoAugment(policy),
    "randaugment": lambda count=2, magnitude=9: t.RandAugment(_at_most(20, count), magnitude),
    "trivialaugment": lambda: t.TrivialAugmentWide(),
}
# Of several of these, which follow in brackets.
GROUPS: dict[str, Callable[..., Change]] = {
    "apply": lambda changes, p=0.5: t.RandomApply(changes, p),
    "choice": lambda changes: t.RandomChoice(changes),
    "order": lambda changes: t.RandomOrder(changes),
}
# Of one image, after it is normalized.
ERASING: dict[str, Callable[..., Change]] = {
    "erasing": lambda p=0.5: t.RandomErasing(p),
    "cutout": lambda side=8: t.Cutout(side),
}
# Of a batch and its labels.
MIXING: dict[str, Callable[..., Mix]] = {
    "mixup": lambda alpha=0.2: t.MixUp(alpha=alpha, num_classes=CLASSES),
    "cutmix": lambda alpha=1.0: t.CutMix(alpha=alpha, num_classes=CLASSES),
}
KNOWN: dict[str, Callable[..., Any]] = {**PIXELS, **GROUPS, **ERASING, **MIXING}
_ITEM = re.compile(r"(?P<name>[a-z]+)(?P<settings>(?::[^:(),]+)*)(?:\((?P<inside>.*)\))?")
DEEPEST = 5  # brackets within brackets


class Augmentations:
    """What a list of names asks for.

    Args:
        text: ``none``, or names with their settings, separated by commas.

    Attributes:
        text: The list in the order of `KNOWN`.
        pixels: Changes images (N, 3, 32, 32), uint8; None if nothing does.
        erase: Changes images after they are normalized; None if nothing does.
        mix: Changes a batch and its labels; None if nothing does.

    Raises:
        ValueError: An unknown or repeated name, a wrong setting, or images of another size come out.
    """

    def __init__(self, text: str) -> None:
        items = [] if text == "none" else _split(text)
        found = sorted(
            ((*_parsed(item), item) for item in items), key=lambda each: list(KNOWN).index(each[0])
        )
        names = [name for name, _, _ in found]
        repeated = [name for name in names if names.count(name) > 1]
        if repeated:
            raise ValueError(f"{repeated[0]!r} is there twice")
        self.text = ",".join(item for _, _, item in found) or "none"
        self.pixels = _composed([made for name, made, _ in found if name in {**PIXELS, **GROUPS}])
        self.erase = _composed([made for name, made, _ in found if name in ERASING])
        mixes: list[Mix] = [made for name, made, _ in found if name in MIXING]
        self.mix = _one_of(mixes) if mixes else None
        if self.pixels is not None:
            with rng.seeded(0):
                shape = self.pixels(np.zeros((2, 3, SIDE, SIDE), np.uint8)).shape[1:]
            if shape != (3, SIDE, SIDE):
                raise ValueError(
                    f"images of {SIDE}x{SIDE} become {shape[1]}x{shape[2]}: crop after pad, as in pad:4,crop:0"
                )


def augments(text: str) -> str:
    """Read a flag: return the list in its fixed order."""
    try:
        return Augmentations(text).text
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None


def usage() -> str:
    """Return the known names with the settings of each and their defaults, one a line."""
    return "\n".join(f"    {name}{_settings(name)}" for name in KNOWN)


def _settings(name: str) -> str:
    shown = "".join(f":{p.name}={'by amount' if p.default == -1 else p.default}" for p in _parameters(name))
    return f"{shown}(...)" if name in GROUPS else shown


def _parameters(name: str) -> list[inspect.Parameter]:
    found = list(inspect.signature(KNOWN[name]).parameters.values())
    return found[1:] if name in GROUPS else found


def _split(text: str) -> list[str]:
    """Split a list at the commas that are in no brackets."""
    items, depth, deepest = [""], 0, 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        deepest = max(deepest, depth)
        if depth < 0 or deepest > DEEPEST:
            break
        if letter == "," and depth == 0:
            items.append("")
        else:
            items[-1] += letter
    if depth or deepest > DEEPEST:
        raise ValueError(f"expected brackets in pairs, at most {DEEPEST} within each other")
    return [item.strip() for item in items]


def _parsed(item: str) -> tuple[str, Any]:
    """Return the name of an item, and what it asks for."""
    match = _ITEM.fullmatch(item)
    name = match["name"] if match else item.split(":")[0].split("(")[0]
    if name not in KNOWN:
        raise ValueError(f"{name!r} is not known; the known ones are none, {', '.join(KNOWN)}")
    if match is None or (match["inside"] is not None) != (name in GROUPS):
        raise ValueError(f"expected {name}{_settings(name)}, got {item!r}")
    given, parameters = match["settings"].split(":")[1:], _parameters(name)
    if len(given) > len(parameters):
        raise ValueError(f"expected {name}{_settings(name)}, got {len(given)} settings")
    settings = [_setting(name, parameter, text) for parameter, text in zip(parameters, given)]
    if name in GROUPS:
        inner = [_parsed(each) for each in _split(match["inside"])]
        wrong = [other for other, _ in inner if other in {**ERASING, **MIXING}]
        if wrong:
            raise ValueError(f"{wrong[0]} cannot be inside {name}(...)")
        settings = [[made for _, made in inner], *settings]
    try:
        return name, KNOWN[name](*settings)
    except ValueError as error:
        raise ValueError(f"{item}: {error}") from None


def _setting(name: str, parameter: inspect.Parameter, text: str) -> Any:
    kind = type(parameter.default)
    if kind is int and parameter.annotation == "float":
        kind = float
    try:
        number = kind(text)
        if kind is float and not math.isfinite(number):
            raise ValueError
        return number
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} takes {wanted} as {parameter.name}, not {text!r}") from None


def _composed(changes: Sequence[Change]) -> Change | None:
    return t.Compose(changes) if changes else None


def _one_of(mixes: Sequence[Mix]) -> Mix:
    """Return a mix that is one of several, drawn for each batch."""
    if len(mixes) == 1:
        return mixes[0]
    return lambda images, labels: mixes[int(rng.generator().integers(len(mixes)))](images, labels)
