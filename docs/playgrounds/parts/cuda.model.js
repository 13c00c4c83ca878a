// Kernels run thread by thread: what each thread reads and writes, bank conflicts, races, accesses out of bounds.

const WARP = 4; // threads of a warp, banks of shared memory, elements of a transaction; on a GPU 32 of each
const TILE = 4; // rows and columns of a tile of the matrix product

// What a thread does in one instruction. `line` is the line of the kernel that is shown.
const read = (line, array, index) => ({ kind: "read", line, array, index });
const write = (line, array, index, value) => ({ kind: "write", line, array, index, value });
const idle = (line) => ({ kind: "idle", line });
const barrier = (line) => ({ kind: "barrier", line });

/** Small whole numbers that look random. */
const numbers = (count, seed) => Array.from({ length: count }, (_, k) => 1 + ((Math.imul(k + 101 * seed, 2654435761) >>> 24) % 9));
const ceilDiv = (n, d) => Math.ceil(n / d);
const globalArray = (values, columns, label) => ({ space: "global", size: values.length, columns, values, label });
const sharedArray = (size, label, pitch = WARP) => ({ space: "shared", size, columns: WARP, values: Array(size).fill(NaN), label, pitch });

/**
 * The kernels: their lines (`needs` names the setting that a line or a condition depends on), the launch, the arrays,
 * and what a thread does. All threads of a warp take the same instructions: those that a condition leaves out are idle.
 */
