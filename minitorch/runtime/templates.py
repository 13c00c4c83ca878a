"""Kernels for any number of operands, written from one template of source text.

Numba compiles no kernel with a variable number of arguments. The kernels for one, two, three and four operands would be
copies that differ in their argument lists only, so they are written by `kernels_from` from one text. In a template
``{n}`` is the number of operands, and ``{text with #}`` stands for that text once per operand, with # = 1 ... n:
separated by commas inside a line, a line each where it is alone on its line. For two operands ::

    def map_flat_{n}(out, size, {a#}):            def map_flat_2(out, size, a1, a2):
        i = cuda.grid(1)                              i = cuda.grid(1)
        if i < size:                                  if i < size:
            out[i] = fn({a#[i]})                          out[i] = fn(a1[i], a2[i])

The result is a plain function: compilers, the CUDA simulator and a debugger treat it as if it stood in the file, and
its source can be read by `inspect`. The file depends on the standard library only; the CUDA backend uses it.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterable
from typing import Any

from .types import Fn


def expand(template: str, count: int) -> str:
    """Return the source text that a template stands for with ``count`` operands."""

    def copies(text: str) -> list[str]:
        return [text.replace("#", str(k)) for k in range(1, count + 1)]

    lines: list[str] = []
    for line in template.strip("\n").replace("{n}", str(count)).splitlines():
        alone = re.fullmatch(r"( *)\{([^}]*)\}", line)
        if alone:
            lines += [alone[1] + text for text in copies(alone[2])]
        else:
            lines.append(re.sub(r"\{([^}]*)\}", lambda found: ", ".join(copies(found[1])), line))
    return "\n".join(lines) + "\n"


def kernels_from(template: str, counts: Iterable[int], names: dict[str, Any]) -> tuple[Fn, ...]:
    """Return the functions that a template defines, one for each number of operands.

    Args:
        template: The source text of one function; see the head of this file.
        counts: The numbers of operands.
        names: The globals of the functions: those of the module that has the template.
    """
    made: list[Fn] = []
    for count in counts:
        source = expand(template, count)
        file = f"<{names['__name__']}, {source.split('(')[0].removeprefix('def ')}>"
        # Without an entry here, tracebacks and Numba's messages could not show the line.
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        defined: dict[str, Fn] = {}
        exec(compile(source, file, "exec", dont_inherit=True), names, defined)
        made += defined.values()
    return tuple(made)
