// One map: its points in pixels, what is marked on them, and which point is under the pointer.
// chart.js, point_painter.js and map_camera.js come before this file.

const LARGEST_PANEL_PX = 720;
const NEAR_PX = 9; // a click this near to a point means the point
const GLIDE_MAP_MS = 700;
const LASSO_STEP_PX = 3;

const floatsOf = (base64) => new Float32Array(bytesOf(base64).buffer);
const unpacked = (layers) => layers.map((layer) => ({ ...layer, points: floatsOf(layer.points) }));
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

class MapPanel {
  constructor(stage) {
    this.node = make("figure", { class: "map-panel", "data-testid": "map-panel" }, stage);
    this.heading = make("figcaption", { class: "map-title" }, this.node);
    this.name = make("strong", {}, this.heading);
    this.about = make("span", { class: "dim" }, this.heading);
    this.frame = make("div", { class: "map-frame" }, this.node);
    this.canvas = make("canvas", { tabindex: "0", role: "img" }, this.frame);
    this.over = make("canvas", { class: "over", "aria-hidden": "true" }, this.frame);
    this.tooltip = makeTooltip(this.frame);
    this.thumbnail = make("canvas", { class: "thumbnail", "aria-hidden": "true", "data-testid": "map-thumbnail", hidden: "" }, this.frame);
    this.axes = make("div", { class: "map-axes dim", "data-testid": "map-axes" }, this.node); // points may be anywhere within
    this.verdict = make("p", { class: "map-verdict", "data-testid": "map-verdict" }, this.node);
    this.words = make("p", { class: "map-words", "data-testid": "map-words" }, this.node);
    this.markedWords = make("p", { class: "map-words", "data-testid": "map-marked-words", hidden: "" }, this.node);
    this.mark();
    this.painter = new PointPainter(this.canvas);
    this.size = 0;
    this.sent = {};
  }

  update(panel, count) {
    write(this.name, panel.title);
    write(this.about, panel.caption);
    write(this.verdict, panel.verdict);
    this.verdict.hidden = !panel.verdict;
    write(this.words, panel.words);
    write(this.axes, panel.axes);
    this.canvas.setAttribute("aria-label", panel.spoken);
    this.count = count;
    if (JSON.stringify(this.sent.moments) !== JSON.stringify(panel.moments)) this.moments = panel.moments.map(floatsOf);
    if (this.sent.points !== panel.points) this.move(floatsOf(panel.points), panel.dimensions);
    if (this.sent.colours !== panel.colours) this.colours = new Uint32Array(bytesOf(panel.colours).buffer);
    this.layers = unpacked(panel.layers);
    this.sent = panel;
  }

  /** What the answer to a choice marks: neighbours, draws of posteriors, and what is said of these. */
  mark({ linked = [], layers = [], words = "" } = {}) {
    this.linked = linked;
    this.chosenLayers = unpacked(layers);
    write(this.markedWords, words);
    this.markedWords.hidden = !words;
  }

  /** Glides from the map before, when it is of the same examples: PCA turns into UMAP before one's eyes. */
  move(points, dimensions) {
    const from = this.shown;
    this.points = points;
    const same = from && this.dimensions === dimensions && from.length === points.length;
    this.dimensions = dimensions;
    const count = points.length / dimensions;
    this.at = { x: new Float32Array(count), y: new Float32Array(count), depth: new Float32Array(count) };
    this.shown = points;
    this.glideFrom = null;
    if (!same || reducedMotion.matches || document.hidden) return;
    this.glideFrom = from;
    this.glideStart = performance.now();
  }

  showMoment(index) {
    if (this.moments[index]) this.move(this.moments[index], this.dimensions);
  }

  /** Whether there is more to come. */
  glide() {
    if (!this.glideFrom) return false;
    const share = Math.min(1, (performance.now() - this.glideStart) / GLIDE_MAP_MS);
    const eased = share * share * (3 - 2 * share);
    const from = this.glideFrom;
    this.shown = share < 1 ? this.points.map((end, i) => from[i] + (end - from[i]) * eased) : this.points;
    if (share === 1) this.glideFrom = null;
    return share < 1;
  }

  resize(size) {
    this.size = Math.max(120, Math.min(LARGEST_PANEL_PX, Math.floor(size)));
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    const pixels = Math.round(this.size * this.ratio);
    this.painter.resize(pixels, pixels);
    Object.assign(this.over, { width: pixels, height: pixels });
    for (const node of [this.frame, this.canvas, this.over]) node.style.width = node.style.height = `${this.size}px`;
  }

  /** state: {pick, other, spot, hover, marked: Uint8Array | null, lasso}; ink and paper as [r, g, b]. */
  draw(camera, state, { ink, paper }) {
    if (!this.size || !this.points) return;
    const pixels = this.painter.canvas.width;
    camera.project(this.shown, this.dimensions, pixels, this.at);
    const count = this.count;
    const radius = (count > 20000 ? 1.1 : count > 5000 ? 1.7 : count > 800 ? 2.5 : 3.6) * this.ratio * Math.min(2, camera.zoom ** 0.35);
    const depth = this.dimensions === 3 ? this.at.depth : null;
    const alpha = count > 5000 ? 0.7 : 0.85;
    const common = { ...this.at, depth, count, colours: this.colours };
    this.painter.begin(paper);
    if (state.marked) {
      this.painter.discs({ ...common, radius, alpha: 0.13, which: (i) => !state.marked[i] });
      this.painter.discs({ ...common, radius, alpha: 0.95, which: (i) => state.marked[i] });
    } else this.painter.discs({ ...common, radius, alpha });
    this.painter.end();
    this.drawOver(camera, state, `rgb(${ink})`, `rgb(${paper})`, radius);
  }

