// Posteriors of test examples in two dimensions: an ellipse of one std around each mean, over the circles of the prior.
// What follows the theme is SVG, for CSS to colour; the ellipses are pixels between its grid and its circles. chart.js comes before this file.

const LARGEST_MAP_PX = 264; // as wide as its track in time_film.css
const SMALLEST_ELLIPSE_PX = 2.25; // a posterior of no width is still a point to be seen

class PosteriorMap {
  constructor(root) {
    this.points = null;
    this.glide = new Glide(() => this.draw());
    this.side = 0;
    this.root = root;
    this.frame = make("div", { class: "map" }, root);
    this.back = make("svg:svg", { "aria-hidden": "true" }, this.frame);
    this.canvas = make("canvas", { role: "img" }, this.frame);
    this.svg = make("svg:svg", { "aria-hidden": "true" }, this.frame);
    this.grid = make("svg:path", { class: "grid" }, this.back);
    this.twice = make("svg:circle", { class: "prior twice" }, this.svg);
    this.once = make("svg:circle", { class: "prior once" }, this.svg);
    this.labels = make("svg:g", {}, this.svg);
    this.empty = make("svg:text", { class: "empty", "text-anchor": "middle" }, this.svg);
    this.asOf = make("div", { class: "dim as-of", "data-testid": "as-of" }, root);
    this.names = make("div", { class: "legend" }, root);
  }

  /** points: {xy, spread | null, words} of one snapshot, or null where there is none. */
  show(points, { classes, colours, reach, title }) {
    const from = this.points;
    Object.assign(this, { points, classes, colours, reach });
    this.canvas.setAttribute("aria-label", points ? `${title}: ${points.words}` : `${title}: no posteriors yet`);
    write(this.empty, points ? "" : "no posteriors yet");
    if (!points) return this.draw();
    const numbers = [...points.xy, ...(points.spread ?? points.xy.map(() => 0))];
    if (from) this.glide.to(numbers);
    else this.glide.jump(numbers);
  }

  nameLabels(names, colours) {
    while (this.names.childElementCount > names.length) this.names.lastElementChild.remove();
    while (this.names.childElementCount < names.length) {
      const entry = make("span", {}, this.names);
      make("span", { class: "key" }, entry);
      make("span", {}, entry);
    }
    names.forEach((name, i) => {
      const [key, words] = this.names.children[i].children;
      key.style.background = colours[i % colours.length];
      write(words, name);
    });
  }

  resize() {
    this.side = Math.min(LARGEST_MAP_PX, this.root.clientWidth) - 2; // its border
    this.draw();
  }

  dispose() {
    this.glide.stop();
  }

  draw() {
    const { side, canvas } = this;
    if (!(side > 0) || !this.reach) return; // a tab that is not shown has no room
    const device = window.devicePixelRatio || 1;
    const pixels = Math.round(side * device);
    if (canvas.width !== pixels || this.drawnReach !== this.reach) this.drawAxes(pixels);
    const brush = canvas.getContext("2d");
    brush.setTransform(device, 0, 0, device, 0, 0);
    brush.clearRect(0, 0, side, side);
    if (this.points) this.drawEllipses(brush);
  }

  drawAxes(pixels) {
    const { side, reach } = this;
    this.canvas.width = this.canvas.height = pixels;
    for (const node of [this.frame, this.back, this.svg, this.canvas]) node.style.width = node.style.height = `${side}px`;
    this.drawnReach = reach;
    const at = (value) => this.at(value);
    const rows = ticksBetween(-reach, reach, 7).ticks.filter((tick) => tick % 2 === 0);
    this.grid.setAttribute("d", rows.map((tick) => `M0 ${at(tick)}H${side}M${at(tick)} 0V${side}`).join(""));
    const unit = at(1) - at(0);
    set(this.once, { cx: side / 2, cy: side / 2, r: unit });
    set(this.twice, { cx: side / 2, cy: side / 2, r: 2 * unit });
    const shown = rows.filter((tick) => tick);
    writeLabels(this.labels, [
      ...shown.map((tick) => ({ x: at(tick) + 3, y: side - 4, text: label(tick, 0), anchor: "start" })),
      ...shown.map((tick) => ({ x: 4, y: at(-tick) - 4, text: label(tick, 0), anchor: "start" })),
    ]);
    set(this.empty, { x: side / 2, y: side / 2 + 5 });
  }

  at(value) {
    return ((value + this.reach) / (2 * this.reach)) * this.side;
  }

  drawEllipses(brush) {
    const { shown } = this.glide;
    const half = shown.length / 2;
    const unit = this.side / (2 * this.reach);
    for (let i = 0; i < half; i += 2) {
      const [x, y] = [this.at(shown[i]), this.at(-shown[i + 1])]; // up is positive
      if (!Number.isFinite(x + y)) continue;
      const radius = (k) => Math.max(SMALLEST_ELLIPSE_PX, (Number.isFinite(shown[half + k]) ? shown[half + k] : 0) * unit);
      brush.fillStyle = brush.strokeStyle = this.colourOf(i / 2);
      brush.beginPath();
      brush.ellipse(x, y, radius(i), radius(i + 1), 0, 0, 2 * Math.PI);
      brush.globalAlpha = 0.07;
      brush.fill();
      brush.globalAlpha = 0.5;
      brush.lineWidth = 1;
      brush.stroke();
    }
    brush.globalAlpha = 1;
    for (let i = 0; i < half; i += 2) {
      const [x, y] = [this.at(shown[i]), this.at(-shown[i + 1])];
      if (!Number.isFinite(x + y)) continue;
      brush.fillStyle = this.colourOf(i / 2);
      brush.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
    }
  }

  colourOf(example) {
    const name = this.classes[example] ?? -1;
    return name < 0 ? "#808080" : this.colours[name % this.colours.length];
  }
}
