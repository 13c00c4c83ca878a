// Kernels by name, as functions of their size.
const KERNELS = {
  "ones": () => 1,
  "identity": (i, j, rows, columns) => Number(i === Math.floor((rows - 1) / 2) && j === Math.floor((columns - 1) / 2)),
  "vertical edges": (i, j, rows, columns) => Math.sign(2 * j - columns + 1),
  "horizontal edges": (i, j, rows) => Math.sign(2 * i - rows + 1),
};
const DEFAULTS = { rows: "5", columns: "6", kernel: "1,0,-1;2,0,-2;1,0,-1", stride: "1", padding: "1", dilation: "1", mode: "number" };
const SLIDERS = { stride: [1, 3], padding: [0, 3], dilation: [1, 3] };

let state = { rows: 5, columns: 6, kernel: [[1]], stride: 1, padding: 0, dilation: 1, mode: "number" };
let input;
let output; // null where the settings do not fit
let items = {};

/** The items of an array by row and column; those of the input begin with its padding. */
const itemAt = {
  x: (row, column) => (row + zerosOf(state, state.kernel.length)[0]) * paddedColumns() + column + zerosOf(state, state.kernel[0].length)[0],
  w: (i, j) => i * state.kernel[0].length + j,
  out: (y, x) => y * output[0].length + x,
};

function paddedColumns() {
  const [left, right] = zerosOf(state, state.kernel[0].length);
  return state.columns + left + right;
}

/** Light items: `classes` maps the numbers of items to a class, `chosen` is the one that is pointed at. */
function light(name, classes, chosen = -1) {
  mark(items[name], classes);
  items[name].forEach((item, k) => item.classList.toggle("chosen", k === chosen));
}

const signed = (x) => (x < 0 ? `(${shortNumber(x)})` : shortNumber(x));

function pickOutput(y, x) {
  const terms = termsOf(y, x, input, state.kernel, state);
  light("x", Object.fromEntries(terms.map((t) => [itemAt.x(t.row, t.column), "read"])));
  light("w", Object.fromEntries(terms.map((_, k) => [k, "write"])));
  light("out", {}, itemAt.out(y, x));
  const sum = make("p", { class: terms.length > 9 ? "many" : "" }, tinted("green", `out[${y}, ${x}]`), " = ");
  terms.forEach((t, k) => sum.append(k ? " + " : "", tinted(t.inside ? "blue" : "muted", signed(t.value)), "\u00b7", tinted("orange", signed(t.weight))));
  sum.append(" = ", make("strong", {}, shortNumber(output[y][x])));
  const padded = terms.filter((t) => !t.inside).length;
  const note = padded ? `${padded} of the ${terms.length} terms read a zero of the padding.` : `All ${terms.length} terms read the input.`;
  byId("readout").replaceChildren(sum, make("p", {}, make("small", {}, note)));
}

function pickInput(row, column) {
  const users = usersOf(row, column, input, state.kernel, state);
  light("x", {}, itemAt.x(row, column));
  light("w", Object.fromEntries(users.map((u) => [itemAt.w(u.i, u.j), "write"])));
  light("out", Object.fromEntries(users.map((u) => [itemAt.out(u.y, u.x), "result"])));
  const inside = row >= 0 && row < state.rows && column >= 0 && column < state.columns;
  const name = inside ? `x[${row}, ${column}]` : "this zero of the padding";
  const used = make("p", { class: users.length > 6 ? "many" : "" }, tinted("blue", name), users.length === 0 ? " is read by no output" : ` is read by ${users.length} of the outputs: `);
  users.forEach((u, k) => used.append(k ? ", " : "", tinted("green", `out[${u.y}, ${u.x}]`), " with ", tinted("orange", `w[${u.i}, ${u.j}]`), ` = ${shortNumber(u.weight)}`));
  const gradient = inside ? "Its gradient is the sum over these outputs: the derivative of the output times the weight." : "The padding has no gradient.";
  byId("readout").replaceChildren(used, make("p", {}, make("small", {}, gradient)));
}

