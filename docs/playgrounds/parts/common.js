// What all playgrounds share: numbers as text, arrays as grids that a keyboard can walk through, state in the address.

/** The number of elements of a shape. */
const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);

/** Strides of a row-major tensor: the distance in storage between neighbours, for each dimension. */
function stridesFromShape(shape) {
  const strides = [];
  let step = 1;
  for (const size of [...shape].reverse()) {
    strides.unshift(step);
    step *= size;
  }
  return strides;
}

/** The index of element number `ordinal`, counted row by row. */
function toIndex(ordinal, shape) {
  const index = [];
  let rest = ordinal;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** The position in storage of an index. */
const indexToPosition = (index, strides) => index.reduce((sum, i, k) => sum + i * strides[k], 0);

/** A shape or an index as Python writes a tuple. */
const tuple = (numbers) => (numbers.length === 1 ? `(${numbers[0]},)` : `(${numbers.join(", ")})`);

/** An index as it is written behind a name: [1, 2]. */
const bracket = (index) => (index.length === 0 ? "[()]" : `[${index.join(", ")}]`);

/** A number with at most `digits` significant digits. */
function shortNumber(x, digits = 4) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  const far = x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e6);
  const text = far ? x.toExponential(digits - 2) : String(Number(x.toPrecision(digits)));
  return text.replace(/-/g, "\u2212");
}

/** Whole numbers from a text such as "2, 3, 4"; an Error says what was expected. */
function parseNumbers(text, what, { least = 0, most = Infinity, count = [0, Infinity] } = {}) {
  const words = text.trim().replace(/^[([]|[)\]]$/g, "").split(/[\s,]+/).filter((word) => word !== "");
  const numbers = words.map(Number);
  if (!numbers.every((n) => Number.isInteger(n) && n >= least && n <= most)) {
    const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new Error(`${what}: expected whole numbers ${range}, separated by commas, got "${text.trim()}"`);
  }
  if (numbers.length < count[0] || numbers.length > count[1]) {
    const wanted = count[0] === count[1] ? count[0] : `${count[0]} to ${count[1]}`;
    throw new Error(`${what}: expected ${wanted} numbers, got ${numbers.length}`);
  }
  return numbers;
}

/** The element with an id. */
const byId = (id) => document.getElementById(id);

/** Make an HTML element; children are elements or texts. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A coloured part of a readout. */
const tinted = (color, text) => make("span", { class: color }, String(text));

/** Take the messages of errors from all text fields. */
function clearErrors() {
  for (const place of document.querySelectorAll(".error")) place.textContent = "";
  for (const input of document.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

/** Do something; the message of an error is shown below the text field `id`, and nothing else changes. */
function attempt(id, action) {
  try {
    action();
  } catch (error) {
    byId(`${id}-error`).textContent = error.message;
    byId(id).setAttribute("aria-invalid", "true");
  }
}

/** Call `action` with what is typed into the text field `id`. */
function typed(id, action) {
  byId(id).addEventListener("input", () => attempt(id, () => action(byId(id).value)));
}

/** A slider with a label and its value; returns the row. `change` is called with the number. */
function slider(label, value, least, most, change) {
  const shown = make("output", {}, String(value));
  const input = make("input", {
    type: "range", min: least, max: most, value, "aria-label": label,
    oninput: () => {
      shown.textContent = input.value;
      change(Number(input.value));
    },
  });
  return make("div", { class: "line" }, make("span", {}, label), input, shown);
}

/** Where the pointer was: when the page scrolls below a resting pointer, nothing is pointed at. */
const pointer = { x: NaN, y: NaN };
document.addEventListener("pointermove", (event) => Object.assign(pointer, { x: event.clientX, y: event.clientY }), true);

/**
 * Let the arrow keys move the focus in rows of items: one of them is reached by Tab, the others from there.
 * Items that are pointed at, touched or focused are picked.
 */
function walkable(items, columns, pick) {
  const focus = (k) => {
    if (k < 0 || k >= items.length || items[k].hidden) return;
    for (const item of items) item.tabIndex = -1;
    items[k].tabIndex = 0;
    items[k].focus();
  };
  items.forEach((item, k) => {
    item.tabIndex = k === 0 ? 0 : -1;
    item.addEventListener("pointerenter", (event) => {
      if (event.clientX !== pointer.x || event.clientY !== pointer.y) pick(k);
    });
    item.addEventListener("click", () => focus(k));
    item.addEventListener("focus", () => pick(k));
    item.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
      const targets = { Home: 0, End: items.length - 1 };
      if (event.key in steps) focus(k + steps[event.key]);
      else if (event.key in targets) focus(targets[event.key]);
      else return;
      event.preventDefault();
    });
  });
}

