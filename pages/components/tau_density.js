// The aggregated posterior q(z), the average of all posteriors, against the prior: in two dimensions with its holes, and in
// each dimension by itself. chart.js and tau_closed_form.js come before this file.

const JOINT_CELLS = 52; // along each side
const PROFILE_CELLS = 57;
const MOST_PROFILE_NUMBERS = 280_000; // Gaussians a frame, over all dimensions
const FEWEST_PROFILE_EXAMPLES = 40;
const LARGEST_DENSITY_PX = 340;
const PROFILE_PX = 200;

// e^(-t²/2) / √2π for t from 0 to 5; the nearest entry is off by 0.2 % at most, less than a pixel can show.
const BELL = Float64Array.from({ length: 1025 }, (_, i) => Math.exp(-0.5 * (i / 204.8) ** 2) / Math.sqrt(2 * Math.PI));

/** Adds weight · N(mean, std²) at the middles of `cells` equal parts of [−reach, reach] to `into`, from `offset` on. */
function addBell(into, offset, cells, reach, mean, std, weight) {
  const width = (2 * reach) / cells;
  const wide = Math.max(std, width / 2); // a spike between two middles must not be lost
  const first = Math.max(0, Math.ceil((mean - 5 * wide + reach) / width - 0.5));
  const last = Math.min(cells - 1, Math.floor((mean + 5 * wide + reach) / width - 0.5));
  const scale = 204.8 / wide;
  const height = weight / wide;
  for (let i = first; i <= last; i++) {
    const distance = Math.abs((i + 0.5) * width - reach - mean) * scale;
    into[offset + i] += height * BELL[(distance + 0.5) | 0];
  }
}

/** q(z) of two dimensions on a grid, row by row from the top; and where the prior's mass is that it misses. */
class JointDensity {
  constructor() {
    this.grid = new Float64Array(JOINT_CELLS ** 2);
    this.across = new Float64Array(JOINT_CELLS);
    this.down = new Float64Array(JOINT_CELLS);
  }

  /** points: {xy, spread} of `posteriorsAt` */
  fill({ xy, spread }, reach, holeRatio) {
    const { grid, across, down } = this;
    const count = xy.length / 2;
    grid.fill(0);
    for (let n = 0; n < count; n++) {
      across.fill(0);
      down.fill(0);
      addBell(across, 0, JOINT_CELLS, reach, xy[2 * n], spread[2 * n], 1 / count);
      addBell(down, 0, JOINT_CELLS, reach, -xy[2 * n + 1], spread[2 * n + 1], 1);
      for (let row = 0; row < JOINT_CELLS; row++) {
        if (!down[row]) continue;
        const start = row * JOINT_CELLS;
        for (let column = 0; column < JOINT_CELLS; column++) grid[start + column] += down[row] * across[column];
      }
    }
    return this.holes(reach, holeRatio);
  }

  /** [places] where the prior's density is more than `ratio` times q(z)'s, and the share of the prior's mass in them. */
  holes(reach, ratio) {
    const width = (2 * reach) / JOINT_CELLS;
    const places = [];
    let missed = 0;
    for (let i = 0; i < this.grid.length; i++) {
      const x = ((i % JOINT_CELLS) + 0.5) * width - reach;
      const y = (Math.floor(i / JOINT_CELLS) + 0.5) * width - reach;
      const prior = Math.exp(-0.5 * (x * x + y * y)) / (2 * Math.PI);
      if (ratio * this.grid[i] >= prior) continue;
      places.push(i);
      missed += prior * width * width;
    }
    return { places, missed };
  }
}

/** A square picture of q(z) with the prior's circles over it and a dot in each hole. */
class DensityMap {
  constructor(root) {
    this.root = root;
    this.side = 0;
    this.density = new JointDensity();
    this.frame = make("div", { class: "map" }, root);
    this.canvas = make("canvas", { role: "img" }, this.frame);
    this.svg = make("svg:svg", { "aria-hidden": "true" }, this.frame);
    this.circles = [1, 2].map((r) => make("svg:circle", { class: `prior ${r === 1 ? "once" : "twice"}` }, this.svg));
    this.note = make("div", { class: "dim", "data-testid": "holes" }, root);
    this.sheet = new OffscreenCanvas(JOINT_CELLS, JOINT_CELLS);
    this.brush = this.sheet.getContext("2d");
    this.pixels = this.brush.createImageData(JOINT_CELLS, JOINT_CELLS);
  }

  jump(points, { reach, colour, hole, holeRatio, title }) {
    if (!this.side) return;
    const { places, missed } = this.density.fill(points, reach, holeRatio);
    this.paint(rgbOf(colour));
    const device = window.devicePixelRatio || 1;
    const brush = this.canvas.getContext("2d");
    brush.setTransform(device, 0, 0, device, 0, 0);
    brush.clearRect(0, 0, this.side, this.side);
    brush.drawImage(this.sheet, 0, 0, this.side, this.side);
    const cell = this.side / JOINT_CELLS;
    brush.fillStyle = hole;
    for (const i of places) {
      const [column, row] = [i % JOINT_CELLS, Math.floor(i / JOINT_CELLS)];
      if ((column + row) % 2 === 0) brush.fillRect((column + 0.5) * cell - 1, (row + 0.5) * cell - 1, 2, 2);
    }
    const unit = this.side / (2 * reach);
    this.circles.forEach((circle, i) => set(circle, { cx: this.side / 2, cy: this.side / 2, r: (i + 1) * unit }));
    const share = (100 * missed).toFixed(missed < 0.0995 ? 1 : 0);
    const words = `holes (dots) hold ${share} % of the prior's mass in these two dimensions, seen by ${points.xy.length / 2} examples`;
    write(this.note, words);
    this.canvas.setAttribute("aria-label", `${title}: aggregated posterior, ${words}`);
  }

