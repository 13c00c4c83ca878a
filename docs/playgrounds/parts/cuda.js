const SIZES = {
  map: { size: [1, 24], block: [4, 8] },
  sum: { size: [1, 32], block: [4, 16] },
  matmul: { rows: [1, 8], columns: [1, 8], depth: [1, 8] },
};
// Settings of some kernels that are on or off, and what they say; settings that are chosen; and their kernels.
const SWITCHES = {
  guard: "guard: threads beyond the end do nothing",
  barriers: "barriers: syncthreads()",
  pad: "rows in shared memory are one longer",
};
const CHOICES = { rounds: ["halves", "neighbours"], across: ["column", "row"] };
const USED_BY = { guard: ["map", "sum", "matmul"], barriers: ["sum", "matmul"], rounds: ["sum"], across: ["matmul"], pad: ["matmul"] };
const DEFAULTS = {
  kernel: "map", size: "13", block: "8", rows: "6", columns: "5", depth: "6",
  guard: "1", barriers: "1", rounds: "halves", across: "column", pad: "0", order: "together", step: "0",
};

let state = {}; // texts, as in the address; `settings` reads them
let launched;
let threadItems = [];
let memoryItems = {};

const settings = () => ({
  ...Object.fromEntries(["size", "block", "rows", "columns", "depth"].map((name) => [name, Number(state[name])])),
  guard: state.guard === "1", barriers: state.barriers === "1", pad: state.pad === "1",
  rounds: state.rounds, across: state.across, order: state.order,
});
const now = () => Number(state.step);
const current = () => launched.steps[now() - 1] ?? null;
const blockNumber = ({ x, y }) => y * launched.grid[0] + x;
const place = ({ x, y }, flat) => (flat ? String(x) : `(${x}, ${y})`);
const threadName = (number) => {
  const [wide, high] = launched.block;
  return `thread ${place({ x: number % wide, y: Math.floor(number / wide) }, high === 1)}`;
};
const elementName = (array, index) => {
  const { columns, pitch, space } = launched.arrays[array];
  const flat = state.kernel !== "matmul";
  const width = space === "shared" ? pitch : columns;
  return flat ? `${array}[${index}]` : `${array}[${Math.floor(index / width)}, ${index % width}]`;
};
const shownValue = (value) => (Number.isNaN(value) ? "?" : shortNumber(value));

/** What the arrays hold after the current step; shared memory is that of the current block. */
function memoryNow() {
  const memory = Object.fromEntries(Object.entries(launched.arrays).map(([name, { values }]) => [name, [...values]]));
  let block = -1;
  for (const step of launched.steps.slice(0, now())) {
    if (blockNumber(step.block) !== block) {
      block = blockNumber(step.block);
      for (const [name, { space, size }] of Object.entries(launched.arrays)) if (space === "shared") memory[name] = Array(size).fill(NaN);
    }
    for (const { kind, array, index, value, outside } of step.accesses) if (kind === "write" && !outside) memory[array][index] = value;
  }
  return memory;
}

/** Whether an access is a fault: beyond the end, in a race, or of memory that is not written yet. */
const isBad = ({ kind, value, outside, race }) => outside || race || (kind === "read" && Number.isNaN(value));

/** An access as a sentence. */
function told({ kind, array, index, value, outside, race, thread }) {
  const name = outside ? `${array}, element ${index} of ${launched.arrays[array].size}` : elementName(array, index);
  const line = make("p", {}, `${threadName(thread)} ${kind}s `, tinted(kind === "read" ? "blue" : "orange", name), ` = ${shownValue(value)}`);
  if (outside) line.append(tinted("red", ", out of bounds"));
  else if (kind === "read" && Number.isNaN(value)) line.append(tinted("red", ", unknown"));
  if (race) line.append(tinted("red", ", a race"));
  return line;
}