/**
 * Draw an array: a grid for the last two dimensions, and one for each index of those before them.
 *
 * `text(index)` and `describe(index)` give what an element shows and what a screen reader says; `pick(index, ordinal)`
 * is called for the element that is pointed at or focused. Returns the items in row-major order.
 */
function drawArray(host, shape, { label, text, describe, pick, heads = true }) {
  const [rows, columns] = [shape.length > 1 ? shape.at(-2) : 1, shape.length > 0 ? shape.at(-1) : 1];
  const items = [];
  const planes = [];
  for (let ordinal = 0; ordinal < sizeOf(shape); ordinal++) {
    const index = toIndex(ordinal, shape);
    if (ordinal % (rows * columns) === 0) {
      const plane = make("div", { class: "plane" });
      if (shape.length > 2) plane.append(make("div", { class: "plane-title" }, `[${index.slice(0, -2).join(", ")}, :, :]`));
      if (heads && shape.length > 0) {
        const names = Array.from({ length: columns }, (_, k) => make("span", { class: "plane-head" }, String(k)));
        const corner = shape.length > 1 ? [make("span", { class: "plane-head" })] : [];
        plane.append(make("div", { class: `plane-row heads${shape.length > 1 ? "" : " flat"}`, "aria-hidden": "true" }, ...corner, ...names));
      }
      planes.push(plane);
    }
    if (ordinal % columns === 0) {
      const row = make("div", { class: "plane-row" });
      if (heads && shape.length > 1) row.append(make("span", { class: "plane-head", "aria-hidden": "true" }, String(index.at(-2))));
      planes.at(-1).append(row);
    }
    const item = make("button", { class: "slot", type: "button", "aria-label": describe(index) }, text(index));
    items.push(item);
    planes.at(-1).lastChild.append(item);
  }
  host.classList.add("array");
  host.setAttribute("role", "group");
  host.setAttribute("aria-label", `${label}. The arrow keys move from element to element.`);
  host.replaceChildren(...planes);
  walkable(items, columns, (k) => pick(toIndex(k, shape), k));
  return items;
}

/** Give classes to items by their numbers, and take them from all others. */
function mark(items, classes) {
  const kinds = ["read", "write", "result", "bad"];
  items.forEach((item, k) => {
    item.classList.remove(...kinds);
    if (classes[k]) item.classList.add(classes[k]);
  });
}

/** Read settings from the part of the address behind "#"; `defaults` names them. */
function readAddress(defaults) {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, given.get(name) ?? value]));
}

/** Write settings into the address, so that a link leads to what is shown. */
function writeAddress(settings) {
  const text = Object.entries(settings).map(([name, value]) => `${name}=${encodeURIComponent(value).replace(/%(2C|3B|3D)/g, decodeURIComponent)}`);
  history.replaceState(null, "", `#${text.join("&")}`);
}

/** Show the settings of the address, also when it changes; the defaults where it has none, or where they do not fit. */
function start(defaults, show) {
  const showAddress = () => {
    try {
      show(readAddress(defaults));
    } catch {
      show(defaults);
    }
  };
  showAddress();
  window.addEventListener("hashchange", showAddress);
}
