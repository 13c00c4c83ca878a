const EXAMPLES = {
  "a matrix": { shape: "3,4", order: "0,1", offset: "0" },
  "its transpose": { shape: "3,4", order: "1,0", offset: "0" },
  "three dimensions": { shape: "2,3,4", order: "1,0,2", offset: "2" },
  "channels last": { shape: "2,3,2,4", order: "0,2,3,1", offset: "0" },
};
const MOST_SIZE = 8;
const MOST_OFFSET = 12;

let state = { shape: [3, 4], order: [1, 0], offset: 0 };
let view;
let elements = [];
let slots = [];

/** Light an element and its position, and write the sum out. */
function pickIndex(index) {
  const position = positionOf(view, index);
  const ordinal = indexToPosition(index, stridesFromShape(view.shape));
  mark(elements, { [ordinal]: "read" });
  mark(slots, { [position]: "read" });
  const line = make("p", {}, "position = ", String(view.offset));
  index.forEach((i, k) => line.append(" + ", tinted("blue", i), "\u00b7", tinted("orange", view.strides[k])));
  line.append(" = ", make("strong", {}, String(position)));
  byId("readout").replaceChildren(
    make("p", {}, "index ", tinted("blue", bracket(index)), ", strides ", tinted("orange", tuple(view.strides)), `, offset ${view.offset}`),
    line,
  );
}

/** Light a position and the element that reads it. */
function pickPosition(position) {
  const index = readers(view)[position];
  if (index !== null) {
    pickIndex(index);
    return;
  }
  mark(elements, {});
  mark(slots, { [position]: "read" });
  byId("readout").replaceChildren(make("p", {}, `position ${position}`), make("p", {}, make("small", {}, "It lies before the offset. No element of this tensor reads it.")));
}

function drawTensor() {
  elements = drawArray(byId("tensor"), view.shape, {
    label: `Tensor of shape ${tuple(view.shape)}`,
    text: (index) => String(positionOf(view, index)),
    describe: (index) => `index ${bracket(index)}, position ${positionOf(view, index)}`,
    pick: pickIndex,
  });
  const read = readers(view);
  slots = read.map((index, position) => make("button", {
    class: index === null ? "slot blank" : "slot", type: "button",
    "aria-label": index === null ? `position ${position}, not read` : `position ${position}, read by index ${bracket(index)}`,
  }, String(position)));
  byId("storage").replaceChildren(...slots);
  byId("storage").setAttribute("role", "group");
  byId("storage").setAttribute("aria-label", "Storage. The arrow keys move from position to position.");
  walkable(slots, 1, pickPosition);
  // The colour of a number is its place in storage: neighbours in storage have nearly the same.
  const tint = (item, position) => item.style.setProperty("--tint", `color-mix(in srgb, var(--blue) ${Math.round(2 + 26 * (position / view.storageSize))}%, var(--slot))`);
  slots.forEach((slot, position) => read[position] !== null && tint(slot, position));
  elements.forEach((element, k) => tint(element, positionOf(view, toIndex(k, view.shape))));
}

function drawFacts() {
  const facts = {
    shape: tuple(view.shape),
    strides: tuple(view.strides),
    offset: view.offset,
    elements: sizeOf(view.shape),
    contiguous: isContiguous(view) ? "yes" : "no",
  };
  byId("facts").replaceChildren(...Object.entries(facts).map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, String(value)))));
  const lines = ["import minitorch", "", `storage = minitorch.tensor(list(range(${view.storageSize})))`];
  lines.push(`t = storage${view.offset ? `[${view.offset}:]` : ""}.view(${state.shape.join(", ")}).permute(${state.order.join(", ")})`);
  lines.push(`t.shape     # ${tuple(view.shape)}`, `t._tensor.strides  # ${tuple(view.strides)}`);
  byId("code").textContent = lines.join("\n");
}

