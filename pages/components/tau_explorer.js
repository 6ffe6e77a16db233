// The entry of tau_explorer.py: one tau for every panel. All numbers and pictures are here, so a drag asks nobody.

const MARKS_KEPT = 5000; // a page open all day must not fill the browser's record of marks
const MOST_AWAITED = 16;
const KL_PX = 250;
const KL_PX_ON_PHONES = 170; // so that what is decoded is seen below it while the slider is dragged
const PHONE_PX = 620; // wide at most, as in the style sheet
const BUDGET_PX = 190;
const MAP_EXAMPLES = 150;
const CURVE_STEP = 0.01;
const LOWEST_BUDGET_AXIS = 1.25;
const AXIS_PLACES = 100; // of the slider: the KL of one model for every τ may be highest between its ends

const nullable = (values) => Array.from(values, (value) => (Number.isFinite(value) ? value : null));
const numbered = (count) => Array.from({ length: count }, (_, d) => d);

class TauExplorer {
  constructor(root) {
    this.root = root;
    this.frame = 0;
    this.draws = 0;
    this.tau = 0;
    this.given = undefined; // the tau that Python gave last
    this.awaited = []; // values sent to Python that have not come back
    this.slider = new TauSlider(root, { moved: (tau) => this.move(tau), released: (tau) => this.release(tau) });
    this.stage = make("div", { class: "stage" }, root);
    const notice = this.panel("notice");
    this.meaning = make("span", { class: "meaning" }, notice);
    this.meant = make("span", {}, notice);
    this.notMeant = make("span", { class: "dim" }, notice);
    this.kl = new TauKlBars(this.panel("kl"));
    this.buildMap();
    const { panel, heading } = this.headed("decoded", "decoded");
    this.strip = new FilmStrip(panel, heading);
    this.stripPanel = panel;
    this.formula = new Formula(this.panel("equation"));
    this.budget = new MomentBars(this.headed("budget", "the budget of one unit of second moment").panel);
    const plain = this.headed("plain", "");
    [this.plainPanel, this.plainHeading] = [plain.panel, plain.heading];
    this.plain = new MomentBars(plain.panel);
    this.gammas = new GammaDots(this.headed("gammas", "the Scaler's factors").panel);
    this.profiles = new Profiles(this.headed("profiles", "the aggregated posterior, dimension by dimension").panel);
    this.curvePanel = this.headed("rate", "rate and distortion").panel;
    this.curve = new RateCurve(this.curvePanel);
    this.watchSight();
    this.drawers = new Map([
      ["kl", (state) => this.drawKl(state)],
      ["maps", (state, axes) => this.drawMaps(state, axes)],
      ["decoded", () => this.strip.jump(this.tau)],
      ["equation", (state, axes) => this.formula.jump(state, axes[0])],
      ["budget", ({ budget }) => this.budget.jump(this.budgetData(budget.mean, budget.std))],
      ["plain", () => this.drawPlain()],
      ["gammas", (state) => this.drawGammas(state)],
      ["profiles", (state) => this.drawProfiles(state)],
      ["rate", ({ rate }) => this.data.curve && this.curve.jump(this.tau, rate)],
    ]);
    this.parts = [this.kl, this.map, this.density, this.strip, this.budget, this.plain, this.curve, this.profiles, this.gammas];
  }

  panel(name) {
    return make("section", { class: `panel ${name}`, "data-testid": name }, this.stage);
  }

  headed(name, words) {
    const panel = this.panel(name);
    const heading = make("div", { class: "heading" }, panel);
    write(heading, words);
    return { panel, heading };
  }

  /** The map and the density share two dimensions, which can be chosen. */
  buildMap() {
    const { panel } = this.headed("maps", "posteriors, and the aggregated posterior they add up to");
    const choice = make("div", { class: "axes dim" }, panel);
    this.axes = ["across", "up"].map((name) => {
      const field = make("label", {}, choice);
      field.append(`${name}: dimension `);
      const select = make("select", { "data-testid": `dimension-${name}` }, field);
      select.addEventListener("change", () => this.draw());
      return select;
    });
    const pair = make("div", { class: "pair" }, panel);
    this.map = new TauMap(make("div", {}, pair));
    this.density = new DensityMap(make("div", {}, pair));
  }

