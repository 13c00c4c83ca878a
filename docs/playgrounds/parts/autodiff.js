const EXAMPLES = {
  "product": { formula: "x * y + x", values: "x=2,y=3" },
  "neuron": { formula: "sigmoid(w * x + b)", values: "w=2,x=-1,b=0.5" },
  "loss of a neuron": { formula: "-log(sigmoid(w * x + b))", values: "w=2,x=-1,b=0.5" },
  "squared error": { formula: "(w * x - y) * (w * x - y)", values: "w=2,x=3,y=1" },
  "many uses": { formula: "relu(x * y) * x + x / y", values: "x=1.5,y=2" },
};
const BOX = { width: 104, height: 62 };
const NARROW = 700; // pixels; below, the graph goes from top to bottom

let state = { formula: "", values: {}, step: 0 };
let tree;
let graph;
let steps;

/** How many calls there are: so many steps go forward, the others backward. */
const forwardSteps = () => graph.nodes.filter((node) => node.kind === "call").length;
const callNumber = (k) => graph.nodes.slice(0, k + 1).filter((node) => node.kind === "call").length;

/** Make an SVG element. */
function drawn(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * The rows of the drawing, inputs before their calls, ordered so that few edges cross; and the way of each edge.
 *
 * A row holds the numbers of nodes, and a bend (a text) for each edge that passes it. A way is a list of both.
 */
function arrange({ nodes }) {
  const layers = nodes.map(() => 0);
  nodes.forEach((node, k) => { if (node.kind === "call") layers[k] = 1 + Math.max(...node.inputs.map((i) => layers[i])); });
  nodes.forEach((node, k) => {
    const users = nodes.flatMap((other, u) => (other.inputs.includes(k) ? [layers[u]] : []));
    if (node.kind !== "call") layers[k] = Math.min(...users) - 1;
  });
  const rows = Array.from({ length: Math.max(...layers) + 1 }, (_, layer) => [...nodes.keys()].filter((k) => layers[k] === layer));
  const ways = nodes.map((node, k) => node.inputs.map((input, i) => {
    const way = [input];
    for (let layer = layers[input] + 1; layer < layers[k]; layer++) {
      const bend = `${input}-${k}-${i}-${layer}`;
      rows[layer].push(bend);
      way.push(bend);
    }
    return [...way, k];
  }));
  const near = new Map();
  for (const way of ways.flat()) {
    way.forEach((item, n) => near.set(item, [...(near.get(item) ?? []), ...way.slice(Math.max(0, n - 1), n), ...way.slice(n + 1, n + 2)]));
  }
  const middle = (item, other) => {
    const places = near.get(item).map((neighbour) => other.indexOf(neighbour)).filter((slot) => slot >= 0);
    return places.length === 0 ? 0.5 : places.reduce((sum, slot) => sum + slot + 0.5, 0) / places.length / other.length;
  };
  const sort = (row, other) => row.sort((a, b) => middle(a, other) - middle(b, other));
  for (let round = 0; round < 4; round++) {
    for (let k = 1; k < rows.length; k++) sort(rows[k], rows[k - 1]);
    for (let k = rows.length - 2; k >= 0; k--) sort(rows[k], rows[k + 1]);
  }
  return { rows, ways };
}

/** The middle of each box and bend, and the size of the drawing. */
function place(rows, narrow) {
  const [width, height] = [narrow ? 84 : BOX.width, BOX.height];
  const [deep, broad] = narrow ? [height, width] : [width, height];
  const gap = narrow ? { along: 44, across: 8 } : { along: 58, across: 16 };
  const extent = (item) => (typeof item === "string" ? 24 : broad + gap.across);
  const breadths = rows.map((row) => row.reduce((sum, item) => sum + extent(item), 0));
  const breadth = Math.max(...breadths) + 4;
  const at = new Map();
  rows.forEach((row, layer) => {
    const along = layer * (deep + gap.along) + deep / 2 + 4;
    let across = (breadth - breadths[layer]) / 2;
    for (const item of row) {
      const center = across + extent(item) / 2;
      at.set(item, narrow ? { x: center, y: along } : { x: along, y: center });
      across += extent(item);
    }
  });
  const length = rows.length * (deep + gap.along) - gap.along + 8;
  return { at, width, size: narrow ? [breadth, length] : [length, breadth] };
}

/** The path along the points of a way, and the place for a number at its end. */
function pathOf(points, narrow) {
  const parts = [`M${points[0].x} ${points[0].y}`];
  for (let n = 1; n < points.length; n++) {
    const [a, b] = [points[n - 1], points[n]];
    const [dx, dy] = narrow ? [0, (b.y - a.y) / 2] : [(b.x - a.x) / 2, 0];
    parts.push(`C${a.x + dx} ${a.y + dy} ${b.x - dx} ${b.y - dy} ${b.x} ${b.y}`);
  }
  const [a, b] = points.slice(-2);
  return { d: parts.join(" "), label: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } };
}

