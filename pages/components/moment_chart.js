// Second moments per dimension, stacked: E[mean²] filled, E[std²] on top of it pale. chart.js and dimension_bars.js come
// before this file.

const SEEN_PX = 0.25;

class MomentBars extends DimensionBars {
  constructor(root) {
    super(root);
    this.glide = new Glide(() => this.draw());
    this.spreadShape = this.shape("spread");
    this.meanShape = this.shape("means");
    this.missing = this.shape("missing");
    [this.halo, this.one] = ["halo fixed", "fixed"].map((name) => this.line(name));
    const legend = make("div", { class: "legend" }, root);
    for (const [name, words] of [["means", "E[mean²]"], ["spread", "E[std²]"], ["stroke fixed", "1, the prior's"]]) {
      const entry = make("span", {}, legend);
      make("span", { class: name.startsWith("stroke") ? name : `key ${name}` }, entry);
      write(make("span", {}, entry), words);
    }
    this.legend = legend;
    this.note = make("div", { class: "dim" }, root);
  }

  /** data: {title, colour, height, dimensions, mean, std, top, note} */
  update(data) {
    this.take(data);
    this.glide.to(this.numbers());
  }

  /** As update, without gliding there. */
  jump(data) {
    this.take(data);
    this.glide.jump(this.numbers());
  }

  take(data) {
    super.take(data);
    write(this.note, data.note);
    this.note.hidden = !data.note;
    this.legend.style.setProperty("--run", data.colour);
    this.svg.setAttribute("aria-label", this.summary());
  }

  numbers() {
    const { top, mean, std } = this.data;
    return [top, ...mean, ...std];
  }

  dispose() {
    this.glide.stop();
  }

  summary() {
    const { title, mean, std } = this.data;
    if (!mean.length) return `${title}: no second moments yet`;
    const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return `${title}: second moments, on average E[mean²] ${short(average(mean))} and E[std²] ${short(average(std))}`;
  }

  draw() {
    if (!this.width || !this.glide.shown) return;
    const { plot, count } = this;
    const [top, ...numbers] = this.glide.shown;
    const [mean, std] = [numbers.slice(0, count), numbers.slice(count)];
    const y = (value) => plot.bottom - (Math.min(value, top * 1.05) / top) * (plot.bottom - MARGIN.top);
    this.drawAxes(y, top, "second moments");
    this.drawStacks(mean, std, y);
    const line = count ? `M${MARGIN.left} ${y(1)}H${plot.right}` : "";
    for (const path of [this.halo, this.one]) path.setAttribute("d", line);
    this.svg.classList.toggle("dense", this.slotWidth() < 8);
    const i = this.hovered;
    this.drawCursor(i === null ? null : mean[i] + std[i], y);
  }

  drawStacks(mean, std, y) {
    const slot = this.slotWidth();
    const width = this.barWidth();
    const bottom = y(0);
    const inset = Math.min(0.75, width / 4);
    let [means, spreads, missing] = ["", "", ""];
    for (let i = 0; i < mean.length; i++) {
      const middle = MARGIN.left + (i + 0.5) * slot;
      const left = middle - width / 2;
      if (!Number.isFinite(mean[i] + std[i])) {
        missing += crossPath(middle, bottom, width);
        continue;
      }
      const [foot, top] = [y(mean[i]), y(mean[i] + std[i])];
      // An outline has a width of its own: of nothing, none is drawn.
      if (foot - top > SEEN_PX) spreads += `M${left + inset} ${foot}V${top}h${width - 2 * inset}V${foot}z`;
      means += `M${left} ${bottom}V${foot}h${width}V${bottom}z`;
    }
    this.meanShape.setAttribute("d", means);
    this.spreadShape.setAttribute("d", spreads);
    this.missing.setAttribute("d", missing);
  }

  describe(i) {
    const { mean, std } = this.data;
    if (!Number.isFinite(mean[i] + std[i])) return `dimension ${i}: not a number`;
    return `dimension ${i}: E[mean²] ${short(mean[i])} + E[std²] ${short(std[i])} = ${short(mean[i] + std[i])}`;
  }
}
