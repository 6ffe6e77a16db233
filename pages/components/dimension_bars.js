// What charts with a bar for each latent dimension share: axes, the dimension under the pointer, keys, tooltip.
// chart.js comes before this file.

const MARGIN = { left: 54, right: 6, top: 24, bottom: 42 };
const WIDEST_BAR_PX = 72;

/**
 * Abstract: a subclass has `data` with {dimensions, sorted, colour, height}, adds its shapes with `shape` (behind the
 * axis) or `line` (before it), draws them in `draw` and puts a bar in words in `describe(i)`.
 */
class DimensionBars {
  constructor(root) {
    this.data = null;
    this.hovered = null; // a position from the left; it stays while the numbers under it change
    this.width = 0;
    this.frame = make("div", { class: "frame" }, root);
    this.svg = make("svg:svg", { role: "img", tabindex: "0" }, this.frame);
    this.spoken = make("div", { class: "spoken", "aria-live": "polite" }, root);
    this.grid = make("svg:path", { class: "grid" }, this.svg);
    this.cursor = make("svg:rect", { class: "cursor" }, this.svg);
    this.axis = make("svg:path", { class: "axis" }, this.svg);
    this.yLabels = make("svg:g", {}, this.svg);
    this.xLabels = make("svg:g", {}, this.svg);
    this.names = make("svg:g", {}, this.svg);
    this.empty = make("svg:text", { class: "empty", "text-anchor": "middle" }, this.svg);
    this.tooltip = makeTooltip(this.frame);
    this.listen();
  }

  shape(name) {
    const path = make("svg:path", { class: name, "data-testid": name });
    this.axis.before(path);
    return path;
  }

  line(name) {
    const path = make("svg:path", { class: name });
    this.yLabels.before(path);
    return path;
  }

  listen() {
    const at = (event) => {
      const box = this.svg.getBoundingClientRect();
      const slot = Math.floor((event.clientX - box.left - MARGIN.left) / this.slotWidth());
      this.hover(Math.max(0, Math.min(slot, this.count - 1)));
    };
    this.svg.addEventListener("pointermove", at);
    this.svg.addEventListener("pointerdown", at);
    this.svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.hover(null));
    this.svg.addEventListener("blur", () => this.hover(null));
    this.svg.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const last = this.count - 1;
    const now = this.hovered;
    const target = {
      ArrowRight: now === null ? 0 : now + 1,
      ArrowLeft: now === null ? last : now - 1,
      Home: 0,
      End: last,
      Escape: null,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.hover(target === null ? null : Math.max(0, Math.min(target, last)));
    write(this.spoken, target === null || last < 0 ? "" : this.describe(this.hovered));
  }

  hover(position) {
    this.hovered = this.count ? position : null;
    this.draw();
  }

  /** Takes new data without drawing them. */
  take(data) {
    this.data = data;
    this.svg.style.setProperty("--run", data.colour);
    this.svg.style.height = `${data.height}px`;
    if (this.hovered !== null && this.hovered >= this.count) this.hovered = null;
  }

  get count() {
    return this.data?.dimensions.length ?? 0;
  }

  // The width is read here only: read while drawing, it would make the browser lay out the page for each chart of a frame.
  resize() {
    this.width = this.svg.clientWidth;
    this.draw();
  }

  get plot() {
    return { right: this.width - MARGIN.right, bottom: this.data.height - MARGIN.bottom };
  }

  slotWidth() {
    return (this.width - MARGIN.left - MARGIN.right) / Math.max(1, this.count);
  }

  barWidth() {
    const slot = this.slotWidth();
    return Math.min(WIDEST_BAR_PX, slot >= 3 ? Math.max(slot * 0.78, slot - 8) : slot * 0.9);
  }

  drawAxes(y, top, name) {
    const { plot, data } = this;
    const seen = [this.width, data.height, top, name, data.sorted, ...data.dimensions].join();
    if (seen === this.axesSeen) return; // while only the bars move, which is most of the time
    this.axesSeen = seen;
    const { ticks, decimals } = ticksBetween(0, top, Math.max(2, Math.floor((plot.bottom - MARGIN.top) / 32)));
    this.grid.setAttribute("d", ticks.slice(1).map((tick) => `M${MARGIN.left} ${y(tick)}H${plot.right}`).join(""));
    this.axis.setAttribute("d", `M${MARGIN.left} ${plot.bottom}H${plot.right}`);
    const yLabel = (tick) => ({ x: MARGIN.left - 8, y: y(tick) + 4.5, text: label(tick, decimals), anchor: "end" });
    writeLabels(this.yLabels, ticks.map(yLabel));
    const slot = this.slotWidth();
    // Powers of two, because D nearly always is one. Sorted bars are named one by one or not at all.
    let every = 1;
    while (every * slot < (this.count > 100 ? 44 : 30)) every *= 2;
    const named = data.sorted && every > 1 ? [] : data.dimensions;
    const xLabel = (dimension, i) => ({ x: MARGIN.left + (i + 0.5) * slot, y: plot.bottom + 17, text: String(dimension) });
    writeLabels(this.xLabels, named.map(xLabel).filter((_, i) => i % every === 0));
    const middle = (MARGIN.left + plot.right) / 2;
    writeLabels(this.names, [
      { x: 0, y: 13, text: name, anchor: "start" },
      { x: middle, y: plot.bottom + 36, text: data.sorted ? "dimension, largest KL first" : "dimension" },
    ]);
    set(this.empty, { x: middle, y: (MARGIN.top + plot.bottom) / 2 });
    write(this.empty, this.count ? "" : "no values yet");
  }

  /** `value` is what the bar under the pointer reaches to. */
  drawCursor(value, y) {
    const { plot, hovered: i } = this;
    const slot = this.slotWidth();
    this.cursor.style.display = i === null ? "none" : "";
    if (i === null) return this.tooltip.hide();
    const left = MARGIN.left + i * slot;
    set(this.cursor, { x: left, y: MARGIN.top, width: Math.max(1, slot), height: plot.bottom - MARGIN.top });
    const height = Number.isFinite(value) ? y(value) : plot.bottom;
    this.tooltip.show(left + slot / 2, height, [{ text: this.describe(i), colour: this.data.colour }], { above: true });
  }
}

/** A cross where a bar would stand, for a value that is not a number. */
function crossPath(middle, bottom, width) {
  const arm = Math.min(4, width / 2);
  return `M${middle - arm} ${bottom - 10}l${2 * arm} 8m0-8l${-2 * arm} 8`;
}

/** A bar with round shoulders between two heights in px. */
function barPath(left, bottom, width, height) {
  const r = Math.min(3, width / 4, height);
  return `M${left} ${bottom}v${r - height}q0 ${-r} ${r} ${-r}h${width - 2 * r}q${r} 0 ${r} ${r}v${height - r}z`;
}