const KERNELS = {
  map: {
    lines: () => [
      ["i = blockIdx.x * blockDim.x + threadIdx.x"], ["if i < size:", "guard"], ["    x = a[i]"], ["    out[i] = 2 * x"],
    ],
    launch: ({ size, block }) => ({ grid: [ceilDiv(size, block), 1], block: [block, 1] }),
    arrays: ({ size, block }) => ({ a: globalArray(numbers(size, 1), block, "a"), out: globalArray(Array(size).fill(NaN), block, "out") }),
    expected: ({ size }) => ({ out: numbers(size, 1).map((x) => 2 * x) }),
    *thread(at, { size, block, guard }) {
      const i = at.block.x * block + at.thread.x;
      const inside = !guard || i < size;
      const x = yield inside ? read(3, "a", i) : idle(3);
      yield inside ? write(4, "out", i, 2 * x) : idle(4);
    },
  },
  sum: {
    lines({ block, rounds }) {
      const halves = rounds === "halves";
      const [k, other] = halves ? ["t", "t + half"] : ["2*step*t", "2*step*t + step"];
      const counts = Array.from({ length: Math.log2(block) }, (_, n) => (halves ? block / 2 ** (n + 1) : 2 ** n));
      return [
        ["t = threadIdx.x;  i = blockIdx.x * blockDim.x + t"], ["x = a[i] if i < size else 0", "guard"], ["cache[t] = x"], ["syncthreads()", "barrier"],
        [`for ${halves ? "half" : "step"} in (${counts.join(", ")}${counts.length === 1 ? "," : ""}):`], [halves ? "    if t < half:" : "    if 2*step*t + step < blockDim.x:"],
        [`        x, y = cache[${k}], cache[${other}]`], [`        cache[${k}] = x + y`], ["    syncthreads()", "barrier"],
        ["if t == 0:"], ["    out[blockIdx.x] = cache[0]"],
      ];
    },
    launch: ({ size, block }) => ({ grid: [ceilDiv(size, block), 1], block: [block, 1] }),
    arrays: ({ size, block }) => ({
      a: globalArray(numbers(size, 1), block, "a"),
      out: globalArray(Array(ceilDiv(size, block)).fill(NaN), 8, "out: a sum for each block"),
      cache: sharedArray(block, "cache"),
    }),
    expected({ size, block }) {
      const all = numbers(size, 1);
      return { out: Array.from({ length: ceilDiv(size, block) }, (_, k) => all.slice(k * block, (k + 1) * block).reduce((x, y) => x + y)) };
    },
    *thread(at, { size, block, guard, barriers, rounds }) {
      const t = at.thread.x;
      const i = at.block.x * block + t;
      const inside = !guard || i < size;
      const loaded = yield inside ? read(2, "a", i) : idle(2);
      yield write(3, "cache", t, inside ? loaded : 0);
      if (barriers) yield barrier(4);
      for (let step = 1; step < block; step *= 2) {
        const half = block / 2 / step;
        const [k, other, active] = rounds === "halves" ? [t, t + half, t < half] : [2 * step * t, 2 * step * t + step, 2 * step * t + step < block];
        const x = yield active ? read(7, "cache", k) : idle(7);
        const y = yield active ? read(7, "cache", other) : idle(7);
        yield active ? write(8, "cache", k, x + y) : idle(8);
        if (barriers) yield barrier(9);
      }
      const total = yield t === 0 ? read(11, "cache", 0) : idle(11);
      yield t === 0 ? write(11, "out", at.block.x, total) : idle(11);
    },
  },
  matmul: {
    lines: ({ across }) => [
      [across === "column" ? "y, x = threadIdx.y, threadIdx.x" : "y, x = threadIdx.x, threadIdx.y"], ["i, j = blockIdx.x * TILE + y, blockIdx.y * TILE + x"],
      ["for low in range(0, depth, TILE):"],
      ["    if i < rows and low + x < depth:", "guard"], ["        left[y, x] = a[i, low + x]"],
      ["    if j < columns and low + y < depth:", "guard"], ["        right[y, x] = b[low + y, j]"], ["    syncthreads()", "barrier"],
      ["    if i < rows and j < columns:", "guard"], ["        for k in range(min(TILE, depth - low)):"], ["            total += left[y, k] * right[k, x]"],
      ["    syncthreads()", "barrier"], ["if i < rows and j < columns:", "guard"], ["    out[i, j] = total"],
    ],
    launch: ({ rows, columns }) => ({ grid: [ceilDiv(rows, TILE), ceilDiv(columns, TILE)], block: [TILE, TILE] }),
    arrays({ rows, columns, depth, pad }) {
      const pitch = TILE + (pad ? 1 : 0);
      return {
        a: globalArray(numbers(rows * depth, 1), depth, "a"), b: globalArray(numbers(depth * columns, 2), columns, "b"),
        out: globalArray(Array(rows * columns).fill(NaN), columns, "out"),
        left: sharedArray(TILE * pitch, "left", pitch), right: sharedArray(TILE * pitch, "right", pitch),
      };
    },
    expected({ rows, columns, depth }) {
      const [a, b] = [numbers(rows * depth, 1), numbers(depth * columns, 2)];
      const dot = (i, j) => Array.from({ length: depth }, (_, k) => a[i * depth + k] * b[k * columns + j]).reduce((x, y) => x + y);
      return { out: Array.from({ length: rows * columns }, (_, n) => dot(Math.floor(n / columns), n % columns)) };
    },
    *thread(at, { rows, columns, depth, guard, barriers, across, pad }) {
      const pitch = TILE + (pad ? 1 : 0);
      const [x, y] = across === "column" ? [at.thread.x, at.thread.y] : [at.thread.y, at.thread.x];
      const [i, j] = [at.block.x * TILE + y, at.block.y * TILE + x];
      const inside = !guard || (i < rows && j < columns);
      let total = 0;
      for (let low = 0; low < depth; low += TILE) {
        const loadsA = !guard || (i < rows && low + x < depth);
        const a = yield loadsA ? read(5, "a", i * depth + low + x) : idle(5);
        yield loadsA ? write(5, "left", y * pitch + x, a) : idle(5);
        const loadsB = !guard || (j < columns && low + y < depth);
        const b = yield loadsB ? read(7, "b", (low + y) * columns + j) : idle(7);
        yield loadsB ? write(7, "right", y * pitch + x, b) : idle(7);
        if (barriers) yield barrier(8);
        for (let k = 0; k < (guard ? Math.min(TILE, depth - low) : TILE); k++) {
          const left = yield inside ? read(11, "left", y * pitch + k) : idle(11);
          const right = yield inside ? read(11, "right", k * pitch + x) : idle(11);
          total += inside ? left * right : 0;
        }
        if (barriers) yield barrier(12);
      }
      yield inside ? write(14, "out", i * columns + j, total) : idle(14);
    },
  },
};

/** How many passes shared memory needs for the elements that a warp wants at once: each bank gives one per pass. */
function bankPasses(indices, banks) {
  const wanted = Array(banks).fill(0);
  for (const index of new Set(indices)) wanted[index % banks]++;
  return Math.max(...wanted);
}

/** How many transactions global memory needs for the elements of a warp: each brings `width` neighbours. */
const transactions = (indices, width) => new Set(indices.map((index) => Math.floor(index / width))).size;

/** The accesses of a warp that conflict with another thread's access since the last barrier; `seen` is updated. */
function noteRaces(accesses, seen) {
  for (const access of accesses) {
    const key = `${access.array} ${access.index}`;
    const uses = seen.get(key) ?? seen.set(key, { readers: new Set(), writers: new Set(), raced: false }).get(key);
    const others = access.kind === "write" ? [...uses.readers, ...uses.writers] : [...uses.writers];
    access.race = others.some((thread) => thread !== access.thread);
    access.newRace = access.race && !uses.raced;
    uses.raced ||= access.race;
    uses[access.kind === "write" ? "writers" : "readers"].add(access.thread);
  }
}

