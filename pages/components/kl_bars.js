// Bars of KL per dimension for one run. All bars are two paths (alive, dead) redrawn while they glide: 512 dimensions cost
// as many nodes as one. chart.js comes before this file.

const MARGIN = { left: 54, right: 6, top: 24, bottom: 42 };
const SMALLEST_AXIS_NATS = 0.1; // a collapsed model must look collapsed, not be magnified until its noise fills the chart
const WIDEST_BAR_PX = 72;

/** Charts of one group share the y axis, whenever each of them was mounted. */
const groups = new Map();

class KlBars {
  constructor(root) {
    this.data = null;
    this.hovered = null; // a position from the left; it stays while the numbers under it change
    this.glide = new Glide(() => this.draw());
    this.group = null;

    const title = make("div", { class: "title" }, root);
    this.swatch = make("span", { class: "key" }, title);
    this.title = make("span", {}, title);
    this.summary = make("div", { class: "line", "data-testid": "summary" }, root);
    this.frame = make("div", { class: "frame" }, root);
    this.svg = make("svg:svg", { role: "img", tabindex: "0" }, this.frame);
    // Below the plot, so that the plots of two columns stay level whatever their floors and captions are.
    this.legend = make("div", { class: "legend" }, root);
    this.fixedKey = this.legendEntry("fixed");
    this.currentKey = this.legendEntry("current");
    this.caption = make("div", { class: "dim" }, root);
    this.spoken = make("div", { class: "spoken", "aria-live": "polite" }, root);

    this.grid = make("svg:path", { class: "grid" }, this.svg);
    this.cursor = make("svg:rect", { class: "cursor" }, this.svg);
    this.alive = make("svg:path", { class: "alive", "data-testid": "alive" }, this.svg);
    this.dead = make("svg:path", { class: "dead", "data-testid": "dead" }, this.svg);
    this.missing = make("svg:path", { class: "missing" }, this.svg);
    this.axis = make("svg:path", { class: "axis" }, this.svg);
    [this.fixedHalo, this.fixed, this.currentHalo, this.current] = ["halo fixed", "fixed", "halo current", "current"].map(
      (name) => make("svg:path", { class: name }, this.svg),
    );
    this.yLabels = make("svg:g", {}, this.svg);
    this.xLabels = make("svg:g", {}, this.svg);
    this.names = make("svg:g", {}, this.svg);
    this.empty = make("svg:text", { class: "empty", "text-anchor": "middle" }, this.svg);
    this.tooltip = makeTooltip(this.frame);
    this.listen();
  }

  legendEntry(name) {
    const entry = make("span", { "data-testid": `${name}-floor` }, this.legend);
    make("span", { class: `stroke ${name}` }, entry);
    return { entry, text: make("span", {}, entry) };
  }

