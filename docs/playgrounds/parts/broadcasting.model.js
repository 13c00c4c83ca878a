// The rules of broadcasting: which shape two shapes give, and which element of an operand each element of the result reads.

const MOST_ELEMENTS = 150;

/** A shape with sizes of 1 on the left, so that it has `dims` dimensions. */
const padded = (shape, dims) => [...Array(dims - shape.length).fill(1), ...shape];

/** The shape that two shapes broadcast to; an Error where they do not. */
function shapeBroadcast(a, b) {
  const dims = Math.max(a.length, b.length);
  const [left, right] = [padded(a, dims), padded(b, dims)];
  const bad = left.findLastIndex((m, k) => m !== right[k] && m !== 1 && right[k] !== 1);
  if (bad >= 0) {
    const sizes = `sizes ${left[bad]} and ${right[bad]} differ in dimension ${bad}`;
    throw new Error(`cannot broadcast shapes ${tuple(a)} and ${tuple(b)}: ${sizes}, and neither is 1`);
  }
  return left.map((m, k) => (m === 1 ? right[k] : m));
}

/** The element of an operand of shape `shape` that is read for element `bigIndex` of the result. */
function broadcastIndex(bigIndex, shape) {
  const missing = bigIndex.length - shape.length;
  return shape.map((size, k) => (size > 1 ? bigIndex[k + missing] : 0));
}

/** The numbers of the elements of the result that read element `index` of an operand. */
function usesOf(index, shape, resultShape) {
  const found = [];
  for (let ordinal = 0; ordinal < sizeOf(resultShape); ordinal++) {
    const read = broadcastIndex(toIndex(ordinal, resultShape), shape);
    if (read.every((i, k) => i === index[k])) found.push(ordinal);
  }
  return found;
}

/** For each pair of sizes, counted from the left: both sizes (null where missing), that of the result, and why. */
function explainSizes(a, b) {
  const dims = Math.max(a.length, b.length);
  return Array.from({ length: dims }, (_, k) => {
    const [m, n] = [a[k - dims + a.length] ?? null, b[k - dims + b.length] ?? null];
    if (m === null || n === null) {
      const [name, other] = m === null ? ["a", n] : ["b", m];
      return { a: m, b: n, out: other, why: `${name} is repeated` };
    }
    if (m === n) return { a: m, b: n, out: m, why: "equal" };
    if (m === 1) return { a: m, b: n, out: n, why: "a is repeated" };
    if (n === 1) return { a: m, b: n, out: m, why: "b is repeated" };
    return { a: m, b: n, out: null, why: `${m} and ${n} differ` };
  });
}

/** What the elements of a and b are in the pictures: 0, 1, 2, ... and 0, 10, 20, ... */
const VALUES = { a: (ordinal) => ordinal, b: (ordinal) => 10 * ordinal };

/** The number that an operand has for an element of the result. */
function operandValue(name, shape, bigIndex) {
  return VALUES[name](indexToPosition(broadcastIndex(bigIndex, shape), stridesFromShape(shape)));
}

/** The sizes of an operand as they were typed. */
function parseOperand(text, name) {
  const shape = parseNumbers(text, `shape of ${name}`, { least: 1, most: 12, count: [0, 3] });
  if (sizeOf(shape) > MOST_ELEMENTS) throw new Error(`shape of ${name}: expected at most ${MOST_ELEMENTS} elements, got ${sizeOf(shape)}`);
  return shape;
}
