"""Figures of the guide on storage, shape and strides; values come from `TensorData`."""

from __future__ import annotations

import numpy as np

import minitorch

from .drawing import BLUE, COLOURS, GREY, WHITE, Drawing, figure, tint

SIZE = 38


def row_colours(rows: int) -> list[str]:
    """Return one pale colour for each row of a table."""
    return [tint(COLOURS[row % len(COLOURS)], 0.25) for row in range(rows)]


@figure
def strides_storage() -> Drawing:
    """A 2 x 3 tensor above its storage: the position of each element is the sum of index times stride."""
    tensor = minitorch.tensor([[10.0, 11.0, 12.0], [13.0, 14.0, 15.0]])
    data = tensor._tensor
    rows, columns = data.shape
    colours = row_colours(rows)
    picture = Drawing(420, 230)
    picture.text(20, 22, f"shape {data.shape}, strides {data.strides}", anchor="start", bold=True)
    picture.grid(tensor.to_numpy(), 140, 44, size=SIZE, fills=[[colours[i]] * columns for i in range(rows)])
    fills = [WHITE] * data.size
    for i, j in np.ndindex(rows, columns):
        position = data.index((i, j))
        fills[position] = colours[i]
        start = (140 + (j + 0.5) * SIZE, 44 + rows * SIZE)
        picture.line([start, (90 + (position + 0.5) * SIZE, 160)], stroke=tint(BLUE, 0.5), thick=1)
    picture.text(20, 160 + SIZE / 2, "storage", anchor="start")
    picture.grid([list(data._storage)], 90, 160, size=SIZE, fills=[fills])
    for position in range(data.size):
        picture.text(90 + (position + 0.5) * SIZE, 160 + SIZE + 12, str(position), size=11, fill=GREY)
    return picture


@figure
def strides_permute() -> Drawing:
    """The same storage seen as 2 x 3 and, permuted, as 3 x 2: the strides change places, no number moves."""
    tensor = minitorch.tensor([[10.0, 11.0, 12.0], [13.0, 14.0, 15.0]])
    turned = tensor.permute(1, 0)
    colours = row_colours(2)
    picture = Drawing(560, 270)
    for view, left, by_row in ((tensor, 40, True), (turned, 340, False)):
        data = view._tensor
        picture.text(left, 22, f"shape {data.shape}, strides {data.strides}", anchor="start", bold=True)
        fills = [[colours[i if by_row else j] for j in range(data.shape[1])] for i in range(data.shape[0])]
        picture.grid(view.to_numpy(), left, 40, size=SIZE, fills=fills)
    picture.arrow((180, 78), (325, 78), stroke=GREY)
    picture.text(250, 64, "permute(1, 0)", code=True, size=12)
    picture.text(40, 212, "one storage for both", anchor="start")
    storage = list(tensor._tensor._storage)
    picture.grid([storage], 190, 193, size=SIZE, fills=[[colours[k // 3] for k in range(6)]])
    for position in range(6):
        picture.text(190 + (position + 0.5) * SIZE, 193 + SIZE + 12, str(position), size=11, fill=GREY)
    return picture