/** Execute one instruction of some warps of a block; returns the step, or null if all their threads are idle. */
function execute(warps, memory, arrays, seen) {
  const step = { line: 0, kind: "", array: "", accesses: [], passes: [], transactions: 0 };
  for (const warp of warps) {
    const active = warp.filter((thread) => thread.op !== null && thread.op.kind !== "idle");
    const accesses = active.map(({ op, number }) => {
      const outside = op.index < 0 || op.index >= arrays[op.array].size;
      const value = op.kind === "write" ? op.value : outside ? NaN : memory[op.array][op.index];
      return { thread: number, kind: op.kind, array: op.array, index: op.index, value, outside };
    });
    if (accesses.length > 0) {
      const { line, kind, array } = active[0].op;
      Object.assign(step, { line, kind, array });
      const indices = accesses.map(({ index }) => index);
      if (arrays[array].space === "shared") step.passes.push(bankPasses(indices, WARP));
      else step.transactions += transactions(indices, WARP);
    }
    for (const access of accesses) {
      if (access.kind === "write" && !access.outside) memory[access.array][access.index] = access.value;
    }
    noteRaces(accesses, seen);
    step.accesses.push(...accesses);
    warp.forEach((thread) => {
      if (thread.op === null) return;
      const own = accesses.find((access) => access.thread === thread.number);
      thread.op = thread.program.next(own?.value).value ?? null;
    });
  }
  return step.accesses.length === 0 ? null : step;
}

/** Run a block: its steps, each of all warps that go on together, or of one warp, as `order` says. */
function runBlock(kernel, settings, blockAt, memory, arrays) {
  const [wide, high] = kernel.launch(settings).block;
  const threads = Array.from({ length: wide * high }, (_, number) => {
    const program = kernel.thread({ block: blockAt, thread: { x: number % wide, y: Math.floor(number / wide) } }, settings);
    return { number, program, op: program.next().value };
  });
  const warps = Array.from({ length: ceilDiv(threads.length, WARP) }, (_, k) => threads.slice(k * WARP, (k + 1) * WARP));
  if (settings.order === "last") warps.reverse();
  const seen = new Map();
  const steps = [];
  while (threads.some((thread) => thread.op !== null)) {
    const going = warps.filter((warp) => warp.some(({ op }) => op !== null && op.kind !== "barrier"));
    if (going.length === 0) {
      steps.push({ line: threads[0].op.line, kind: "barrier", array: "", accesses: [], passes: [], transactions: 0 });
      seen.clear();
      for (const thread of threads) thread.op = thread.program.next().value ?? null;
      continue;
    }
    const step = execute(settings.order === "together" ? going : [going[0]], memory, arrays, seen);
    if (step !== null) steps.push(step);
  }
  return steps;
}

/** Run a kernel: its steps, in each the accesses; the arrays at the end; and what `out` should be. */
function runKernel(name, settings) {
  const kernel = KERNELS[name];
  const arrays = kernel.arrays(settings);
  const { grid, block } = kernel.launch(settings);
  const memory = Object.fromEntries(Object.entries(arrays).map(([array, { values }]) => [array, [...values]]));
  const steps = [];
  for (let y = 0; y < grid[1]; y++) {
    for (let x = 0; x < grid[0]; x++) {
      for (const [array, { space, size }] of Object.entries(arrays)) if (space === "shared") memory[array] = Array(size).fill(NaN);
      for (const step of runBlock(kernel, settings, { x, y }, memory, arrays)) steps.push({ ...step, block: { x, y } });
    }
  }
  return { arrays, grid, block, steps, out: memory.out, expected: kernel.expected(settings).out };
}

/** What the steps up to a number did, in numbers. */
function countUp(steps, arrays) {
  const counts = { "global reads": 0, "global writes": 0, "transactions": 0, "shared reads": 0, "shared writes": 0, "extra passes by bank conflicts": 0, "barriers": 0, "out of bounds": 0, "elements with a race": 0 };
  for (const step of steps) {
    if (step.kind === "barrier") counts.barriers++;
    else counts[`${arrays[step.array].space} ${step.kind}s`] += step.accesses.length;
    counts.transactions += step.transactions;
    for (const passes of step.passes) counts["extra passes by bank conflicts"] += passes - 1;
    for (const { outside, newRace } of step.accesses) {
      counts["out of bounds"] += Number(outside);
      counts["elements with a race"] += Number(newRace);
    }
  }
  return counts;
}
