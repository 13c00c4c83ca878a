// Formulas of scalars: the recorded calls, and backpropagation step by step, in the order of minitorch.

const EPS = 1e-6;
const FUNCTIONS = { log: "Log", exp: "Exp", sigmoid: "Sigmoid", relu: "ReLU" };

function sigmoid(x) {
  const e = Math.exp(-Math.abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

/**
 * The recorded functions: value, local derivative for each operand, and the derivatives that backward returns.
 * `local` has a text and a number. `backward` computes in the order of minitorch, so that it rounds alike.
 */
const CALLS = {
  Add: {
    text: (a, b) => `${a} + ${b}`, forward: (a, b) => a + b,
    local: () => [["1", 1], ["1", 1]], backward: (d) => [d, d],
  },
  Mul: {
    text: (a, b) => `${a} \u00b7 ${b}`, forward: (a, b) => a * b,
    local: (names, a, b) => [[names[1], b], [names[0], a]], backward: (d, a, b) => [d * b, d * a],
  },
  Div: {
    text: (a, b) => `${a} / ${b}`, forward: (a, b) => a / b,
    local: (names, a, b) => [[`1 / ${names[1]}`, 1 / b], [`\u2212${names[0]} / ${names[1]}\u00b2`, -(a / b) / b]],
    backward: (d, a, b) => [d / b, -((a / b) * (d / b))],
  },
  Neg: { text: (a) => `\u2212${a}`, forward: (a) => -a, local: () => [["\u22121", -1]], backward: (d) => [-d] },
  Log: {
    text: (a) => `log(${a})`, forward: (a) => Math.log(a + EPS),
    local: (names, a) => [[`1 / (${names[0]} + 10\u207b\u2076)`, 1 / (a + EPS)]], backward: (d, a) => [d / (a + EPS)],
  },
  Exp: {
    text: (a) => `exp(${a})`, forward: (a) => Math.exp(a),
    local: (names, a) => [[`exp(${names[0]})`, Math.exp(a)]], backward: (d, a) => [d * Math.exp(a)],
  },
  Sigmoid: {
    text: (a) => `sigmoid(${a})`, forward: sigmoid,
    local: (names, a) => [["s \u00b7 (1 \u2212 s)", sigmoid(a) * (1 - sigmoid(a))]],
    backward: (d, a) => [d * sigmoid(a) * (1 - sigmoid(a))],
  },
  ReLU: {
    text: (a) => `relu(${a})`, forward: (a) => (a <= 0 ? 0 : a),
    local: (names, a) => [[a <= 0 ? `0, as ${names[0]} \u2264 0` : `1, as ${names[0]} > 0`, a <= 0 ? 0 : 1]],
    backward: (d, a) => [a <= 0 ? 0 : d],
  },
};

/** The syntax tree of a formula; an Error says what was expected where. */
function parseFormula(text) {
  const tokens = [...text.matchAll(/\s*(\d+\.?\d*|\.\d+|[A-Za-z]+|[-+*/()]|\S)/g)].map((match) => match[1].replace("\u2212", "-"));
  let place = 0;
  const fail = (wanted) => {
    throw new Error(`formula: expected ${wanted}, got ${place < tokens.length ? `"${tokens[place]}"` : "its end"}`);
  };
  const take = (wanted) => (tokens[place] === wanted ? place++ : fail(`"${wanted}"`));
  const chain = (operators, part) => () => {
    let left = part();
    while (operators.includes(tokens[place])) left = { kind: tokens[place++], parts: [left, part()] };
    return left;
  };
  const atom = () => {
    const token = tokens[place] ?? "";
    if (/^[\d.]/.test(token)) return { kind: "number", value: Number(tokens[place++]) };
    if (/^[A-Za-z]$/.test(token)) return { kind: "variable", name: tokens[place++] };
    if (token === "(" || Object.hasOwn(FUNCTIONS, token)) {
      if (token !== "(") place++;
      take("(");
      const inside = sum();
      take(")");
      return token === "(" ? inside : { kind: token, parts: [inside] };
    }
    return fail("a number, a variable of one letter, a function or \"(\"");
  };
  const factor = () => {
    if (tokens[place] !== "-") return atom();
    place++;
    return { kind: "neg", parts: [factor()] };
  };
  const product = chain(["*", "/"], factor);
  const sum = chain(["+", "-"], product);
  const tree = sum();
  if (place < tokens.length) fail("an operator");
  return tree;
}

/** The names of the variables of a syntax tree, in their order in the formula. */
function variablesOf(tree) {
  if (tree.kind === "variable") return [tree.name];
  return [...new Set((tree.parts ?? []).flatMap(variablesOf))];
}

/**
 * Compute a formula as minitorch does: the nodes of its graph in the order in which they are made.
 *
 * A node has a kind (leaf, constant or call), a name, a value, and for a call its function and its inputs. Numbers
 * without a variable are computed by Python, and become a constant when a call takes them.
 */
function record(tree, values) {
  const nodes = variablesOf(tree).map((name) => ({ kind: "leaf", name, value: values[name], inputs: [] }));
  const leaves = new Map(nodes.map((node, k) => [node.name, k]));
  let calls = 0;
  const isNumber = (x) => typeof x === "object";
  const lift = (x) => (isNumber(x) ? nodes.push({ kind: "constant", name: shortNumber(x.number), value: x.number, inputs: [] }) - 1 : x);
  const call = (fn, ...operands) => {
    const inputs = operands.map(lift);
    const value = CALLS[fn].forward(...inputs.map((k) => nodes[k].value));
    const name = `v${++calls}`;
    if (!Number.isFinite(value)) {
      throw new Error(`formula: expected a finite value, but ${CALLS[fn].text(...inputs.map((k) => shortNumber(nodes[k].value)))} is ${Number.isNaN(value) ? "not defined" : "infinite"}`);
    }
    return nodes.push({ kind: "call", fn, name, value, inputs }) - 1;
  };
  const negated = (x) => (isNumber(x) ? { number: -x.number } : call("Neg", x));
  const both = { "+": ["Add", (a, b) => a + b], "*": ["Mul", (a, b) => a * b], "/": ["Div", (a, b) => a / b] };
  const compute = (part) => {
    if (part.kind === "number") return { number: part.value };
    if (part.kind === "variable") return leaves.get(part.name);
    const operands = part.parts.map(compute);
    if (part.kind === "neg") return negated(operands[0]);
    if (Object.hasOwn(FUNCTIONS, part.kind)) {
      if (isNumber(operands[0])) throw new Error(`formula: expected a variable inside of ${part.kind}`);
      return call(FUNCTIONS[part.kind], operands[0]);
    }
    const [fn, plain] = both[part.kind === "-" ? "+" : part.kind];
    const [left, right] = operands;
    if (isNumber(left) && isNumber(right)) return { number: part.kind === "-" ? left.number - right.number : plain(left.number, right.number) };
    return call(fn, left, part.kind === "-" ? negated(right) : right);
  };
  const result = compute(tree);
  if (isNumber(result) || nodes[result].kind !== "call") throw new Error("formula: expected an operation on a variable");
  return { nodes, result };
}

/** How often recorded calls use each node that gets a derivative. */
function countUses(nodes) {
  const uses = nodes.map(() => 0);
  for (const node of nodes) for (const k of node.inputs) if (nodes[k].kind !== "constant") uses[k]++;
  return uses;
}

/**
 * The steps of backpropagation from a result: which node is taken, what arrives there, what it passes to its operands,
 * and after the step: what is ready and pending, and the derivatives of leaves that are final.
 */
function backpropagate({ nodes, result }) {
  const uses = countUses(nodes);
  const pending = new Map();
  const ready = [[result, 1]];
  const grads = new Map();
  const state = () => ({ ready: [...ready], pending: [...pending].map(([k, d]) => [k, d, uses[k]]), grads: new Map(grads) });
  const steps = [{ node: null, d: 1, passes: [], ...state() }];
  while (ready.length > 0) {
    const [node, d] = ready.pop();
    const { fn, inputs } = nodes[node];
    const operands = inputs.map((k) => nodes[k].value);
    const locals = CALLS[fn].local(inputs.map((k) => nodes[k].name), ...operands);
    const passes = CALLS[fn].backward(d, ...operands).map((product, i) => {
      const input = inputs[i];
      const pass = { input, local: locals[i], product, sum: product, before: null, left: 0, becomes: "constant" };
      if (nodes[input].kind === "constant") return pass;
      if (pending.has(input)) {
        pass.before = pending.get(input);
        pass.sum = pass.before + product;
        pending.delete(input);
      }
      pass.left = --uses[input];
      if (pass.left > 0) pending.set(input, pass.sum);
      else if (nodes[input].kind === "leaf") grads.set(input, pass.sum);
      else ready.push([input, pass.sum]);
      pass.becomes = pass.left > 0 ? "pending" : nodes[input].kind === "leaf" ? "final" : "ready";
      return pass;
    });
    steps.push({ node, d, passes, ...state() });
  }
  return steps;
}

/** The formula as Python writes it for Scalars. */
function toPython(tree) {
  const wrap = (part, kinds) => (kinds.includes(part.kind) ? `(${toPython(part)})` : toPython(part));
  const [left, right] = tree.parts ?? [];
  if (tree.kind === "number") return String(tree.value);
  if (tree.kind === "variable") return tree.name;
  if (tree.kind === "neg") return `-${wrap(left, ["+", "-", "*", "/"])}`;
  if (Object.hasOwn(FUNCTIONS, tree.kind)) return `${wrap(left, ["+", "-", "*", "/", "neg"])}.${tree.kind}()`;
  if (tree.kind === "+" || tree.kind === "-") return `${toPython(left)} ${tree.kind} ${wrap(right, ["+", "-"])}`;
  return `${wrap(left, ["+", "-"])} ${tree.kind} ${wrap(right, ["+", "-", "*", "/"])}`;
}
