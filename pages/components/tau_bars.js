// The charts with a bar for each dimension that tau moves: KL with its floors, the budget, the gammas. chart.js,
// dimension_bars.js, kl_chart.js and moment_chart.js come before this file.

/** KL with both floors and, thin, the article's weaker bound of tau / 2. */
class TauKlBars extends KlBars {
  constructor(root) {
    super(root);
    this.weakKey = this.legendEntry("weak");
    this.weak = this.line("weak");
  }

  take(data) {
    super.take(data);
    this.weakKey.entry.hidden = data.weak === null;
    write(this.weakKey.text, data.weak_label);
  }

  drawFloors(current, plot, y) {
    super.drawFloors(current, plot, y);
    const { weak } = this.data;
    this.weak.setAttribute("d", weak === null || !this.count ? "" : `M${MARGIN.left} ${y(weak)}H${plot.right}`);
  }
}

const DOT_PX = 3.25;
const RING_PX = 2.5;

/** gamma_mean, a dot, and gamma_std, a ring around where it would hide it; their squares sum to 1. */
class GammaDots extends DimensionBars {
  constructor(root) {
    super(root);
    this.stems = this.shape("stems");
    this.stds = this.shape("gamma-std");
    this.means = this.shape("gamma-mean");
    const legend = make("div", { class: "legend" }, root);
    for (const [name, words] of [["gamma-mean", "γ_μ, how far the means spread"], ["gamma-std", "γ_σ, how wide each posterior is"]]) {
      const entry = make("span", {}, legend);
      make("span", { class: `key ${name}` }, entry);
      write(make("span", {}, entry), words);
    }
  }

  /** data: {title, colour, height, dimensions, mean, std}: the gammas, not their squares */
  jump(data) {
    this.take(data);
    this.draw();
  }

  draw() {
    if (!this.width || !this.data) return;
    const { plot, data } = this;
    const y = (value) => plot.bottom - value * (plot.bottom - MARGIN.top);
    this.drawAxes(y, 1, "γ");
    const slot = this.slotWidth();
    const small = Math.max(1, Math.min(DOT_PX, slot / 4));
    const circle = (r) => (value, d) => {
      if (!Number.isFinite(value)) return "";
      return `M${MARGIN.left + (d + 0.5) * slot - r} ${y(value)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
    };
    const stem = (value, d) => (Number.isFinite(value) ? `M${MARGIN.left + (d + 0.5) * slot} ${y(value)}V${y(data.std[d])}` : "");
    this.means.setAttribute("d", data.mean.map(circle(small)).join(""));
    this.stds.setAttribute("d", data.std.map(circle(small + Math.min(RING_PX, slot / 5))).join(""));
    this.stems.setAttribute("d", slot < 6 ? "" : data.mean.map(stem).join(""));
    this.svg.setAttribute("aria-label", this.summary());
    this.drawCursor(this.hovered === null ? null : Math.max(data.mean[this.hovered], data.std[this.hovered]), y);
  }

  summary() {
    const average = (values) => short(total(values) / values.length);
    return `gammas: γ_μ is ${average(this.data.mean)} and γ_σ ${average(this.data.std)} on average over the dimensions`;
  }

  describe(i) {
    return `dimension ${i}: γ_μ ${short(this.data.mean[i])}, γ_σ ${short(this.data.std[i])}`;
  }
}
