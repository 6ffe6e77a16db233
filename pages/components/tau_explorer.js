// The entry of tau_explorer.py: one tau for every panel. All numbers are here, so a drag asks nobody.

const MARKS_KEPT = 5000; // a page open all day must not fill the browser's record of marks
const MOST_AWAITED = 16;
const BARS_PX = 240;
const MAP_EXAMPLES = 150;

const nullable = (values) => Array.from(values, (value) => (Number.isFinite(value) ? value : null));

class TauExplorer {
  constructor(root) {
    this.root = root;
    this.frame = 0;
    this.draws = 0;
    this.tau = 0;
    this.given = undefined; // the tau that Python gave last
    this.awaited = []; // values sent to Python that have not come back
    this.slider = new TauSlider(root, { moved: () => this.request(), released: (tau) => this.release(tau) });
    this.stage = make("div", { class: "stage" }, root);
    this.kl = new TauKlBars(this.panel("kl"));
    this.budget = new MomentBars(this.panel("budget", "the budget of the second moment"));
    this.map = new TauMap(this.panel("map", "posteriors of test examples"));
  }

  panel(name, heading = "") {
    const panel = make("section", { class: `panel ${name}`, "data-testid": name }, this.stage);
    if (heading) write(make("div", { class: "heading" }, panel), heading);
    return panel;
  }

  update(data, { setStateValue }) {
    Object.assign(this, { data, setStateValue });
    if (data.version !== this.version) this.take(data);
    if (data.tau !== this.given) {
      this.given = data.tau;
      const echo = this.awaited.indexOf(data.tau);
      if (echo >= 0) this.awaited.splice(0, echo + 1);
      else this.tau = this.slider.nearest(data.tau);
    }
    this.resize();
  }

  /** Another run, or another meaning: everything is unpacked once. */
  take(data) {
    this.version = data.version;
    this.given = undefined;
    this.model = new TauModel(data.model);
    for (const [name, colour] of Object.entries(data.colours)) this.root.style.setProperty(`--${name}`, colour);
    this.slider.update({ largest: data.largest_tau, members: data.members, marks: data.marks });
    this.dimensions = Array.from({ length: this.model.dimensions }, (_, d) => d);
    // One axis for the whole slider: only the bars may move.
    const end = this.model.at(this.slider.nearest(data.largest_tau));
    this.top = Math.max(...end.kl.filter(Number.isFinite), end.floor);
  }

  release(tau) {
    this.awaited = [...this.awaited, tau].slice(-MOST_AWAITED);
    this.setStateValue("tau", tau);
  }

  request() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.drag());
  }

  drag() {
    this.frame = 0;
    this.tau = this.slider.value;
    this.draw();
    if (++this.draws % MARKS_KEPT === 0) performance.clearMarks("tau-draw");
    performance.mark("tau-draw", { detail: { tau: this.tau } });
  }

  draw() {
    const state = this.model.at(this.tau);
    this.slider.show(this.tau, `τ = ${label(this.tau, 3)}`);
    this.drawKl(state);
    this.drawBudget(state);
    this.drawMap(state);
  }

  drawKl({ tau, kl, floor, floors, rate }) {
    const { data, dimensions } = this;
    const least = dimensions.length * floor;
    const words = `${short(rate)} nats, of which τ alone enforces ${short(least)}`;
    this.kl.jump({
      title: data.title,
      caption: data.caption,
      colour: data.colours.run,
      dimensions,
      sorted: false,
      height: BARS_PX,
      group: null,
      reach: this.top,
      kl: nullable(kl),
      fixed: dimensions.map(() => floor),
      current: nullable(floors),
      weak: tau / 2,
      headline: `rate ${words}`,
      summary: `${dimensions.length} dimensions, KL from ${short(Math.min(...kl))} to ${short(Math.max(...kl))} nats, in all ${words}`,
      fixed_label: `fixed floor −½ ln(1−τ) = ${short(floor)} nats`,
      current_label: `current floor −½ ln γ_σ²`,
      weak_label: `τ/2 = ${short(tau / 2)}, the weaker bound of Su 2020`,
      dead_below: data.dead_below,
    });
  }

  drawBudget({ budget }) {
    this.budget.jump({
      title: this.data.title,
      colour: this.data.colours.run,
      height: BARS_PX,
      dimensions: this.dimensions,
      mean: budget.mean,
      std: budget.std,
      top: 1.25,
      note: "",
    });
  }

  drawMap({ shares, unscaled, count }) {
    const { data } = this;
    const shown = Math.min(MAP_EXAMPLES, count);
    const points = posteriorsAt(shares, unscaled, data.axes, shown);
    points.words = `${shown} test examples in dimensions ${data.axes.join(" and ")}`;
    this.map.jump(points, { classes: data.labels, colours: data.label_colours, reach: data.reach, title: data.title });
  }

  resize() {
    for (const part of [this.kl, this.budget, this.map]) part.resize();
    this.draw();
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    this.kl.dispose();
    this.budget.dispose();
    this.map.dispose();
  }
}

export default function (component) {
  return mount(component, "tau-explorer", (root) => new TauExplorer(root));
}