/** Move dimension number `from` of the order to place `to`. */
function moveDimension(from, to) {
  if (to < 0 || to >= state.order.length) return;
  const order = [...state.order];
  order.splice(to, 0, ...order.splice(from, 1));
  show({ order });
  byId("chips").children[to].focus();
}

/** Let a pointer drag a chip to another place of the order. */
function draggable(chip) {
  chip.addEventListener("pointerdown", (event) => {
    const place = [...byId("chips").children].indexOf(chip);
    let target = place;
    chip.classList.add("dragged");
    chip.setPointerCapture(event.pointerId);
    chip.onpointermove = (moved) => {
      chip.style.transform = `translate(${moved.clientX - event.clientX}px, ${moved.clientY - event.clientY}px)`;
      const others = [...byId("chips").children].filter((other) => other !== chip).map((other) => other.getBoundingClientRect());
      target = others.filter((box) => box.left + box.width / 2 < moved.clientX).length;
    };
    chip.onpointerup = chip.onpointercancel = () => {
      chip.onpointermove = chip.onpointerup = chip.onpointercancel = null;
      chip.classList.remove("dragged");
      chip.style.transform = "";
      if (target !== place) moveDimension(place, target);
    };
  });
}

function drawChips() {
  byId("chips").replaceChildren(...state.order.map((dim, place) => {
    const chip = make("button", {
      class: "chip", type: "button", "aria-label": `dimension ${dim} at place ${place}, size ${view.shape[place]}, stride ${view.strides[place]}`,
      onkeydown: (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        moveDimension(place, place + step);
      },
    }, `dim ${dim}`, make("small", {}, `size ${view.shape[place]}`), make("small", {}, `stride ${view.strides[place]}`));
    draggable(chip);
    return chip;
  }));
}

function drawSizes() {
  byId("sizes").replaceChildren(...state.shape.map((size, dim) => {
    const change = (n) => attempt("shape", () => {
      show({ shape: parseShape(state.shape.map((old, k) => (k === dim ? n : old)).join(",")) }, "sizes");
    });
    return slider(`dimension ${dim}`, size, 1, Math.max(MOST_SIZE, size), change);
  }));
}

/** Show changed settings; `source` names the control that they come from, which is left as it is. */
function show(changes, source = "") {
  state = { ...state, ...changes };
  view = viewOf(state.shape, state.order, state.offset);
  if (source !== "shape") byId("shape").value = state.shape.join(", ");
  if (source !== "order") byId("order").value = state.order.join(", ");
  if (source !== "sizes") drawSizes();
  if (source !== "offset") byId("offset").replaceChildren(slider("offset", state.offset, 0, MOST_OFFSET, (offset) => show({ offset }, "offset")));
  clearErrors();
  drawChips();
  drawTensor();
  drawFacts();
  pickIndex(toIndex(Math.min(sizeOf(view.shape) - 1, view.shape.at(-1) + 1), view.shape));
  writeAddress({ shape: state.shape, order: state.order, offset: state.offset });
}

/** Show settings that are texts, as in the address and in the examples. */
function showTexts({ shape, order, offset }) {
  const sizes = parseShape(shape);
  show({ shape: sizes, order: parseOrder(order, sizes.length), offset: parseNumbers(offset, "offset", { most: MOST_OFFSET, count: [1, 1] })[0] });
}

typed("shape", (text) => {
  const shape = parseShape(text);
  show(shape.length === state.order.length ? { shape } : { shape, order: shape.map((_, k) => k) }, "shape");
});
typed("order", (text) => show({ order: parseOrder(text, state.shape.length) }, "order"));
byId("examples").append(...Object.entries(EXAMPLES).map(([name, settings]) => make("button", { type: "button", onclick: () => showTexts(settings) }, name)));

start(EXAMPLES["three dimensions"], showTexts);
window.playground = { viewOf, positionOf, isContiguous, readers, parseShape, parseOrder };
