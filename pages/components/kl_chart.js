// Bars of KL per dimension for one run. All bars are two paths (alive, dead) redrawn while they glide: 512 dimensions cost
// as many nodes as one. chart.js and dimension_bars.js come before this file.

const SMALLEST_AXIS_NATS = 0.1; // a collapsed model must look collapsed, not be magnified until its noise fills the chart

const DASH_BELOW_PX = 2;

/** A hollow bar as high as its value; of one too low to see a dash under the axis, where nothing looks like a value. */
function hollowPath(left, bottom, width, height) {
  const inset = Math.min(1, width / 4);
  if (height < 1) return `M${left + inset} ${bottom + DASH_BELOW_PX}h${width - 2 * inset}`;
  return `M${left + inset} ${bottom}v${-height}h${width - 2 * inset}v${height}`;
}

/** Charts of one group share the y axis, whenever each of them was mounted. */
const groups = new Map();

class KlBars extends DimensionBars {
  constructor(root) {
    super(root);
    this.glide = new Glide(() => this.draw());
    this.group = null;

    const title = make("div", { class: "title" });
    this.swatch = make("span", { class: "key" }, title);
    this.title = make("span", {}, title);
    this.summary = make("div", { class: "line", "data-testid": "summary" });
    this.frame.before(title, this.summary);
    // Below the plot, so that the plots of two columns stay level whatever their floors and captions are.
    this.told = make("div", { class: "line", "data-testid": "told" }, root);
    this.caption = make("div", { class: "dim" }, root);
    this.legend = make("div", { class: "legend" }, root);
    this.fixedKey = this.legendEntry("fixed");
    this.currentKey = this.legendEntry("current");

    [this.alive, this.dead, this.missing] = ["alive", "dead", "missing"].map((name) => this.shape(name));
    [this.fixedHalo, this.fixed, this.currentHalo, this.current] = ["halo fixed", "fixed", "halo current", "current"].map(
      (name) => this.line(name),
    );
  }

  legendEntry(name) {
    const entry = make("span", { "data-testid": `${name}-floor` }, this.legend);
    make("span", { class: `stroke ${name}` }, entry);
    return { entry, text: make("span", {}, entry) };
  }

  update(data) {
    this.take(data);
    this.rescale((chart) => chart.glide.to(chart.numbers()));
  }

  /** As update, without gliding there. */
  jump(data) {
    this.take(data);
    this.rescale((chart) => chart.glide.jump(chart.numbers()));
  }

  take(data) {
    super.take(data);
    write(this.title, data.title);
    this.title.title = data.title;
    this.swatch.style.background = data.colour;
    this.svg.setAttribute("aria-label", `${data.title}: ${data.summary}`);
    write(this.summary, data.headline);
    write(this.told, data.told ?? "");
    this.told.hidden = !data.told;
    write(this.caption, data.caption);
    this.caption.hidden = !data.caption;
    this.fixedKey.entry.hidden = !data.fixed;
    write(this.fixedKey.text, data.fixed_label);
    this.currentKey.entry.hidden = !data.current;
    write(this.currentKey.text, data.current_label);
    this.join(data.group);
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

  rescale(move) {
    const before = this.group.range;
    const reach = Math.max(...[...this.group.members].map((chart) => chart.reach()));
    this.group.range = steadyRange(before, 0, reach * 1.04);
    for (const chart of this.group.members) if (chart === this || this.group.range !== before) move(chart);
  }

  numbers() {
    const { kl, current } = this.data;
    return [this.group.range.high, ...[...kl, ...(current ?? [])].map((value) => value ?? NaN)];
  }

  dispose() {
    this.glide.stop();
    this.group?.members.delete(this);
    if (this.group && !this.group.members.size) groups.delete(this.group.name);
  }

  draw() {
    if (!this.width || !this.glide.shown) return;
    const { data, plot, count } = this;
    const top = this.glide.shown[0];
    const kl = this.glide.shown.slice(1, 1 + count);
    const current = data.current && this.glide.shown.slice(1 + count);
    const y = (nats) => plot.bottom - (Math.min(nats, top * 1.05) / top) * (plot.bottom - MARGIN.top);
    this.drawAxes(y, top, "KL, nats");
    this.drawBars(kl, y);
    this.drawFloors(current, plot, y);
    this.drawCursor(this.hovered === null ? null : kl[this.hovered], y);
  }

  drawBars(kl, y) {
    const slot = this.slotWidth();
    const width = this.barWidth();
    const bottom = y(0);
    const shape = { alive: "", dead: "", missing: "" };
    kl.forEach((nats, i) => {
      const middle = MARGIN.left + (i + 0.5) * slot;
      const left = middle - width / 2;
      if (!Number.isFinite(nats)) {
        shape.missing += crossPath(middle, bottom, width);
      } else if (this.data.kl[i] < this.data.dead_below) {
        shape.dead += hollowPath(left, bottom, width, bottom - y(nats));
      } else {
        shape.alive += barPath(left, bottom, width, Math.max(1, bottom - y(nats)));
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

  describe(i) {
    const { dimensions, kl, fixed, current } = this.data;
    if (kl[i] === null) return `dimension ${dimensions[i]}: not a number`;
    const floors = [];
    if (fixed && fixed[i] !== null) floors.push(`, floor ${short(fixed[i])}`);
    if (current && current[i] !== null) floors.push(`, current floor ${short(current[i])}`);
    return `dimension ${dimensions[i]}: ${short(kl[i])} nats${floors.join("")}`;
  }
}
