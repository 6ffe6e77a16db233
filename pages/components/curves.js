// Curves over training steps: lines, or areas stacked on one another, with crosshair and zoom. chart.js,
// live_feed.js and curve_points.js come before this file.

const MARGIN = { left: 58, right: 10, top: 24, bottom: 42 };
const MOST_NAMED = 8; // beyond that, the tooltip names only the curve under the pointer, and the legend none
const SMALLEST_DRAG_PX = 8;

class Curves {
  constructor(root) {
    this.root = root;
    this.data = null;
    this.curves = [];
    this.zoom = null; // [first, last] in units of x, so that it stays put while steps are added
    this.cursor = null; // {px, py} under a pointer, {x} when moved by keys
    this.drag = null;
    this.range = null;
    this.glide = new Glide(() => this.draw());

    this.title = make("div", { class: "title" }, root);
    make("span", {}, this.title);
    this.legend = make("div", { class: "legend", "data-testid": "legend" }, root);
    this.frame = make("div", { class: "frame" }, root);
    this.svg = make("svg:svg", { role: "img", tabindex: "0" }, this.frame);
    this.reset = make("button", { type: "button", class: "reset", hidden: "" }, this.frame);
    write(this.reset, "whole range");
    this.note = make("div", { class: "dim", "data-testid": "note" }, root);
    this.spoken = make("div", { class: "spoken", "aria-live": "polite" }, root);

    const clip = make("svg:clipPath", { id: "plot" }, make("svg:defs", {}, this.svg));
    this.clip = make("svg:rect", {}, clip);
    this.grid = make("svg:path", { class: "grid" }, this.svg);
    const plot = make("svg:g", { "clip-path": "url(#plot)" }, this.svg);
    this.shapes = make("svg:g", {}, plot);
    this.levels = make("svg:path", { class: "level" }, plot);
    this.marks = make("svg:path", { class: "mark" }, plot);
    this.selection = make("svg:rect", { class: "selection" }, plot);
    this.crosshair = make("svg:path", { class: "crosshair" }, plot);
    this.dots = make("svg:g", {}, plot);
    this.axis = make("svg:path", { class: "axis" }, this.svg);
    this.yLabels = make("svg:g", {}, this.svg);
    this.xLabels = make("svg:g", {}, this.svg);
    this.names = make("svg:g", {}, this.svg);
    this.notes = make("svg:g", { class: "notes" }, this.svg);
    this.empty = make("svg:text", { class: "empty", "text-anchor": "middle" }, this.svg);
    this.tooltip = makeTooltip(this.frame);
    this.listen();
  }