/** What is known of the nodes after the current step. */
function situation() {
  const calls = forwardSteps();
  const backward = state.step > calls ? steps[state.step - calls - 1] : null;
  const finished = new Map(); // what arrived at calls that were taken
  for (const step of steps.slice(0, Math.max(0, state.step - calls))) if (step.node !== null) finished.set(step.node, step.d);
  return { calls, backward, finished, computed: (k) => graph.nodes[k].kind !== "call" || callNumber(k) <= state.step };
}

/** The class of a node, and the text of its derivative. */
function nodeState(k, { backward, finished, computed, calls }) {
  const node = graph.nodes[k];
  const classes = [computed(k) ? node.kind : "waiting"];
  let derivative = "";
  if (backward !== null) {
    const isPending = backward.pending.find(([key]) => key === k);
    const isReady = backward.ready.find(([key]) => key === k);
    const final = backward.grads.get(k) ?? finished.get(k);
    if (isPending) [derivative] = [`${shortNumber(isPending[1])} + \u2026`, classes.push("pending")];
    else if (isReady) [derivative] = [shortNumber(isReady[1]), classes.push("ready")];
    else if (final !== undefined) [derivative] = [shortNumber(final), classes.push("final")];
  }
  const current = backward === null ? node.kind === "call" && callNumber(k) === state.step : backward.node === k;
  if (current && state.step > 0) classes.push("current");
  return { kind: classes.join(" "), derivative };
}

function drawGraph() {
  const narrow = byId("graph").parentElement.clientWidth < NARROW;
  const { rows, ways } = arrange(graph);
  const { at, width, size } = place(rows, narrow);
  const now = situation();
  const { backward } = now;
  const style = `max-width: max(100%, ${0.8 * size[0]}px); height: auto`;
  const picture = drawn("svg", { width: size[0], height: size[1], style, viewBox: `0 0 ${size[0]} ${size[1]}`, role: "img", "aria-label": `Graph of ${state.formula}` });
  const labels = [];
  const [aside, ahead] = narrow ? [{ x: 1, y: 0 }, { x: 0, y: BOX.height / 2 }] : [{ x: 0, y: 1 }, { x: width / 2, y: 0 }];
  graph.nodes.forEach((node, k) => node.inputs.forEach((input, i) => {
    // Edges to one call end side by side; of two between the same boxes, their beginnings are apart too.
    const shift = node.inputs.length === 2 ? [-13, 13][i] : 0;
    const start = node.inputs.length === 2 && node.inputs[0] === node.inputs[1] ? shift : 0;
    const points = ways[k][i].map((item) => ({ ...at.get(item) }));
    const move = (point, sign, off) => Object.assign(point, { x: point.x + sign * ahead.x + off * aside.x, y: point.y + sign * ahead.y + off * aside.y });
    move(points[0], 1, start);
    move(points.at(-1), -1, shift);
    const { d, label } = pathOf(points, narrow);
    const forward = backward === null && node.kind === "call" && callNumber(k) === state.step;
    const back = backward !== null && backward.node === k && graph.nodes[input].kind !== "constant";
    picture.append(drawn("path", { d, class: back ? "back" : forward ? "active" : "" }));
    if (back) labels.push(drawn("text", { class: "passed", x: label.x, y: label.y + 4 }, shortNumber(backward.passes[i].product, 3)));
  }));
  graph.nodes.forEach((node, k) => {
    const { kind, derivative } = nodeState(k, now);
    const { x, y } = at.get(k);
    const value = !now.computed(k) ? "?" : node.kind === "constant" ? "constant" : `= ${shortNumber(node.value)}`;
    picture.append(drawn("g", { class: kind },
      drawn("rect", { x: x - width / 2, y: y - BOX.height / 2, width, height: BOX.height, rx: 9 }),
      drawn("text", { class: "title", x, y: y - 13 }, node.kind === "call" ? `${node.name}: ${node.fn}` : node.name),
      drawn("text", { class: "value", x, y: y + 5 }, value),
      drawn("text", { class: "derivative", x, y: y + 23 }, derivative === "" ? "" : `d ${derivative}`)));
  });
  picture.append(...labels);
  byId("graph").replaceChildren(picture);
}