  update(data, { setStateValue }) {
    Object.assign(this, { data, setStateValue });
    if (data.version !== this.version) {
      this.take(data);
      this.tau = this.slider.nearest(this.tau);
    }
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
    this.model = new TauModel(data.model);
    this.dimensions = numbered(this.model.dimensions);
    for (const [name, colour] of Object.entries(data.colours)) this.root.style.setProperty(`--${name}`, colour);
    write(this.meaning, data.meaning.name);
    write(this.meant, data.meaning.is);
    write(this.notMeant, data.meaning.is_not);
    this.slider.update({ largest: data.largest_tau, members: data.members, marks: data.marks });
    this.axes.forEach((select, i) => {
      fitChildren(select, this.dimensions.length, "option");
      this.dimensions.forEach((d) => write(select.children[d], String(d)));
      select.value = String(data.axes[i]);
    });
    // One axis for the whole slider: only the bars may move.
    const places = data.members ?? numbered(AXIS_PLACES + 1).map((i) => (i / AXIS_PLACES) * data.largest_tau);
    const reached = places.map((tau) => this.model.at(this.slider.nearest(tau)));
    this.top = Math.max(...reached.flatMap(({ floor, kl }) => [floor, ...kl]).filter(Number.isFinite));
    this.takePlain(data.plain);
    this.strip.take(data.strip, () => this.request(), { sparse: !data.members });
    this.stripPanel.hidden = !data.strip;
    this.takeCurve(data);
    this.map.nameLabels(data.label_names, data.label_colours);
  }

  takePlain(plain) {
    this.plainPanel.hidden = !plain;
    const ours = [0, this.data.largest_tau].map((tau) => this.model.at(this.slider.nearest(tau)).budget);
    const sums = [...ours, ...(plain ? [plain] : [])].flatMap(({ mean, std }) => Array.from(mean, (value, d) => value + std[d]));
    this.budgetTop = Math.max(LOWEST_BUDGET_AXIS, ...sums.filter(Number.isFinite));
    if (!plain) return;
    write(this.plainHeading, `the same of ${plain.title}`);
    const [mean, std] = [plain.mean, plain.std].map((values) => values.map((value) => value ?? NaN));
    this.plainData = { ...this.budgetData(mean, std), title: plain.title, dimensions: numbered(mean.length) };
  }

  takeCurve({ curve, rivals, largest_tau: largest, members, marks, curve_note: note }) {
    this.curvePanel.hidden = !curve;
    if (!curve) return;
    const taus = members ?? numbered(Math.round(largest / CURVE_STEP) + 1).map((i) => Math.min(largest, i * CURVE_STEP));
    const distortion = taus.map((tau) => interpolated(curve.taus, curve.distortion, tau));
    this.curve.take({ taus, rate: taus.map((tau) => this.model.at(tau).rate), distortion }, rivals, { marks, note });
  }

  release(tau) {
    this.awaited = [...this.awaited, tau].slice(-MOST_AWAITED);
    this.setStateValue("tau", tau);
  }

  /** At once, though it is drawn with the next frame: whatever draws before then would put the slider back. */
  move(tau) {
    this.tau = tau;
    this.request();
  }