  listen() {
    const px = (event) => event.clientX - this.svg.getBoundingClientRect().left;
    const py = (event) => event.clientY - this.svg.getBoundingClientRect().top;
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.svg.setPointerCapture(event.pointerId);
      this.drag = { from: this.xAt(px(event)), startPx: px(event) };
      this.point(px(event), py(event));
    });
    this.svg.addEventListener("pointermove", (event) => this.point(px(event), py(event)));
    this.svg.addEventListener("pointerup", (event) => this.drop(px(event)));
    this.svg.addEventListener("pointercancel", () => this.drop(null));
    this.svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.hide());
    this.svg.addEventListener("blur", () => this.hide());
    this.svg.addEventListener("dblclick", () => this.zoomTo(null));
    this.reset.addEventListener("click", () => this.zoomTo(null));
    this.svg.addEventListener("keydown", (event) => this.onKey(event));
  }

  point(px, py) {
    this.cursor = { px, py };
    this.draw();
  }

  hide() {
    this.cursor = null;
    this.draw();
  }

  drop(px) {
    const { drag } = this;
    this.drag = null;
    if (drag && px !== null && Math.abs(px - drag.startPx) >= SMALLEST_DRAG_PX) {
      this.zoomTo([drag.from, this.xAt(px)].sort((a, b) => a - b));
    } else this.draw();
  }

  zoomTo(zoom) {
    this.zoom = zoom;
    this.range = null;
    this.root.dataset.zoom = zoom ? zoom.join(" ") : "";
    this.reset.hidden = !zoom;
    this.glideThere();
  }

  onKey(event) {
    const xs = this.curves[0]?.x ?? [];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") {
      this.cursor = null;
      this.zoomTo(null);
    } else if (step && xs.length) {
      const [first, last] = this.view().map((x) => nearest(xs, x));
      const now = this.cursor ? nearest(xs, this.cursor.x ?? this.xAt(this.cursor.px)) + step : step > 0 ? first : last;
      this.cursor = { x: xs[Math.max(first, Math.min(now, last))] };
      this.draw();
      write(this.spoken, this.tooltip.rows.map(({ text }) => text).join(", "));
    } else return;
    event.preventDefault();
  }

  update(data) {
    this.data = data;
    write(this.title.firstChild, data.title);
    this.title.hidden = !data.title;
    this.svg.style.height = `${data.height}px`;
    this.svg.setAttribute("aria-label", data.summary);
    this.stack();
    this.writeLegend();
    this.glideThere();
  }

  /** Adds to each series the heights `top` that are drawn: its own values, or the sum of the stack up to it. */
  stack() {
    let below = null;
    this.curves = this.data.series.map((series) => {
      if (!series.stacked) return { ...series, top: series.y, below: null };
      const under = below;
      below = series.y.map((y, i) => (y === null || under?.[i] === null ? null : y + (under?.[i] ?? 0)));
      return { ...series, top: below, below: under };
    });
    this.stacked = this.curves.filter((curve) => curve.stacked);
    const shapes = this.curves.length * 2;
    while (this.shapes.childElementCount > shapes) this.shapes.lastElementChild.remove();
    while (this.shapes.childElementCount < shapes) make("svg:path", {}, this.shapes);
    while (this.dots.childElementCount > this.curves.length) this.dots.lastElementChild.remove();
    while (this.dots.childElementCount < this.curves.length) make("svg:circle", { r: 4.5 }, this.dots);
    this.curves.forEach(({ colour, stacked }, i) => {
      const [area, line] = [this.shapes.children[2 * i], this.shapes.children[2 * i + 1]];
      set(area, { class: "area", fill: colour });
      set(line, { class: "curve", stroke: colour });
      area.style.display = stacked ? "" : "none";
      set(this.dots.children[i], { fill: colour });
    });
  }

  writeLegend() {
    const entries = this.curves.map(({ name, colour, y }) => ({ colour, text: worded(name, latest(y)) }));
    if (this.stacked.length > 1) entries.push({ colour: "", text: worded(this.data.total_label, latest(this.stacked.at(-1).top)) });
    if (this.curves.length > MOST_NAMED) {
      const ends = this.curves.map(({ y }) => latest(y)).filter((value) => value !== undefined);
      entries.splice(0, entries.length, { colour: "", text: `${this.curves.length} curves, now ${extent(ends)}` });
    }
    while (this.legend.childElementCount > entries.length) this.legend.lastElementChild.remove();
    while (this.legend.childElementCount < entries.length) {
      const entry = make("span", {}, this.legend);
      make("span", { class: "key" }, entry);
      make("span", {}, entry);
    }
    entries.forEach(({ colour, text }, i) => {
      const [key, words] = this.legend.children[i].children;
      key.style.background = colour;
      key.hidden = !colour;
      write(words, text);
    });
  }

  view() {
    if (this.zoom) return this.zoom;
    const ends = this.curves.filter(({ x }) => x.length).flatMap(({ x }) => [x[0], x.at(-1)]);
    if (!ends.length) return [0, 1];
    const [first, last] = [Math.min(...ends), Math.max(...ends)];
    return first < last ? [first, last] : [first - 0.5, last + 0.5];
  }

  visible(curve) {
    const [first, last] = this.view();
    const inside = curve.top.filter((y, i) => y !== null && curve.x[i] >= first && curve.x[i] <= last);
    return inside.length ? inside : curve.top.filter((y) => y !== null);
  }

  /** The y range, and in words what it leaves out: an axis cut at the foot of an area must say so. */
  chooseRange() {
    const seen = this.curves.map((curve) => this.visible(curve)).filter((values) => values.length);
    const highest = seen.reduce((most, values) => Math.max(most, ...values), -Infinity);
    const [low, high] = this.data.y_range ?? this.ownRange(seen);
    const words = [];
    if (this.stacked.length && low > 0) words.push(`axis starts at ${short(low)}, not at 0`);
    if (highest > high) words.push(`early values up to ${short(highest)} are above the axis`);
    return { low, high, words };
  }

  ownRange(seen) {
    if (!seen.length) return [0, 1];
    const ranges = seen.map(robustRange);
    const levels = this.data.levels.map(([value]) => value);
    let low = Math.min(...ranges.map((range) => range.low), ...levels);
    let high = Math.max(...ranges.map((range) => range.high), ...levels);
    const room = low < high ? (high - low) * 0.04 : Math.abs(high) * 0.1 || 0.5;
    [low, high] = [low - room, high + room];
    // The lowest area keeps a foot to stand on; zero is shown where it costs less than half of the height.
    if (this.stacked.length) low -= (high - low) * 0.3;
    if (low < high / 2 && seen.every((values) => values.every((y) => y >= 0)) && levels.every((y) => y >= 0)) low = 0;
    this.range = steadyRange(this.range, low, high);
    return [this.range.low, this.range.high];
  }

  glideThere() {
    const { low, high, words } = this.chooseRange();
    write(this.note, [...words, this.zoom ? "double-click for the whole range" : ""].filter(Boolean).join(" · "));
    this.note.hidden = !this.note.textContent;
    this.glide.to([...this.view(), low, high]);
  }

  resize() {
    this.draw();
  }

  dispose() {
    this.glide.stop();
  }

  plot() {
    return { left: MARGIN.left, right: this.svg.clientWidth - MARGIN.right, top: MARGIN.top, bottom: this.data.height - MARGIN.bottom };
  }

  xAt(px) {
    const { left, right } = this.plot();
    const [first, last] = this.glide.shown;
    return first + (Math.max(0, Math.min(px - left, right - left)) / (right - left)) * (last - first);
  }

  draw() {
    if (!this.glide.shown || !this.svg.clientWidth) return;
    const plot = this.plot();
    const [first, last, low, high] = this.glide.shown;
    const x = (value) => plot.left + ((value - first) / (last - first)) * (plot.right - plot.left);
    const y = (value) => plot.bottom - ((value - low) / (high - low)) * (plot.bottom - plot.top);
    const edge = 2; // half a line, or a dot at the very end, may stand over
    const [wide, tall] = [plot.right - plot.left, plot.bottom - plot.top];
    set(this.clip, { x: plot.left - edge, y: plot.top - edge, width: wide + 2 * edge, height: tall + edge });
    this.drawAxes(plot, x, y);
    this.drawCurves(plot, x, y);
    this.drawReferences(plot, x, y);
    this.drawSelection(plot, x);
    this.drawCrosshair(plot, x, y);
  }

  drawAxes(plot, x, y) {
    const [first, last, low, high] = this.glide.shown;
    const rows = ticksBetween(low, high, Math.max(2, Math.floor((plot.bottom - plot.top) / 32)));
    let columns = ticksBetween(first, last, Math.max(2, Math.floor((plot.right - plot.left) / 90)));
    // In a narrow column two parts may be so coarse that no round number lies within.
    if (columns.ticks.length < 2) columns = ticksBetween(first, last, 4);
    this.grid.setAttribute("d", rows.ticks.map((tick) => `M${plot.left} ${y(tick)}H${plot.right}`).join(""));
    this.axis.setAttribute("d", `M${plot.left} ${plot.bottom}H${plot.right}`);
    const rowLabel = (tick) => ({ x: plot.left - 8, y: y(tick) + 4.5, text: label(tick, rows.decimals), anchor: "end" });
    writeLabels(this.yLabels, rows.ticks.map(rowLabel));
    const columnLabel = (tick) => {
      const text = label(tick, columns.decimals);
      const half = text.length * 3.8; // the label at the end must not stick out of a phone's screen
      return { x: Math.min(x(tick), this.svg.clientWidth - half), y: plot.bottom + 17, text };
    };
    writeLabels(this.xLabels, columns.ticks.map(columnLabel));
    writeLabels(this.names, [
      { x: 0, y: 13, text: this.data.y_label, anchor: "start" },
      { x: (plot.left + plot.right) / 2, y: plot.bottom + 36, text: this.data.x_label },
    ]);
    set(this.empty, { x: (plot.left + plot.right) / 2, y: (plot.top + plot.bottom) / 2 });
    write(this.empty, this.curves.some(({ x: xs }) => xs.length) ? "" : "no values yet");
  }

  drawCurves(plot, x, y) {
    this.curves.forEach((curve, i) => {
      const at = (k) => `${x(curve.x[k]).toFixed(1)} ${y(curve.top[k]).toFixed(1)}`;
      const foot = (k) => `${x(curve.x[k]).toFixed(1)} ${(curve.below ? y(curve.below[k]) : plot.bottom).toFixed(1)}`;
      const runs = unbroken(curve.top);
      const area = (run) => `M${run.map(at).join("L")}L${run.toReversed().map(foot).join("L")}Z`;
      if (curve.stacked) this.shapes.children[2 * i].setAttribute("d", runs.map(area).join(""));
      const line = (run) => `M${run.map(at).join("L")}`;
      const dot = (run) => `M${at(run[0])}m-1.5 0a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0`; // a lone point has no line
      this.shapes.children[2 * i + 1].setAttribute("d", runs.map((run) => (run.length > 1 ? line(run) : dot(run))).join(""));
    });
  }

  drawReferences(plot, x, y) {
    const { marks, levels } = this.data;
    const inside = marks.filter(([at]) => x(at) >= plot.left - 1 && x(at) <= plot.right + 1);
    this.marks.setAttribute("d", inside.map(([at]) => `M${x(at)} ${plot.top}V${plot.bottom}`).join(""));
    this.levels.setAttribute("d", levels.map(([at]) => `M${plot.left} ${y(at)}H${plot.right}`).join(""));
    const labels = levels.map(([at, text]) => ({ x: plot.right - 4, y: y(at) - 6, text, anchor: "end" }));
    let free = plot.left; // a mark whose words would run into those of the mark before keeps only its line
    for (const [at, text] of inside) {
      const width = text.length * 7.2;
      const left = Math.min(x(at) + 5, plot.right - width);
      if (left < free) continue;
      free = left + width + 6;
      labels.push({ x: left, y: plot.top + 12, text, anchor: "start" });
    }
    writeLabels(this.notes, labels);
  }

  drawSelection(plot, x) {
    const to = this.drag && this.cursor ? this.xAt(this.cursor.px) : null;
    const [left, right] = to === null ? [0, 0] : [x(this.drag.from), x(to)].sort((a, b) => a - b);
    set(this.selection, { x: left, y: plot.top, width: right - left, height: plot.bottom - plot.top });
  }

  drawCrosshair(plot, x, y) {
    const filled = this.curves.find((curve) => curve.x.length);
    const shown = this.cursor && filled;
    this.crosshair.style.display = this.dots.style.display = shown ? "" : "none";
    this.shapes.classList.toggle("picking", Boolean(shown) && this.curves.length > MOST_NAMED);
    if (!shown) return this.tooltip.hide();
    const at = filled.x[nearest(filled.x, this.cursor.x ?? this.xAt(this.cursor.px))];
    const named = this.named(at, y);
    this.crosshair.setAttribute("d", `M${x(at)} ${plot.top}V${plot.bottom}`);
    this.curves.forEach((curve, i) => {
      const k = nearest(curve.x, at);
      const dot = this.dots.children[i];
      const height = curve.top[k] ?? null;
      dot.style.display = height === null || !named.includes(curve) ? "none" : "";
      this.shapes.children[2 * i + 1].classList.toggle("picked", named.includes(curve));
      if (height !== null) set(dot, { cx: x(curve.x[k]), cy: y(height) });
    });
    this.tooltip.show(x(at), plot.top + (plot.bottom - plot.top) / 3, this.readings(at, named));
  }

  /** The curves that the tooltip names at x: all, areas from the top down; or of very many the one nearest to the pointer. */
  named(x, y) {
    const all = [...this.stacked.toReversed(), ...this.curves.filter((curve) => !curve.stacked)];
    if (all.length <= MOST_NAMED) return all;
    const py = this.cursor.py ?? 0;
    const distance = (curve) => Math.abs(y(curve.top[nearest(curve.x, x)] ?? Infinity) - py);
    return [all.reduce((best, curve) => (distance(curve) < distance(best) ? curve : best))];
  }

  /** What the tooltip says at x: the sum of the areas, then each named curve. */
  readings(x, named) {
    const value = ({ x: xs, y }) => y[nearest(xs, x)] ?? NaN;
    const rows = named.map((curve) => ({ text: `${curve.name} ${short(value(curve))}`, colour: curve.colour }));
    if (this.stacked.length > 1) {
      const sum = this.stacked.reduce((total, curve) => total + value(curve), 0);
      rows.unshift({ text: `${this.data.total_label} ${short(sum)}` });
    }
    return [{ text: `${this.data.x_label} ${short(x)}` }, ...rows];
  }
}

export default function (component) {
  return mountLive(component, "curves", (root) => new Curves(root));
}