const nameOf = (k) => graph.nodes[k].name;

/** The lines about the current step. */
function told() {
  const { calls, backward } = situation();
  const line = (...parts) => make("p", {}, ...parts);
  const small = (text) => line(make("small", {}, text));
  if (state.step === 0) return [line("The leaves have values. No call is recorded yet."), small("Each step forward computes one call and records it.")];
  if (backward === null) {
    const k = graph.nodes.findIndex((node, n) => node.kind === "call" && callNumber(n) === state.step);
    const node = graph.nodes[k];
    const operands = node.inputs.map((i) => graph.nodes[i]);
    const numbers = operands.map((operand) => (operand.value < 0 ? `(${shortNumber(operand.value)})` : shortNumber(operand.value)));
    return [
      line(`${node.name} = ${CALLS[node.fn].text(...operands.map((operand) => operand.name))} = `, tinted("muted", CALLS[node.fn].text(...numbers)), " = ", tinted("blue", shortNumber(node.value))),
      small(`Recorded: the function ${node.fn} and its operands. Step ${state.step} of ${calls} forward.`),
    ];
  }
  if (backward.node === null) {
    const uses = countUses(graph.nodes).map((n, k) => [k, n]).filter(([k, n]) => n > 0 && graph.nodes[k].kind !== "constant");
    return [
      line(`The derivative of ${nameOf(graph.result)} for itself is `, tinted("orange", "1"), ". It is ready."),
      small(`Uses are counted: ${uses.map(([k, n]) => `${nameOf(k)} ${n}`).join(", ")}.`),
    ];
  }
  const lines = [line(`${nameOf(backward.node)}: ${graph.nodes[backward.node].fn} receives `, tinted("orange", `d = ${shortNumber(backward.d)}`))];
  for (const pass of backward.passes) {
    if (pass.becomes === "constant") {
      lines.push(line(tinted("muted", `${nameOf(pass.input)} is a constant: nothing is passed on`)));
      continue;
    }
    const [text, local] = pass.local;
    const shown = shortNumber(local);
    const passed = line(`to ${nameOf(pass.input)}: d \u00b7 `, tinted("blue", /[ \u2212]/.test(text) ? `(${text})` : text), ` = ${shortNumber(backward.d)} \u00b7 `, tinted("blue", local < 0 ? `(${shown})` : shown), " = ", tinted("orange", shortNumber(pass.product)));
    const sum = pass.before === null ? "" : `, sum ${shortNumber(pass.before)} + ${shortNumber(pass.product)} = ${shortNumber(pass.sum)}`;
    const becomes = { pending: `pending, uses missing: ${pass.left}`, ready: "now ready", final: "final" }[pass.becomes];
    passed.append(make("small", {}, `${sum}, ${becomes}`));
    lines.push(passed);
  }
  return lines;
}

function drawTables() {
  const { backward } = situation();
  const fill = (id, rows) => byId(id).replaceChildren(...(rows.length === 0 ? [make("tr", {}, make("th", {}, "none"))] : rows.map(([name, ...values]) => make("tr", {}, make("th", { scope: "row" }, name), ...values.map((value) => make("td", {}, value))))));
  fill("ready", backward === null ? [] : backward.ready.map(([k, d]) => [nameOf(k), `d = ${shortNumber(d)}`]));
  fill("pending", backward === null ? [] : backward.pending.map(([k, d, left]) => [nameOf(k), `sum ${shortNumber(d)}`, `missing: ${left}`]));
  fill("leaves", backward === null ? [] : [...backward.grads].map(([k, d]) => [nameOf(k), shortNumber(d)]));
}

