const EXAMPLES = {
  "matrix + row": { a: "3,4", b: "4" },
  "matrix + column": { a: "3,4", b: "3,1" },
  "column + row": { a: "4,1", b: "1,5" },
  "batch + matrix": { a: "2,3,4", b: "3,4" },
  "image + a number per channel": { a: "3,2,4", b: "3,1,1" },
  "an error": { a: "2,3", b: "2" },
};

let state = { a: [3, 4], b: [4] };
let out = null;
let items = {};

/** Light an element of the result, and the elements that it reads. */
function pickResult(index) {
  const parts = { a: broadcastIndex(index, state.a), b: broadcastIndex(index, state.b) };
  for (const name of ["a", "b"]) mark(items[name], { [indexToPosition(parts[name], stridesFromShape(state[name]))]: "read" });
  mark(items.out, { [indexToPosition(index, stridesFromShape(out))]: "result" });
  const [x, y] = [operandValue("a", state.a, index), operandValue("b", state.b, index)];
  byId("readout").replaceChildren(
    make("p", {}, tinted("green", `out${bracket(index)}`), " = ", tinted("blue", `a${bracket(parts.a)}`), " + ", tinted("orange", `b${bracket(parts.b)}`)),
    make("p", {}, tinted("green", x + y), " = ", tinted("blue", x), " + ", tinted("orange", y)),
  );
}

/** Light an element of an operand, and the elements of the result that read it. */
function pickOperand(name, index) {
  const other = name === "a" ? "b" : "a";
  const uses = usesOf(index, state[name], out);
  mark(items[name], { [indexToPosition(index, stridesFromShape(state[name]))]: "read" });
  mark(items[other], {});
  mark(items.out, Object.fromEntries(uses.map((ordinal) => [ordinal, "result"])));
  const listed = uses.slice(0, 12).map((ordinal) => bracket(toIndex(ordinal, out)));
  const rest = uses.length > 12 ? `, and ${uses.length - 12} more` : "";
  byId("readout").replaceChildren(
    make("p", {}, tinted(name === "a" ? "blue" : "orange", `${name}${bracket(index)}`), ` is read by ${uses.length} ${uses.length === 1 ? "element" : "elements"} of the result: `, tinted("green", listed.join(" ") + rest)),
    make("p", {}, make("small", {}, `So its gradient is the sum of ${uses.length} ${uses.length === 1 ? "derivative" : "derivatives"}, one per use.`)),
  );
}

function drawSizes() {
  const pairs = explainSizes(state.a, state.b);
  const line = (name, color, key) => make("tr", {}, make("th", { scope: "row", class: color }, name), ...pairs.map((pair) => {
    const kind = pair.out === null ? "bad" : pair[key] === null ? "missing" : key === "out" ? "fit" : "";
    const text = key === "out" && pair.out === null ? "error" : pair[key] === null ? "\u2013" : String(pair[key]);
    return make("td", { class: kind }, text);
  }), ...(pairs.length === 0 ? [make("td", { class: "missing" }, "()")] : []));
  const why = make("tr", { class: "why" }, make("th", { "aria-label": "reason" }), ...pairs.map((pair) => make("td", { class: pair.out === null ? "bad" : "" }, pair.why)));
  byId("sizes").replaceChildren(line("a", "blue", "a"), line("b", "orange", "b"), line("result", "green", "out"), why);
}

function drawArrays() {
  const options = (name, shape, value) => ({
    label: name, text: (index) => String(value(index)), describe: (index) => `${name} ${bracket(index)}: ${value(index)}`,
  });
  for (const name of ["a", "b"]) {
    const value = (index) => VALUES[name](indexToPosition(index, stridesFromShape(state[name])));
    items[name] = drawArray(byId(`array-${name}`), state[name], { ...options(name, state[name], value), pick: (index) => out !== null && pickOperand(name, index) });
  }
  if (out === null) {
    byId("array-out").replaceChildren(make("span", { class: "muted" }, "none"));
    byId("readout").replaceChildren(make("p", {}, make("small", {}, "The operands have no common shape, so nothing is computed.")));
    return;
  }
  const value = (index) => operandValue("a", state.a, index) + operandValue("b", state.b, index);
  items.out = drawArray(byId("array-out"), out, { ...options("result", out, value), pick: pickResult });
  pickResult(toIndex(Math.min(sizeOf(out) - 1, (out.at(-1) ?? 1) + 1), out));
}

function drawGradient() {
  if (out === null) {
    byId("gradient").textContent = "There is no result, and so no gradient.";
    return;
  }
  const told = ["a", "b"].map((name) => {
    const uses = sizeOf(out) / sizeOf(state[name]);
    return `Each element of ${name} is read ${uses === 1 ? "once" : `${uses} times`}, so after (a + b).sum().backward() each element of ${name}.grad, of shape ${tuple(state[name])}, is ${uses}.`;
  });
  byId("gradient").textContent = `${told.join(" ")} A gradient has the shape of its tensor: backward sums over the dimensions that were repeated.`;
}

/** Show changed shapes; `source` names the text field that they come from, which is left as it is. */
function show(changes, source = "") {
  const changed = { ...state, ...changes };
  let message;
  let result = null;
  try {
    result = shapeBroadcast(changed.a, changed.b);
    message = `The result has the shape ${tuple(result)}.`;
  } catch (error) {
    message = `IndexingError: ${error.message}`;
  }
  if (result !== null && sizeOf(result) > MOST_ELEMENTS) {
    throw new Error(`expected a result of at most ${MOST_ELEMENTS} elements, got shape ${tuple(result)}`);
  }
  [state, out] = [changed, result];
  for (const name of ["a", "b"]) if (name !== source) byId(name).value = state[name].join(", ");
  clearErrors();
  byId("message").textContent = message;
  byId("message").classList.toggle("red", out === null);
  drawSizes();
  drawArrays();
  drawGradient();
  writeAddress(state);
}

const showTexts = ({ a, b }) => show({ a: parseOperand(a, "a"), b: parseOperand(b, "b") });
typed("a", (text) => show({ a: parseOperand(text, "a") }, "a"));
typed("b", (text) => show({ b: parseOperand(text, "b") }, "b"));
byId("examples").append(...Object.entries(EXAMPLES).map(([name, shapes]) => make("button", { type: "button", onclick: () => showTexts(shapes) }, name)));

start({ a: "3,4", b: "3,1" }, showTexts);
window.playground = { shapeBroadcast, broadcastIndex, usesOf, explainSizes, operandValue, parseOperand };