  drawOver(camera, state, ink, paper, radius) {
    const brush = this.over.getContext("2d");
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, this.over.width, this.over.height);
    for (const layer of [...this.layers, ...this.chosenLayers]) this.drawLayer(brush, camera, layer, ink);
    const ring = (i, size, width) => {
      const [x, y] = [this.at.x[i], this.at.y[i]];
      if (Number.isFinite(x + y)) circle(brush, x, y, size * this.ratio, ink, paper, width * this.ratio);
    };
    for (const i of this.linked) if (i < this.count) ring(i, 5, 1.25);
    if (state.hover !== null && state.hover < this.count) ring(state.hover, 6, 1.5);
    if (state.other !== null && state.other < this.count) ring(state.other, 9, 1.25);
    if (state.pick?.example !== undefined && state.pick.example < this.count) ring(state.pick.example, 9, 2.5);
    if (state.spot) this.drawSpot(brush, camera, state.spot, ink, paper);
    if (state.lasso?.panel === this) this.drawLasso(brush, state.lasso.path, ink);
  }

  drawLayer(brush, camera, layer, ink) {
    const count = layer.points.length / this.dimensions;
    const at = { x: new Float32Array(count), y: new Float32Array(count), depth: new Float32Array(count) };
    camera.project(layer.points, this.dimensions, this.over.width, at);
    brush.strokeStyle = brush.fillStyle = layer.colour ?? ink;
    brush.lineWidth = 1.2 * this.ratio;
    const arm = 2.6 * this.ratio;
    for (let i = 0; i < count; i++) {
      if (!Number.isFinite(at.x[i] + at.y[i])) continue;
      brush.beginPath();
      if (layer.shape === "cross") {
        brush.moveTo(at.x[i] - arm, at.y[i] - arm);
        brush.lineTo(at.x[i] + arm, at.y[i] + arm);
        brush.moveTo(at.x[i] + arm, at.y[i] - arm);
        brush.lineTo(at.x[i] - arm, at.y[i] + arm);
        brush.stroke();
      } else {
        brush.globalAlpha = 0.55;
        brush.arc(at.x[i], at.y[i], 1.7 * this.ratio, 0, 2 * Math.PI);
        brush.fill();
        brush.globalAlpha = 1;
      }
    }
  }

  drawSpot(brush, camera, spot, ink, paper) {
    const at = { x: [0], y: [0], depth: [0] };
    camera.project(spot, 2, this.over.width, at);
    const [x, y, arm] = [at.x[0], at.y[0], 11 * this.ratio];
    for (const [colour, width] of [[paper, 5], [ink, 2]]) {
      brush.strokeStyle = colour;
      brush.lineWidth = width * this.ratio;
      brush.beginPath();
      brush.moveTo(x - arm, y);
      brush.lineTo(x + arm, y);
      brush.moveTo(x, y - arm);
      brush.lineTo(x, y + arm);
      brush.stroke();
    }
  }

  drawLasso(brush, path, ink) {
    brush.beginPath();
    for (const [x, y] of path) brush.lineTo(x * this.ratio, y * this.ratio);
    brush.closePath();
    brush.strokeStyle = brush.fillStyle = ink;
    brush.lineWidth = 1.5 * this.ratio;
    brush.setLineDash([5 * this.ratio, 4 * this.ratio]);
    brush.stroke();
    brush.setLineDash([]);
    brush.globalAlpha = 0.08;
    brush.fill();
    brush.globalAlpha = 1;
  }

  /** The point nearest to a place in CSS pixels, or null if none is near. */
  nearest(px, py) {
    let [best, found] = [(NEAR_PX * this.ratio) ** 2, null];
    const [x, y] = [px * this.ratio, py * this.ratio];
    for (let i = 0; i < this.count; i++) {
      const distance = (this.at.x[i] - x) ** 2 + (this.at.y[i] - y) ** 2;
      if (distance < best) [best, found] = [distance, i];
    }
    return found;
  }

  /** Indices of the points inside a closed path of CSS pixels. */
  inside(path) {
    const region = new Path2D();
    for (const [x, y] of path) region.lineTo(x * this.ratio, y * this.ratio);
    region.closePath();
    const brush = this.over.getContext("2d");
    const found = [];
    for (let i = 0; i < this.count; i++) {
      if (brush.isPointInPath(region, this.at.x[i], this.at.y[i])) found.push(i);
    }
    return found;
  }

  hint(i, names, values) {
    if (i === null) return this.tooltip.hide();
    const rows = [{ text: `example ${i}` }];
    if (names) rows.push({ text: names, colour: `rgb(${[0, 8, 16].map((bits) => (this.colours[i] >>> bits) & 255)})` });
    for (const value of values) rows.push({ text: value });
    this.tooltip.show(this.at.x[i] / this.ratio, this.at.y[i] / this.ratio, rows);
  }

  /** The example under the pointer, in the corner that is farthest from it. */
  picture(i, image, cut) {
    this.thumbnail.hidden = i === null || !image;
    if (this.thumbnail.hidden) return;
    drawCell(this.thumbnail, image, i, cut);
    const middle = this.painter.canvas.width / 2;
    this.thumbnail.classList.toggle("left", this.at.x[i] > middle);
    this.thumbnail.classList.toggle("low", this.at.y[i] < middle);
  }

  dispose() {
    this.node.remove();
  }
}

function circle(brush, x, y, radius, ink, paper, width) {
  for (const [colour, thickness] of [[paper, width + 2.5], [ink, width]]) {
    brush.beginPath();
    brush.arc(x, y, radius, 0, 2 * Math.PI);
    brush.strokeStyle = colour;
    brush.lineWidth = thickness;
    brush.stroke();
  }
}