function pickWeight(i, j) {
  const outputs = output.flatMap((line, y) => line.map((_, x) => [y, x]));
  const terms = outputs.map(([y, x]) => termsOf(y, x, input, state.kernel, state)[itemAt.w(i, j)]);
  light("x", Object.fromEntries(terms.map((t) => [itemAt.x(t.row, t.column), "read"])));
  light("w", {}, itemAt.w(i, j));
  light("out", Object.fromEntries(outputs.map((_, k) => [k, "result"])));
  byId("readout").replaceChildren(
    make("p", {}, tinted("orange", `w[${i}, ${j}]`), ` = ${shortNumber(state.kernel[i][j])} takes part in every output: out[y, x] reads `, tinted("blue", `x[${place("y", i, 0)}, ${place("x", j, 1)}]`), " with it"),
    make("p", {}, make("small", {}, "Its gradient is the sum over all outputs: the derivative of the output times the input that is read.")),
  );
}

/** The formula of the input's row or column that output `axis` reads with weight `k`. */
function place(axis, k, dim) {
  const [before] = zerosOf(state, dim === 0 ? state.kernel.length : state.kernel[0].length);
  const shift = k * state.dilation - before;
  const scaled = state.stride === 1 ? axis : `${state.stride}\u00b7${axis}`;
  return shift === 0 ? scaled : `${scaled} ${shift > 0 ? "+" : "\u2212"} ${Math.abs(shift)}`;
}

function drawArrays() {
  const [top, bottom] = zerosOf(state, state.kernel.length);
  const [left] = zerosOf(state, state.kernel[0].length);
  const at = ([r, c]) => [r - top, c - left];
  const isZero = ([row, column]) => row < 0 || row >= state.rows || column < 0 || column >= state.columns;
  items.x = drawArray(byId("array-x"), [state.rows + top + bottom, paddedColumns()], {
    label: "Input with padding",
    text: (index) => (isZero(at(index)) ? "0" : String(input[at(index)[0]][at(index)[1]])),
    describe: (index) => (isZero(at(index)) ? `padding ${bracket(at(index))}: 0` : `input ${bracket(at(index))}: ${input[at(index)[0]][at(index)[1]]}`),
    pick: (index) => output !== null && pickInput(...at(index)), heads: false,
  });
  items.x.forEach((item, k) => item.classList.toggle("zero", isZero(at([Math.floor(k / paddedColumns()), k % paddedColumns()]))));
  byId("array-x").classList.toggle("wide", paddedColumns() > 8);
  items.w = drawArray(byId("array-w"), [state.kernel.length, state.kernel[0].length], {
    label: "Kernel", text: ([i, j]) => shortNumber(state.kernel[i][j], 3),
    describe: ([i, j]) => `weight ${bracket([i, j])}: ${state.kernel[i][j]}`, pick: (index) => output !== null && pickWeight(...index), heads: false,
  });
  if (output === null) {
    byId("array-out").replaceChildren(make("span", { class: "muted" }, "none"));
    return;
  }
  items.out = drawArray(byId("array-out"), [output.length, output[0].length], {
    label: "Output", text: ([y, x]) => shortNumber(output[y][x], 3),
    describe: ([y, x]) => `output ${bracket([y, x])}: ${shortNumber(output[y][x])}`, pick: (index) => pickOutput(...index), heads: false,
  });
}

function drawSizes() {
  const axes = { height: [state.rows, state.kernel.length], width: [state.columns, state.kernel[0].length] };
  byId("sizes").replaceChildren(...Object.entries(axes).map(([name, [n, k]]) => {
    const [before, after] = zerosOf(state, k);
    return make("div", {}, `${name} = (${n} + ${before + after} \u2212 ${state.dilation}\u00b7(${k} \u2212 1) \u2212 1) // ${state.stride} + 1 = ${outputSize(n, k, state)}`);
  }));
  const rows = (matrix) => `[[[${matrix.map((line) => `[${line.join(", ")}]`).join(", ")}]]]`;
  const padding = state.mode === "number" ? state.padding : `"${state.mode}"`;
  byId("code").textContent = [
    "import minitorch", "",
    `x = minitorch.tensor(${rows(input)})`,
    `w = minitorch.tensor(${rows(state.kernel)})`,
    `out = minitorch.conv2d(x, w, stride=${state.stride}, padding=${padding}, dilation=${state.dilation})`,
    output === null ? "# an error" : `# shape (1, 1, ${output.length}, ${output[0].length})`,
  ].join("\n");
}