/** The lines about the current step. */
function summary() {
  const step = current();
  const small = (text) => make("p", {}, make("small", {}, text));
  if (step === null) {
    const [wide, high] = launched.block;
    const blocks = launched.grid[0] * launched.grid[1];
    return [
      make("p", {}, `${blocks} ${blocks === 1 ? "block" : "blocks"} of ${wide * high} threads`),
      small("Each step is one instruction: the threads of a warp do it together. Blocks are shown one after the other; a GPU runs them at the same time."),
    ];
  }
  const where = `block ${place(step.block, launched.grid[1] === 1)}, line ${step.line}`;
  if (step.kind === "barrier") return [make("p", {}, `${where}: all threads of the block have arrived at the barrier`), small("What they wrote before is now visible to all threads of the block.")];
  const { space, pitch } = launched.arrays[step.array];
  const lines = [make("p", {}, `${where}: ${step.accesses.length} ${step.accesses.length === 1 ? "thread" : "threads"} ${step.accesses.length === 1 ? `${step.kind}s` : step.kind} `, tinted(step.kind === "read" ? "blue" : "orange", step.array), ` in ${space} memory`)];
  const bad = step.accesses.filter(isBad);
  if (space === "shared") {
    const worst = Math.max(...step.passes);
    lines.push(small(worst === 1 ? "Each warp needs one pass: no bank has to give two different elements." : `A warp needs ${worst} passes: one bank has to give ${worst} different elements.`));
    if (worst > 1) lines.push(small(pitch === WARP && state.kernel === "matmul" ? "Elements below each other lie in one bank. Rows that are one longer shift them." : "Elements at a distance of 4 lie in one bank."));
  } else {
    const warps = new Set(step.accesses.map(({ thread }) => Math.floor(thread / WARP))).size;
    lines.push(small(`${warps} ${warps === 1 ? "warp" : "warps"}, ${step.transactions} ${step.transactions === 1 ? "transaction" : "transactions"} of 4 neighbours each.`));
  }
  return [...lines, ...bad.slice(0, 3).map(told), ...(bad.length > 3 ? [small(`and ${bad.length - 3} more`)] : [])];
}

const tell = (...lines) => byId("readout").replaceChildren(...lines);

function drawCode() {
  const step = current();
  const off = { guard: state.guard === "0", barrier: state.barriers === "0" };
  byId("code").replaceChildren(...KERNELS[state.kernel].lines(settings()).map(([text, needs], k) => make("span", {
    class: `${off[needs] ? "off" : ""}${step !== null && step.line === k + 1 ? " current" : ""}`,
  }, `${String(k + 1).padStart(2)}  ${text}`)));
  const [soFar, end] = [countUp(launched.steps.slice(0, now()), launched.arrays), countUp(launched.steps, launched.arrays)];
  const wrong = ["extra passes by bank conflicts", "out of bounds", "elements with a race"];
  byId("counts").replaceChildren(...Object.keys(end).filter((name) => state.kernel !== "map" || !/shared|bank|barrier|race/.test(name)).map((name) => make("tr", {}, make("th", { scope: "row" }, name), ...[soFar, end].map((counts) => make("td", { class: wrong.includes(name) && counts[name] > 0 ? "wrong" : "" }, String(counts[name]))))));
}

/** Draw the threads of all blocks in rows of a warp, anew. */
function drawThreads() {
  const count = launched.block[0] * launched.block[1];
  threadItems = [];
  const planes = [];
  for (let number = 0; number < launched.grid[0] * launched.grid[1]; number++) {
    const block = { x: number % launched.grid[0], y: Math.floor(number / launched.grid[0]) };
    const plane = make("div", { class: "plane" }, make("div", { class: "plane-title" }, `block ${place(block, launched.grid[1] === 1)}`));
    for (let thread = 0; thread < count; thread++) {
      if (thread % WARP === 0) plane.append(make("div", { class: "plane-row" }));
      const item = make("button", { class: "slot", type: "button", "aria-label": `block ${place(block, launched.grid[1] === 1)}, ${threadName(thread)}` }, String(launched.block[1] === 1 ? thread : `${thread % launched.block[0]},${Math.floor(thread / launched.block[0])}`));
      plane.lastChild.append(item);
      threadItems.push({ item, number, thread });
    }
    planes.push(plane);
  }
  byId("threads").replaceChildren(...planes);
  byId("threads").setAttribute("role", "group");
  byId("threads").setAttribute("aria-label", "Threads, in rows of a warp. The arrow keys move from thread to thread.");
  walkable(threadItems.map(({ item }) => item), WARP, (k) => pickThread(threadItems[k]));
}

function pickThread({ number, thread }) {
  const step = current();
  const block = { x: number % launched.grid[0], y: Math.floor(number / launched.grid[0]) };
  const own = step !== null && blockNumber(step.block) === number ? step.accesses.filter((access) => access.thread === thread) : [];
  const head = `block ${place(block, launched.grid[1] === 1)}, ${threadName(thread)}`;
  const i = `i = ${block.x} \u00b7 ${launched.block[0]} + ${thread} = ${block.x * launched.block[0] + thread}`;
  tell(make("p", {}, state.kernel === "matmul" ? head : `${head}: ${i}`), ...(own.length > 0 ? own.map(told) : [make("p", {}, make("small", {}, "It does nothing in this step."))]));
}