/** Show a step: 0 is before the first call, then come the calls, then the steps of backpropagation. */
function goTo(step) {
  const most = forwardSteps() + steps.length;
  state.step = Math.max(0, Math.min(most, step));
  byId("step").max = most;
  byId("step").value = state.step;
  for (const [id, off] of Object.entries({ first: state.step === 0, back: state.step === 0, next: state.step === most, last: state.step === most })) byId(id).disabled = off;
  const calls = forwardSteps();
  byId("phase").textContent = state.step <= calls ? `forward, step ${state.step} of ${calls}` : `backward, step ${state.step - calls} of ${steps.length}`;
  drawGraph();
  drawTables();
  byId("readout").replaceChildren(...told());
  writeAddress({ formula: state.formula, values: Object.entries(state.values).map(([name, value]) => `${name}=${value}`).join(","), step: state.step });
}

function drawVariables() {
  byId("variables").replaceChildren(...variablesOf(tree).map((name) => make("div", { class: "line" }, make("span", {}, name), make("input", {
    type: "text", inputmode: "decimal", value: state.values[name], "aria-label": `value of ${name}`,
    oninput: (event) => attempt("variables", () => {
      const value = Number(event.target.value.trim().replace("\u2212", "-") || NaN);
      if (!Number.isFinite(value)) throw new Error(`${name}: expected a number`);
      show({ values: { ...state.values, [name]: value } }, "variables");
    }),
  }))));
}

/** Show changed settings; a formula that cannot be read or computed is an Error, and changes nothing. */
function show(changes, source = "") {
  const changed = { ...state, ...changes };
  const parsed = parseFormula(changed.formula);
  const names = variablesOf(parsed);
  changed.values = Object.fromEntries(names.map((name, k) => [name, changed.values[name] ?? k + 1]));
  const recorded = record(parsed, changed.values);
  if (recorded.nodes.length > 40) throw new Error("formula: expected a graph of at most 40 nodes");
  [state, tree, graph, steps] = [changed, parsed, recorded, backpropagate(recorded)];
  clearErrors();
  if (source !== "formula") byId("formula").value = state.formula;
  if (source !== "variables") drawVariables();
  byId("code").textContent = [
    "from minitorch import Scalar", "",
    ...names.map((name) => `${name} = Scalar(${state.values[name]})`),
    `out = ${toPython(tree)}`, "out.backward()", ...names.map((name) => `${name}.derivative  # ${shortNumber(steps.at(-1).grads.get(names.indexOf(name)), 6)}`),
  ].join("\n");
  goTo(source === "variables" ? state.step : changes.step ?? 0);
}

/** Show settings that are texts, as in the address and in the examples. */
function showTexts({ formula, values, step = "0" }) {
  const pairs = values.split(",").filter((pair) => pair !== "").map((pair) => pair.split("="));
  if (!pairs.every(([, value]) => Number.isFinite(Number(value)))) throw new Error("values: expected numbers");
  show({ formula, values: Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)])), step: Number(step) || 0 });
}

typed("formula", (formula) => show({ formula }, "formula"));
byId("examples").append(...Object.entries(EXAMPLES).map(([name, texts]) => make("button", { type: "button", onclick: () => showTexts(texts) }, name)));
byId("first").onclick = () => goTo(0);
byId("back").onclick = () => goTo(state.step - 1);
byId("next").onclick = () => goTo(state.step + 1);
byId("last").onclick = () => goTo(Infinity);
byId("step").oninput = () => goTo(Number(byId("step").value));
start({ ...EXAMPLES["many uses"], step: "0" }, showTexts);
new ResizeObserver(drawGraph).observe(byId("graph").parentElement);
window.playground = { parseFormula, variablesOf, record, backpropagate, toPython };