function drawWeights() {
  const change = (i, j) => (event) => attempt("weights", () => {
    const value = event.target.value.trim() === "" ? NaN : Number(event.target.value);
    if (!Number.isFinite(value)) throw new Error("kernel: expected a number");
    show({ kernel: state.kernel.map((line, r) => line.map((old, c) => (r === i && c === j ? value : old))) }, "weights");
  });
  byId("weights").style.gridTemplateColumns = `repeat(${state.kernel[0].length}, auto)`;
  byId("weights").replaceChildren(...state.kernel.flatMap((line, i) => line.map((weight, j) => make("input", {
    type: "text", inputmode: "decimal", value: weight, "aria-label": `weight ${i}, ${j}`, oninput: change(i, j),
  }))));
}

function drawSliders() {
  const size = (label, key) => slider(label, state[key], 2, 8, (n) => show({ [key]: n }, "sliders"));
  byId("input-size").replaceChildren(size("rows", "rows"), size("columns", "columns"));
  const kernelSize = (label, value, resized) => slider(label, value, 1, 4, (n) => show({ kernel: resized(n) }, "kernel size"));
  const cut = (list, n, fill) => Array.from({ length: n }, (_, k) => list[k] ?? fill(k));
  byId("kernel-size").replaceChildren(
    kernelSize("rows", state.kernel.length, (n) => cut(state.kernel, n, () => state.kernel[0].map(() => 0))),
    kernelSize("columns", state.kernel[0].length, (n) => state.kernel.map((line) => cut(line, n, () => 0))),
  );
  byId("settings").replaceChildren(...Object.entries(SLIDERS).map(([name, [least, most]]) => {
    const row = slider(name, state[name], least, most, (n) => show({ [name]: n }, "sliders"));
    row.querySelector("input").disabled = name === "padding" && state.mode !== "number";
    return row;
  }));
}

/** Show changed settings; `source` names the control that they come from, which is left as it is. */
function show(changes, source = "") {
  state = { ...state, ...changes };
  input = exampleInput(state.rows, state.columns);
  clearErrors();
  try {
    output = convolve(input, state.kernel, state);
  } catch (error) {
    output = null;
    byId("message").textContent = error.message;
  }
  byId("mode").value = state.mode;
  if (source !== "sliders" && source !== "kernel size") drawSliders();
  if (source !== "weights") drawWeights();
  drawArrays();
  drawSizes();
  if (output === null) byId("readout").replaceChildren(make("p", {}, make("small", {}, "The settings do not fit, so nothing is computed.")));
  else pickOutput(Math.min(1, output.length - 1), Math.min(1, output[0].length - 1));
  writeAddress({ ...state, kernel: state.kernel.map((line) => line.join(",")).join(";") });
}

/** Show settings that are texts, as in the address. */
function showTexts(texts) {
  const number = (name, least, most) => parseNumbers(texts[name], name, { least, most, count: [1, 1] })[0];
  const kernel = texts.kernel.split(";").map((line) => line.split(",").map(Number));
  if (kernel.length > 4 || kernel[0].length > 4 || !kernel.every((line) => line.length === kernel[0].length && line.every(Number.isFinite))) {
    throw new Error("kernel: expected up to 4 rows of up to 4 numbers");
  }
  if (!["number", "same", "anchored"].includes(texts.mode)) throw new Error("mode: expected number, same or anchored");
  const settings = Object.fromEntries(Object.entries(SLIDERS).map(([name, [least, most]]) => [name, number(name, least, most)]));
  show({ rows: number("rows", 2, 8), columns: number("columns", 2, 8), kernel, mode: texts.mode, ...settings });
}

byId("kernels").append(...Object.entries(KERNELS).map(([name, weight]) => make("button", {
  type: "button", onclick: () => show({ kernel: state.kernel.map((line, i) => line.map((_, j) => weight(i, j, state.kernel.length, line.length))) }),
}, name)));
byId("mode").addEventListener("change", () => show({ mode: byId("mode").value }));

start(DEFAULTS, showTexts);
window.playground = { outputShape, termsOf, convolve, usersOf };