function pickElement(array, index) {
  const step = current();
  const value = memoryNow()[array][index];
  const used = step === null ? [] : step.accesses.filter((access) => access.array === array && access.index === index);
  const name = index < launched.arrays[array].size ? `${elementName(array, index)} = ${shownValue(value)}${Number.isNaN(value) ? ", unknown" : ""}` : `${array} has no element ${index}: memory that belongs to others`;
  const bank = launched.arrays[array].space === "shared" ? `, bank ${index % WARP}` : "";
  tell(make("p", {}, name + bank), ...used.slice(0, 4).map(told));
}

/** Draw the arrays anew: elements beyond their end are shown if a thread reaches them. */
function drawMemory() {
  memoryItems = {};
  const reached = {};
  for (const { accesses } of launched.steps) for (const { array, index } of accesses) reached[array] = Math.max(reached[array] ?? 0, index + 1);
  byId("memory").replaceChildren(...Object.entries(launched.arrays).map(([name, { space, size, columns, label }]) => {
    const host = make("div");
    const extent = Math.max(size, reached[name] ?? 0);
    const width = Math.min(columns, extent);
    memoryItems[name] = drawArray(host, [Math.ceil(extent / width), width], {
      label, text: () => "", describe: ([row, column]) => `${name}, element ${row * width + column}`,
      pick: (_, k) => pickElement(name, k), heads: false,
    });
    memoryItems[name].slice(extent).forEach((item) => { item.hidden = true; });
    memoryItems[name].forEach((item, k) => item.classList.toggle("outside", k >= size));
    const banks = make("div", { class: "banks", "aria-hidden": "true" }, ...Array.from({ length: WARP }, (_, k) => make("span", {}, `bank ${k}`)));
    return make("div", {}, make("h3", {}, `${label} `, make("small", {}, space)), make("div", { class: "scroll" }, ...(space === "shared" ? [banks] : []), host));
  }));
}

/** What an element shows: its value, and in a tile of shared memory its row and column, for rows may be padded. */
function labelled(name, k, size, value) {
  const { space, pitch } = launched.arrays[name];
  if (k >= size) return [];
  if (space === "global" || state.kernel !== "matmul") return [shownValue(value)];
  const [row, column] = [Math.floor(k / pitch), k % pitch];
  return column < TILE ? [shownValue(value), make("small", {}, `${row},${column}`)] : [make("small", {}, "pad")];
}

function light() {
  const step = current();
  const memory = memoryNow();
  const { expected } = launched;
  const done = now() === launched.steps.length;
  for (const [name, items] of Object.entries(memoryItems)) {
    const { size } = launched.arrays[name];
    const marks = {};
    for (const access of step?.accesses ?? []) if (access.array === name) marks[access.index] = isBad(access) ? "bad" : access.kind;
    mark(items, marks);
    items.forEach((item, k) => {
      item.replaceChildren(...labelled(name, k, size, memory[name][k]));
      item.classList.toggle("wrong", done && name === "out" && !Object.is(memory.out[k], expected[k]));
    });
  }
  const block = step === null ? -1 : blockNumber(step.block);
  mark(threadItems.map(({ item }) => item), Object.fromEntries(threadItems.flatMap(({ number, thread }, k) => {
    if (number === block && step.kind === "barrier") return [[k, "result"]];
    const own = number === block ? step.accesses.find((access) => access.thread === thread) : undefined;
    return own === undefined ? [] : [[k, isBad(own) ? "bad" : own.kind]];
  })));
  threadItems.forEach(({ item, number }) => {
    item.closest(".plane").classList.toggle("active", number === block);
    const acts = ["read", "write", "bad", "result"].some((name) => item.classList.contains(name));
    item.classList.toggle("blank", step !== null && !acts);
  });
}

function drawResult() {
  const { out, expected, steps, arrays } = launched;
  const counts = countUp(steps, arrays);
  const wrong = out.filter((value, k) => !Object.is(value, expected[k])).length;
  const parts = [wrong === 0 ? "At the end all results are right." : `At the end ${wrong} of ${out.length} results ${wrong === 1 ? "is" : "are"} wrong.`];
  if (counts["out of bounds"] > 0) parts.push(`${counts["out of bounds"]} accesses are out of bounds: they reach memory that belongs to others, and a GPU may not even tell.`);
  if (counts["elements with a race"] > 0) parts.push(wrong === 0 ? "There is a race all the same: another order of the warps may give other results." : "The race decides: another order of the warps may give other results.");
  byId("result").textContent = parts.join(" ");
}

