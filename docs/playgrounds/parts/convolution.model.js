// A convolution of one channel: which inputs each output reads, with which weights, and what it is.

/** The zeros before and after the input along an axis, for a kernel of size `k`. */
function zerosOf({ mode, padding, dilation }, k) {
  const reach = dilation * (k - 1);
  if (mode === "anchored") return [0, reach];
  if (mode === "same") return [Math.floor(reach / 2), reach - Math.floor(reach / 2)];
  return [padding, padding];
}

/** The size of the output along an axis of `n` inputs. */
function outputSize(n, k, settings) {
  const [before, after] = zerosOf(settings, k);
  return Math.floor((n + before + after - settings.dilation * (k - 1) - 1) / settings.stride) + 1;
}

/** The shape of the output; an Error where the settings do not fit. */
function outputShape(input, kernel, settings) {
  const { mode, stride, dilation } = settings;
  if (mode === "same" && stride !== 1) throw new Error(`padding "same": expected stride 1, got (${stride}, ${stride})`);
  const sizes = [input.length, input[0].length];
  const window = [kernel.length, kernel[0].length];
  const spans = window.map((k) => dilation * (k - 1) + 1);
  const padded = sizes.map((n, d) => n + zerosOf(settings, window[d])[0] + zerosOf(settings, window[d])[1]);
  if (spans.some((span, d) => span > padded[d])) {
    throw new Error(`conv2d: the kernel spans ${spans.join("x")} elements, more than the padded input of ${padded.join("x")} (input (1, 1, ${sizes.join(", ")}), weight (1, 1, ${window.join(", ")}))`);
  }
  return sizes.map((n, d) => outputSize(n, window[d], settings));
}

/** The terms of the output (y, x): weight (i, j) times the input (row, column), which is 0 in the padding. */
function termsOf(y, x, input, kernel, settings) {
  const [top] = zerosOf(settings, kernel.length);
  const [left] = zerosOf(settings, kernel[0].length);
  return kernel.flatMap((line, i) => line.map((weight, j) => {
    const row = y * settings.stride - top + i * settings.dilation;
    const column = x * settings.stride - left + j * settings.dilation;
    const inside = row >= 0 && row < input.length && column >= 0 && column < input[0].length;
    return { i, j, weight, row, column, inside, value: inside ? input[row][column] : 0 };
  }));
}

/** The output: for each place the sum of its terms. */
function convolve(input, kernel, settings) {
  const [rows, columns] = outputShape(input, kernel, settings);
  const sum = (y, x) => termsOf(y, x, input, kernel, settings).reduce((total, term) => total + term.weight * term.value, 0);
  return Array.from({ length: rows }, (_, y) => Array.from({ length: columns }, (_, x) => sum(y, x)));
}

/** The outputs that read the input (row, column), each with the weight (i, j) that it is multiplied by. */
function usersOf(row, column, input, kernel, settings) {
  const [rows, columns] = outputShape(input, kernel, settings);
  const found = [];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const term = termsOf(y, x, input, kernel, settings).find((t) => t.row === row && t.column === column);
      if (term !== undefined) found.push({ y, x, i: term.i, j: term.j, weight: term.weight });
    }
  }
  return found;
}

/** An input with small whole numbers that look random, the same at every visit. */
function exampleInput(rows, columns) {
  return Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => (Math.imul(r * 31 + c * 17 + 7, 2654435761) >>> 24) % 10));
}
