// Views of a row-major tensor whose dimensions are in another order and which begins at an offset.

const MOST_ELEMENTS = 120;

/** The view of a row-major tensor of `shape` after `permute(order)`, from `offset` on in storage. */
function viewOf(shape, order, offset) {
  const strides = stridesFromShape(shape);
  return {
    shape: order.map((k) => shape[k]),
    strides: order.map((k) => strides[k]),
    offset,
    storageSize: offset + sizeOf(shape),
  };
}

/** The position in storage that an index of the view reads. */
const positionOf = (view, index) => view.offset + indexToPosition(index, view.strides);

/** Whether the strides are row-major; dimensions of size 1 may have any stride. */
function isContiguous(view) {
  const packed = stridesFromShape(view.shape);
  return view.shape.every((size, k) => size === 1 || view.strides[k] === packed[k]);
}

/** The index of the view that reads each position in storage; null for positions before the offset. */
function readers(view) {
  const found = Array(view.storageSize).fill(null);
  for (let k = 0; k < sizeOf(view.shape); k++) {
    const index = toIndex(k, view.shape);
    found[positionOf(view, index)] = index;
  }
  return found;
}

/** The sizes of a shape as it was typed. */
function parseShape(text) {
  const shape = parseNumbers(text, "shape", { least: 1, count: [1, 4] });
  if (sizeOf(shape) > MOST_ELEMENTS) {
    throw new Error(`shape: expected at most ${MOST_ELEMENTS} elements, got ${sizeOf(shape)}`);
  }
  return shape;
}

/** The order of dimensions as it was typed. */
function parseOrder(text, dims) {
  const order = parseNumbers(text, "order", { most: dims - 1, count: [dims, dims] });
  if (new Set(order).size !== dims) throw new Error(`order: expected each dimension once, got ${order.join(", ")}`);
  return order;
}
