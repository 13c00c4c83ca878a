({
  // What each page of docs/playgrounds computes for a case of playground_values.py, in the form of its result.

  strides({ shape, order, offset }) {
    const view = playground.viewOf(shape, order, offset);
    const read = playground.readers(view);
    const positions = Array.from({ length: sizeOf(view.shape) }, (_, k) => {
      const index = toIndex(k, view.shape);
      const position = playground.positionOf(view, index);
      if (String(read[position]) !== String(index)) throw new Error(`position ${position} is read by ${read[position]}`);
      return position;
    });
    return { shape: view.shape, strides: view.strides, contiguous: playground.isContiguous(view), positions };
  },

  broadcasting({ a, b }) {
    const all = (count, f) => Array.from({ length: count }, (_, k) => f(k));
    let shape;
    try {
      shape = playground.shapeBroadcast(a, b);
    } catch (error) {
      return { error: error.message };
    }
    const [reads, uses] = [{}, {}];
    for (const [name, own] of [["a", a], ["b", b]]) {
      const place = (index) => indexToPosition(playground.broadcastIndex(index, own), stridesFromShape(own));
      reads[name] = all(sizeOf(shape), (k) => place(toIndex(k, shape)));
      uses[name] = all(sizeOf(own), (k) => playground.usesOf(toIndex(k, own), own, shape).length);
    }
    const value = (name, own, k) => playground.operandValue(name, own, toIndex(k, shape));
    return { shape, sums: all(sizeOf(shape), (k) => value("a", a, k) + value("b", b, k)), reads, uses };
  },

  convolution({ input, kernel, settings, derivatives }) {
    let output;
    try {
      output = playground.convolve(input, kernel, settings);
    } catch (error) {
      return { error: error.message };
    }
    const input_grad = input.map((line, row) => line.map((_, column) => playground.usersOf(row, column, input, kernel, settings)
      .reduce((sum, user) => sum + derivatives[user.y][user.x] * user.weight, 0)));
    const kernel_grad = kernel.map((line) => line.map(() => 0));
    output.forEach((line, y) => line.forEach((_, x) => {
      for (const term of playground.termsOf(y, x, input, kernel, settings)) kernel_grad[term.i][term.j] += derivatives[y][x] * term.value;
    }));
    return { output, input_grad, kernel_grad };
  },

  autodiff({ formula, values }) {
    const graph = playground.record(playground.parseFormula(formula), values);
    const { nodes } = graph;
    const events = nodes.filter((node) => node.kind === "call").map((node) => ["call", node.fn, node.value]);
    for (const { node, d, passes } of playground.backpropagate(graph).slice(1)) {
      events.push(["backward", nodes[node].fn, d, passes.map((pass) => pass.product)]);
      for (const pass of passes) if (pass.becomes === "final") events.push(["leaf", nodes[pass.input].name, pass.sum]);
    }
    return events;
  },

  cuda({ kernel, settings, values }) {
    const { steps, out, grid, block, arrays } = playground.runKernel(kernel, settings);
    const known = (x) => (Number.isNaN(x) ? null : x);
    const ofBlock = block[0] * block[1];
    const threads = Array.from({ length: grid[0] * grid[1] * ofBlock }, () => []);
    for (const step of steps) {
      const first = (step.block.y * grid[0] + step.block.x) * ofBlock;
      for (const { thread, kind, array, index, value } of step.accesses) {
        threads[first + thread].push([kind, array, index, values ? known(value) : null]);
      }
    }
    const raced = playground.countUp(steps, arrays)["elements with a race"];
    return { threads, out: values ? out.map(known) : [], raced };
  },
})