  request() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.drag());
  }

  drag() {
    this.frame = 0;
    this.draw();
    if (++this.draws % MARKS_KEPT === 0) performance.clearMarks("tau-draw");
    performance.mark("tau-draw", { detail: { tau: this.tau } });
  }

  /** What is out of sight is not drawn: when it comes into sight, it is. */
  watchSight() {
    this.hidden = new Set();
    this.sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.hidden.delete(target);
        else this.hidden.add(target);
      }
      if (this.data && entries.some(({ isIntersecting }) => isIntersecting)) this.draw();
    }, { rootMargin: "60px" });
    for (const panel of this.stage.children) this.sight.observe(panel);
  }

  draw() {
    const state = this.model.at(this.tau);
    const { data } = this;
    this.title = data.titles[data.titles.length > 1 ? nearest(this.model.taus, this.tau) : 0];
    const axes = this.axes.map((select) => Number(select.value));
    this.slider.show(this.tau, `τ = ${label(this.tau, 3)}, rate ${short(state.rate)} nats`);
    for (const panel of this.stage.children) {
      if (!this.hidden.has(panel)) this.drawers.get(panel.dataset.testid)?.(state, axes);
    }
  }

  /** Beside the rate what the floor asks for and, where a model was trained for each τ, whether it binds here. */
  rateWords(rate, enforced) {
    const { binding_share: share } = this.data;
    if (share !== null) return `${short(rate)} nats, floor ${short(enforced)} ${enforced >= share * rate ? "binds" : "does not bind"}`;
    // Floors hold to the digit over the training set's moments; on test examples the rate may fall a little short of them.
    return rate > enforced
      ? `${short(rate)} nats, of which τ alone enforces ${short(enforced)} nats`
      : `${short(rate)} nats in test, at least ${short(enforced)} in training`;
  }

  drawGammas({ shares }) {
    this.gammas.jump({
      title: this.title,
      colour: this.data.colours.run,
      height: BUDGET_PX,
      dimensions: this.dimensions,
      mean: Array.from(shares.mean, Math.sqrt),
      std: Array.from(shares.std, Math.sqrt),
    });
  }

  drawKl({ tau, kl, floor, floors, rate }) {
    const { data, dimensions } = this;
    const enforced = dimensions.length * floor;
    const words = this.rateWords(rate, enforced);
    this.kl.jump({
      title: this.title,
      caption: `${data.caption} · means over test examples; floors are exact on the training set`,
      colour: data.colours.run,
      dimensions,
      sorted: false,
      height: this.klPx,
      group: null,
      reach: this.top,
      kl: nullable(kl),
      fixed: dimensions.map(() => floor),
      current: nullable(floors),
      weak: tau / 2,
      headline: `rate ${words}`,
      summary: `${dimensions.length} dimensions, KL from ${short(Math.min(...kl))} to ${short(Math.max(...kl))} nats, rate ${words}`,
      fixed_label: `floor −½ ln(1−τ) = ${short(floor)} nats, whatever is learned`,
      current_label: "floor −½ ln γ_σ² at the present θ",
      weak_label: `τ/2 = ${short(tau / 2)}, the weaker bound of Su 2020`,
      dead_below: data.dead_below,
    });
  }

  /** It stands still: only new data are drawn. */
  drawPlain() {
    if (this.data.plain && this.plain.data !== this.plainData) this.plain.jump(this.plainData);
  }

  drawProfiles(state) {
    this.profiles.jump(state, { reach: this.data.reach, colour: this.data.colours.run, title: this.title });
  }

  budgetData(mean, std) {
    const { colours } = this.data;
    return { title: this.title ?? "", colour: colours.run, height: BUDGET_PX, dimensions: this.dimensions, mean, std, top: this.budgetTop, note: "" };
  }

  drawMaps({ shares, unscaled, count }, axes) {
    const { data } = this;
    const { reach, colours, hole_ratio: holeRatio } = data;
    const { title } = this;
    const all = posteriorsAt(shares, unscaled, axes, count);
    this.density.jump(all, { reach, colour: colours.run, hole: colours.hole, holeRatio, title });
    const shown = Math.min(MAP_EXAMPLES, count);
    const words = `${shown} test examples in dimensions ${axes.join(" and ")}`;
    const points = { xy: all.xy.slice(0, 2 * shown), spread: all.spread.slice(0, 2 * shown), words };
    this.map.jump(points, { classes: data.labels, colours: data.label_colours, reach, title });
    write(this.map.asOf, `${shown} test examples, one std around each mean`);
  }

  resize() {
    this.klPx = this.root.clientWidth <= PHONE_PX ? KL_PX_ON_PHONES : KL_PX;
    for (const part of this.parts) part.resize();
    this.draw();
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    this.sight.disconnect();
    for (const part of [this.kl, this.budget, this.plain, this.map]) part.dispose();
  }
}

export default function (component) {
  return mount(component, "tau-explorer", (root) => new TauExplorer(root));
}