/** Show a step; 0 is before the first. */
function goTo(step) {
  const most = launched.steps.length;
  state.step = String(Math.max(0, Math.min(most, step)));
  byId("step").max = most;
  byId("step").value = state.step;
  for (const [id, off] of Object.entries({ first: now() === 0, back: now() === 0, next: now() === most, skip: now() === most, last: now() === most })) byId(id).disabled = off;
  const at = current();
  byId("phase").textContent = `step ${now()} of ${most}${at === null ? "" : `: block ${place(at.block, launched.grid[1] === 1)}`}`;
  drawCode();
  light();
  tell(...summary());
  writeAddress(Object.fromEntries(Object.entries(state).filter(([name]) => isShown(name))));
}

/** Whether a setting matters for the kernel. */
function isShown(name) {
  if (name in USED_BY) return USED_BY[name].includes(state.kernel);
  return name in SIZES[state.kernel] || ["kernel", "order", "step"].includes(name);
}

function drawControls() {
  byId("kernel").value = state.kernel;
  byId("order").value = state.order;
  byId("sizes").replaceChildren(...Object.entries(SIZES[state.kernel]).map(([name, [least, most]]) => {
    if (name !== "block") return slider(name, Number(state[name]), least, most, (n) => show({ [name]: String(n), step: "0" }, true));
    // The threads of a block are a power of two.
    const exponent = slider("block", Math.log2(Number(state.block)), Math.log2(least), Math.log2(most), (n) => {
      exponent.querySelector("output").textContent = String(2 ** n);
      show({ block: String(2 ** n), step: "0" }, true);
    });
    exponent.querySelector("output").textContent = state.block;
    return exponent;
  }));
  byId("switches").replaceChildren(...Object.entries(SWITCHES).filter(([name]) => isShown(name)).map(([name, label]) => make("label", { class: "check" }, make("input", {
    type: "checkbox", id: name, checked: state[name] === "1",
    onchange: (event) => show({ [name]: event.target.checked ? "1" : "0", step: "0" }),
  }), label)));
  for (const name of Object.keys(CHOICES)) {
    byId(name).value = state[name];
    byId(`${name}-field`).hidden = !isShown(name);
  }
}

/** Show changed settings; `sizesOnly`: they come from a slider, which is left as it is. */
function show(changes, sizesOnly = false) {
  state = { ...state, ...changes };
  launched = runKernel(state.kernel, settings());
  if (!sizesOnly) drawControls();
  drawThreads();
  drawMemory();
  drawResult();
  goTo(now());
}

/** Show settings that are texts, as in the address. */
function showTexts(texts) {
  const kernel = texts.kernel in KERNELS ? texts.kernel : fail("kernel");
  for (const [name, [least, most]] of Object.entries(SIZES[kernel])) {
    const n = Number(texts[name]);
    if (!Number.isInteger(n) || n < least || n > most || (name === "block" && !Number.isInteger(Math.log2(n)))) fail(name);
  }
  for (const name of Object.keys(SWITCHES)) if (!["0", "1"].includes(texts[name])) fail(name);
  for (const [name, values] of Object.entries(CHOICES)) if (!values.includes(texts[name])) fail(name);
  if (!["together", "first", "last"].includes(texts.order)) fail("order");
  show({ ...texts, step: String(Number(texts.step) || 0) });
}

function fail(name) {
  throw new Error(`${name}: not a value of this setting`);
}

byId("kernel").addEventListener("change", () => show({ kernel: byId("kernel").value, block: "8", size: DEFAULTS.size, step: "0" }));
for (const name of ["order", ...Object.keys(CHOICES)]) byId(name).addEventListener("change", () => show({ [name]: byId(name).value, step: "0" }));
byId("first").onclick = () => goTo(0);
byId("back").onclick = () => goTo(now() - 1);
byId("next").onclick = () => goTo(now() + 1);
byId("last").onclick = () => goTo(Infinity);
byId("skip").onclick = () => {
  const next = launched.steps.findIndex((step, k) => k >= now() && step.kind === "barrier");
  goTo(next < 0 ? Infinity : next + 1);
};
byId("step").oninput = () => goTo(Number(byId("step").value));
start(DEFAULTS, showTexts);
window.playground = { runKernel, countUp, bankPasses, transactions };