  listen() {
    const at = (event) => {
      const box = this.svg.getBoundingClientRect();
      const slot = Math.floor((event.clientX - box.left - MARGIN.left) / this.slotWidth());
      this.hover(Math.max(0, Math.min(slot, this.data.kl.length - 1)));
    };
    this.svg.addEventListener("pointermove", at);
    this.svg.addEventListener("pointerdown", at);
    this.svg.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.hover(null));
    this.svg.addEventListener("blur", () => this.hover(null));
    this.svg.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const last = this.data.kl.length - 1;
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
    this.hovered = this.data.kl.length ? position : null;
    this.draw();
  }

  update(data) {
    this.data = data;
    write(this.title, data.title);
    this.title.title = data.title;
    this.swatch.style.background = data.colour;
    this.svg.style.setProperty("--run", data.colour);
    this.svg.style.height = `${data.height}px`;
    this.svg.setAttribute("aria-label", `${data.title}: ${data.summary}`);
    write(this.summary, data.headline);
    write(this.caption, data.caption);
    this.caption.hidden = !data.caption;
    this.fixedKey.entry.hidden = !data.fixed;
    write(this.fixedKey.text, data.fixed_label);
    this.currentKey.entry.hidden = !data.current;
    write(this.currentKey.text, data.current_label);
    if (this.hovered !== null && this.hovered >= data.kl.length) this.hovered = null;
    this.join(data.group);
    this.rescale();
  }

  /** The largest value that this chart has to show, in nats. */
  reach() {
    const { kl, fixed, current, reach } = this.data;
    return Math.max(SMALLEST_AXIS_NATS, reach ?? 0, ...kl, ...(fixed ?? []), ...(current ?? []));
  }

  join(name) {
    if (this.group && this.group.name === name) return;
    this.dispose();
    this.group = (name !== null && groups.get(name)) || { name, members: new Set(), range: null };
    if (name !== null) groups.set(name, this.group);
    this.group.members.add(this);
  }

  rescale() {
    const before = this.group.range;
    const reach = Math.max(...[...this.group.members].map((chart) => chart.reach()));
    this.group.range = steadyRange(before, 0, reach * 1.04);
    for (const chart of this.group.members) if (chart === this || this.group.range !== before) chart.glideThere();
  }

  glideThere() {
    const { kl, current } = this.data;
    const numbers = [...kl, ...(current ?? [])].map((value) => value ?? NaN);
    this.glide.to([this.group.range.high, ...numbers]);
  }

  dispose() {
    this.glide.stop();
    this.group?.members.delete(this);
    if (this.group && !this.group.members.size) groups.delete(this.group.name);
  }

  resize() {
    this.draw();
  }

  slotWidth() {
    return (this.svg.clientWidth - MARGIN.left - MARGIN.right) / Math.max(1, this.data.kl.length);
  }

  draw() {
    const width = this.svg.clientWidth;
    if (!width || !this.glide.shown) return;
    const { data } = this;
    const count = data.kl.length;
    const top = this.glide.shown[0];
    const kl = this.glide.shown.slice(1, 1 + count);
    const current = data.current && this.glide.shown.slice(1 + count);
    const plot = { right: width - MARGIN.right, bottom: data.height - MARGIN.bottom };
    const y = (nats) => plot.bottom - (Math.min(nats, top * 1.05) / top) * (plot.bottom - MARGIN.top);
    this.drawAxes(plot, y, top);
    this.drawBars(kl, y);
    this.drawFloors(current, plot, y);
    this.drawCursor(kl, plot, y);
    this.empty.setAttribute("x", (MARGIN.left + plot.right) / 2);
    this.empty.setAttribute("y", (MARGIN.top + plot.bottom) / 2);
    write(this.empty, count ? "" : "no values yet");
  }

  drawAxes(plot, y, top) {
    const { ticks, decimals } = ticksBetween(0, top, Math.max(2, Math.floor((plot.bottom - MARGIN.top) / 32)));
    this.grid.setAttribute("d", ticks.slice(1).map((tick) => `M${MARGIN.left} ${y(tick)}H${plot.right}`).join(""));
    this.axis.setAttribute("d", `M${MARGIN.left} ${plot.bottom}H${plot.right}`);
    const yLabel = (tick) => ({ x: MARGIN.left - 8, y: y(tick) + 4.5, text: label(tick, decimals), anchor: "end" });
    writeLabels(this.yLabels, ticks.map(yLabel));
    const slot = this.slotWidth();
    // Powers of two, because D nearly always is one. Sorted bars are named one by one or not at all.
    let every = 1;
    while (every * slot < (this.data.kl.length > 100 ? 44 : 30)) every *= 2;
    const named = this.data.sorted && every > 1 ? [] : this.data.dimensions;
    const xLabel = (dimension, i) => ({ x: MARGIN.left + (i + 0.5) * slot, y: plot.bottom + 17, text: String(dimension) });
    writeLabels(this.xLabels, named.map(xLabel).filter((_, i) => i % every === 0));
    const middle = (MARGIN.left + plot.right) / 2;
    writeLabels(this.names, [
      { x: 0, y: 13, text: "KL, nats", anchor: "start" },
      { x: middle, y: plot.bottom + 36, text: this.data.sorted ? "dimension, largest KL first" : "dimension" },
    ]);
  }

  drawBars(kl, y) {
    const slot = this.slotWidth();
    const width = Math.min(WIDEST_BAR_PX, slot >= 3 ? Math.max(slot * 0.78, slot - 8) : slot * 0.9);
    const shape = { alive: "", dead: "", missing: "" };
    kl.forEach((nats, i) => {
      const middle = MARGIN.left + (i + 0.5) * slot;
      const left = middle - width / 2;
      const bottom = y(0);
      if (!Number.isFinite(nats)) {
        const arm = Math.min(4, width / 2);
        shape.missing += `M${middle - arm} ${bottom - 10}l${2 * arm} 8m0-8l${-2 * arm} 8`;
      } else if (this.data.kl[i] < this.data.dead_below) {
        const inset = Math.min(1, width / 4);
        const height = Math.max(5, bottom - y(nats));
        shape.dead += `M${left + inset} ${bottom}v${-height}h${width - 2 * inset}v${height}`;
      } else {
        const height = Math.max(1, bottom - y(nats));
        const r = Math.min(3, width / 4, height);
        shape.alive += `M${left} ${bottom}v${r - height}q0 ${-r} ${r} ${-r}h${width - 2 * r}q${r} 0 ${r} ${r}v${height - r}z`;
      }
    });
    this.alive.setAttribute("d", shape.alive);
    this.dead.setAttribute("d", shape.dead);
    this.dead.style.strokeWidth = Math.min(1.75, Math.max(0.75, width / 3));
    this.missing.setAttribute("d", shape.missing);
  }

  drawFloors(current, plot, y) {
    const { fixed } = this.data;
    const slot = this.slotWidth();
    const level = (fixed ?? []).every((nats) => nats === fixed[0]);
    const step = (nats, i) => `${i && fixed[i - 1] !== null ? "V" : `M${MARGIN.left + i * slot} `}${y(nats)}h${slot}`;
    let line = "";
    if (fixed?.length && level && fixed[0] !== null) line = `M${MARGIN.left} ${y(fixed[0])}H${plot.right}`;
    else if (fixed) line = fixed.map((nats, i) => (nats === null ? "" : step(nats, i))).join("");
    this.svg.classList.toggle("dense", slot < 8);
    const reach = Math.min(WIDEST_BAR_PX + 8, slot * 0.92);
    const tick = (nats, i) => `M${MARGIN.left + (i + 0.5) * slot - reach / 2} ${y(nats)}h${reach}`;
    const ticks = (current ?? []).map((nats, i) => (Number.isFinite(nats) ? tick(nats, i) : "")).join("");
    for (const path of [this.fixedHalo, this.fixed]) path.setAttribute("d", line);
    for (const path of [this.currentHalo, this.current]) path.setAttribute("d", ticks);
  }

  drawCursor(kl, plot, y) {
    const slot = this.slotWidth();
    const i = this.hovered;
    this.cursor.style.display = i === null ? "none" : "";
    if (i === null) return this.tooltip.hide();
    const left = MARGIN.left + i * slot;
    set(this.cursor, { x: left, y: MARGIN.top, width: Math.max(1, slot), height: plot.bottom - MARGIN.top });
    const height = Number.isFinite(kl[i]) ? y(kl[i]) : plot.bottom;
    this.tooltip.show(left + slot / 2, height, [{ text: this.describe(i), colour: this.data.colour }], { above: true });
  }

  describe(i) {
    const { dimensions, kl, fixed, current } = this.data;
    if (kl[i] === null) return `dimension ${dimensions[i]}: not a number`;
    const floors = [];
    if (fixed && fixed[i] !== null) floors.push(`, floor ${short(fixed[i])}`);
    if (current && current[i] !== null) floors.push(`, current floor ${short(current[i])}`);
    return `dimension ${dimensions[i]}: ${short(kl[i])} nats${floors.join("")}`;
  }
}

export default function (component) {
  return mount(component, "kl-bars", (root) => new KlBars(root));
}
