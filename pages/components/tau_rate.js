// The rate-distortion curve with the point of the present tau, and the points of other runs. chart.js and pointspoints.js
// come before this file.

const RATE_MARGIN = { left: 54, right: 14, top: 24, bottom: 42 };
const RATE_PX = 250;

class RateCurve {
  constructor(root) {
    this.width = 0;
    this.frame = make("div", { class: "frame" }, root);
    this.svg = make("svg:svg", { role: "img", tabindex: "0", style: `height:${RATE_PX}px` }, this.frame);
    this.grid = make("svg:path", { class: "grid" }, this.svg);
    this.axis = make("svg:path", { class: "axis" }, this.svg);
    this.level = make("svg:path", { class: "level" }, this.svg);
    this.curve = make("svg:path", { class: "rate-curve" }, this.svg);
    this.yLabels = make("svg:g", {}, this.svg);
    this.xLabels = make("svg:g", {}, this.svg);
    this.names = make("svg:g", {}, this.svg);
    this.others = make("svg:g", { class: "others" }, this.svg);
    this.rings = make("svg:g", {}, this.svg);
    this.point = make("svg:circle", { class: "rate-point", r: 7 }, this.svg);
    this.reading = make("div", { class: "line", "data-testid": "elbo" }, root);
    this.note = make("div", { class: "dim" }, root);
  }

  /** points: {taus, rate, distortion} ascending in tau; rivals: [{title, colour, rate, distortion}], all in nats; marks: [{tau}]. */
  take(points, rivals, { marks, note }) {
    Object.assign(this, { points, rivals, marks });
    write(this.note, note);
    const rates = [...points.rate, ...rivals.map(({ rate }) => rate)];
    const distortions = [...points.distortion, ...rivals.map(({ distortion }) => distortion)];
    this.x = steadyRange(null, 0, Math.max(...rates) * 1.02);
    const [low, high] = [Math.min(...distortions), Math.max(...distortions)];
    const room = Math.max(0.5, (high - low) * 0.06);
    this.y = steadyRange(null, low - room, high + room);
    this.drawStill();
  }

  /** Where nats are on the page. */
  at(rate, distortion) {
    const { left, right, top, bottom } = RATE_MARGIN;
    const x = left + ((rate - this.x.low) / (this.x.high - this.x.low)) * (this.width - left - right);
    const y = top + ((this.y.high - distortion) / (this.y.high - this.y.low)) * (RATE_PX - top - bottom);
    return [x, y];
  }

  drawStill() {
    if (!this.width || !this.points) return;
    const { left, right, top, bottom } = RATE_MARGIN;
    const foot = RATE_PX - bottom;
    const xs = ticksBetween(this.x.low, this.x.high, Math.max(2, Math.floor(this.width / 70)));
    const ys = ticksBetween(this.y.low, this.y.high, 6);
    this.grid.setAttribute("d", ys.ticks.map((tick) => `M${left} ${this.at(0, tick)[1]}H${this.width - right}`).join(""));
    this.axis.setAttribute("d", `M${left} ${top}V${foot}H${this.width - right}`);
    writeLabels(this.yLabels, ys.ticks.map((tick) => ({ x: left - 8, y: this.at(0, tick)[1] + 4.5, text: label(tick, ys.decimals), anchor: "end" })));
    writeLabels(this.xLabels, xs.ticks.map((tick) => ({ x: this.at(tick, 0)[0], y: foot + 17, text: label(tick, xs.decimals) })));
    writeLabels(this.names, [
      { x: 0, y: 13, text: "distortion, nats", anchor: "start" },
      { x: (left + this.width - right) / 2, y: foot + 36, text: "rate, nats" },
    ]);
    const { rate, distortion } = this.points;
    const inside = rate.map((r, i) => this.at(r, distortion[i]).map((px) => px.toFixed(1)).join(" "));
    this.curve.setAttribute("d", inside.length > 1 ? `M${inside.join("L")}` : "");
    this.drawMarks();
    this.drawRivals();
  }

  /** A ring where the curve has a tau with a name. */
  drawMarks() {
    const { taus, rate, distortion } = this.points;
    fitChildren(this.rings, this.marks.length, "svg:circle");
    this.marks.forEach(({ tau }, i) => {
      const [cx, cy] = this.at(interpolated(taus, rate, tau), interpolated(taus, distortion, tau));
      set(this.rings.children[i], { class: "ring", cx, cy, r: 5 });
    });
  }

  drawRivals() {
    fitChildren(this.others, this.rivals.length, "svg:g");
    this.rivals.forEach(({ title, colour, rate, distortion }, i) => {
      const group = this.others.children[i];
      if (!group.childElementCount) {
        make("svg:path", { class: "rival" }, group);
        make("svg:text", { class: "note" }, group);
      }
      const [x, y] = this.at(rate, distortion);
      set(group.firstChild, { d: `M${x} ${y - 7}l7 7l-7 7l-7 -7z`, fill: colour });
      const leftward = x > this.width / 2;
      set(group.lastChild, { x: leftward ? x - 11 : x + 11, y: y + 4.5, "text-anchor": leftward ? "end" : "start" });
      write(group.lastChild, title);
    });
  }

  jump(tau, rate) {
    if (!this.width || !this.points) return;
    const distortion = interpolated(this.points.taus, this.points.distortion, tau);
    const [cx, cy] = this.at(rate, distortion);
    set(this.point, { cx, cy });
    // All points with this ELBO, so that the eye sees who does better at another rate.
    const sum = rate + distortion;
    const ends = [this.x.low, this.x.high].map((r) => ({ r, d: sum - r })).map(({ r, d }) => {
      const inside = Math.max(this.y.low, Math.min(this.y.high, d));
      return this.at(d === inside ? r : sum - inside, inside);
    });
    this.level.setAttribute("d", `M${ends[0].join(" ")}L${ends[1].join(" ")}`);
    const words = `−ELBO ${short(sum)} = distortion ${short(distortion)} + rate ${short(rate)} nats`;
    write(this.reading, words);
    this.svg.setAttribute("aria-label", `rate and distortion: ${words}`);
  }

  resize() {
    this.width = this.svg.clientWidth;
    this.drawStill();
  }
}