  /** Opaque where q(z) is as high as the prior's top, clear where it is 0. */
  paint([red, green, blue]) {
    const { data } = this.pixels;
    this.density.grid.forEach((value, i) => {
      data[4 * i] = red;
      data[4 * i + 1] = green;
      data[4 * i + 2] = blue;
      data[4 * i + 3] = 255 * Math.min(1, value * 2 * Math.PI);
    });
    this.brush.putImageData(this.pixels, 0, 0);
  }

  resize() {
    const device = window.devicePixelRatio || 1;
    this.side = Math.floor(Math.min(LARGEST_DENSITY_PX, this.root.clientWidth)) - 2;
    if (this.side < 1) return;
    this.canvas.width = this.canvas.height = Math.round(this.side * device);
    for (const node of [this.frame, this.svg, this.canvas]) node.style.width = node.style.height = `${this.side}px`;
  }
}

const rgbOf = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

/** q(z_d) of every dimension as a filled shape, upright like a violin, with the prior's outline over each. */
class Profiles {
  constructor(root) {
    this.root = root;
    this.width = 0;
    this.frame = make("div", { class: "profiles" }, root);
    this.canvas = make("canvas", { role: "img" }, this.frame);
    this.svg = make("svg:svg", { "aria-hidden": "true" }, this.frame);
    this.outline = make("svg:path", { class: "prior profile" }, this.svg);
    this.labels = make("svg:g", {}, this.svg);
    this.note = make("div", { class: "dim" }, root);
    this.values = new Float64Array(0);
  }

  jump({ shares, unscaled, count }, { reach, colour, title }) {
    if (!this.width) return;
    const dimensions = shares.mean.length;
    this.outlinePriors(dimensions, reach);
    const most = Math.max(FEWEST_PROFILE_EXAMPLES, Math.floor(MOST_PROFILE_NUMBERS / (dimensions * PROFILE_CELLS)));
    const examples = Math.min(count, most);
    if (this.values.length !== dimensions * PROFILE_CELLS) this.values = new Float64Array(dimensions * PROFILE_CELLS);
    this.values.fill(0);
    for (let d = 0; d < dimensions; d++) {
      const [mean, std] = [Math.sqrt(shares.mean[d]), Math.sqrt(shares.std[d])];
      for (let n = 0; n < examples; n++) {
        const at = n * dimensions + d;
        addBell(this.values, d * PROFILE_CELLS, PROFILE_CELLS, reach, mean * unscaled.mean[at], std * unscaled.std[at], 1 / examples);
      }
    }
    this.paint(dimensions, colour);
    write(this.note, `q(z) of each dimension, filled, against the prior's outline; ${examples} test examples`);
    this.canvas.setAttribute("aria-label", `${title}: the aggregated posterior of each of ${dimensions} dimensions against the prior`);
  }

  paint(dimensions, colour) {
    const device = window.devicePixelRatio || 1;
    const brush = this.canvas.getContext("2d");
    brush.setTransform(device, 0, 0, device, 0, 0);
    brush.clearRect(0, 0, this.width, PROFILE_PX);
    brush.fillStyle = colour;
    const slot = this.width / dimensions;
    const cell = PROFILE_PX / PROFILE_CELLS;
    brush.beginPath();
    for (let d = 0; d < dimensions; d++) {
      const middle = (d + 0.5) * slot;
      const half = (i) => Math.min(slot * 0.49, this.values[d * PROFILE_CELLS + i] * slot);
      const y = (i) => PROFILE_PX - (i + 0.5) * cell; // up is positive
      brush.moveTo(middle + half(0), y(0));
      for (let i = 1; i < PROFILE_CELLS; i++) brush.lineTo(middle + half(i), y(i));
      for (let i = PROFILE_CELLS - 1; i >= 0; i--) brush.lineTo(middle - half(i), y(i));
    }
    brush.globalAlpha = 0.8;
    brush.fill();
    brush.globalAlpha = 1;
  }

  outlinePriors(dimensions, reach) {
    const seen = `${dimensions} ${this.width}`;
    if (seen === this.outlined) return;
    this.outlined = seen;
    const slot = this.width / dimensions;
    const points = Array.from({ length: PROFILE_CELLS }, (_, i) => {
      const z = ((i + 0.5) / PROFILE_CELLS) * 2 * reach - reach;
      return { half: (Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)) * slot, y: PROFILE_PX * (1 - (i + 0.5) / PROFILE_CELLS) };
    });
    const side = (middle, sign) => points.map(({ half, y }) => `${(middle + sign * half).toFixed(1)} ${y.toFixed(1)}`).join("L");
    const violin = (d) => `M${side((d + 0.5) * slot, 1)}M${side((d + 0.5) * slot, -1)}`;
    this.outline.setAttribute("d", slot < 7 ? "" : Array.from({ length: dimensions }, (_, d) => violin(d)).join(""));
    let every = 1;
    while (every * slot < 26) every *= 2;
    const named = Array.from({ length: Math.ceil(dimensions / every) }, (_, i) => i * every);
    writeLabels(this.labels, named.map((d) => ({ x: (d + 0.5) * slot, y: PROFILE_PX + 16, text: String(d) })));
  }

  resize() {
    const device = window.devicePixelRatio || 1;
    this.width = this.root.clientWidth;
    this.canvas.width = Math.round(this.width * device);
    this.canvas.height = Math.round(PROFILE_PX * device);
    set(this.svg, { viewBox: `0 0 ${this.width} ${PROFILE_PX + 22}`, height: PROFILE_PX + 22 });
    Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${PROFILE_PX}px` });
  }
}
