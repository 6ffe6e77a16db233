// The entry of time_film.py: runs in columns under one slider. All data are here, so a drag asks nobody.

const SMALLEST_MOMENT_AXIS = 1.25;
const WIDE_RUN_PX = 440; // from here a run's map and its pictures stand side by side
const NARROW_RUN_PX = 230; // below, the runs stand under one another
const BETWEEN_RUNS_PX = 32;
const MOST_AWAITED = 16;
const MARKS_KEPT = 5000; // a film open all day must not fill the browser's record of marks

let films = 0;

class TimeFilm {
  constructor(root) {
    this.root = root;
    this.group = `film-${films++}`;
    this.given = undefined; // the step that Python gave last
    this.awaited = []; // steps sent to Python that have not come back
    this.frame = 0;
    this.draws = 0;
    this.transport = new Transport(root, { moved: () => this.request(), released: () => this.release() });
    this.stage = make("div", { class: "stage" }, root);
    this.runs = [];
  }

  update({ albums, ...data }, { setStateValue }) {
    if (albums) data.runs = data.runs.map((run, i) => ({ ...run, snapshots: albums[i] })); // a feed sends them apart
    Object.assign(this, { data, setStateValue });
    const before = this.runs.length;
    while (this.runs.length > data.runs.length) this.runs.pop().dispose();
    while (this.runs.length < data.runs.length) this.runs.push(new FilmedRun(this.stage));
    this.stage.style.setProperty("--runs", data.runs.length);
    const { colours, reach } = data;
    const changed = () => this.request({ pictures: true });
    this.runs.forEach((filmed, place) => filmed.update(data.runs[place], { group: this.group, colours, reach, place, changed }));
    this.chooseAxes();
    this.obey(data.step);
    const steps = data.runs.flatMap((run) => [...run.steps, ...run.snapshots.map(({ step }) => step)]);
    const marks = data.runs.flatMap((run) => run.snapshots.map(({ step }) => step));
    this.transport.update({ frames: ascending(steps), marks: ascending(marks), live: data.live });
    if (this.runs.length !== before) this.resize();
    this.draw({ glide: this.transport.chosen === null && !this.transport.playing });
  }

  /** One axis for all runs and all steps: in a film only the bars may move. */
  chooseAxes() {
    const rows = this.runs.flatMap(({ kl }) => kl.map((row) => Math.max(0, ...row.filter(Number.isFinite))));
    const floors = this.runs.flatMap(({ run, current }) => [...(run.fixed ?? []), ...(current ?? []).flat()]);
    const klTop = Math.max(sturdyTop(rows), ...floors.filter(Number.isFinite));
    const sums = this.runs.flatMap(({ mean, std }) =>
      mean.map((row, t) => Math.max(0, ...row.map((value, d) => value + std[t][d]).filter(Number.isFinite))),
    );
    const momentTop = Math.max(SMALLEST_MOMENT_AXIS, 1.02 * sturdyTop(sums));
    const most = Math.max(0, ...sums);
    const momentNote = most > momentTop ? `early values up to ${short(most)} are above the axis` : "";
    for (const { scales } of this.runs) Object.assign(scales, { klTop, momentTop, momentNote });
  }

  /** Goes to the step that Python gives, but not back to one that only came from here. */
  obey(step) {
    if (step === this.given) return;
    this.given = step;
    const echo = this.awaited.indexOf(step);
    if (echo >= 0) this.awaited.splice(0, echo + 1);
    else if (!this.transport.dragging) this.transport.chosen = step;
  }

  release() {
    const { chosen } = this.transport;
    this.awaited = [...this.awaited, chosen].slice(-MOST_AWAITED);
    this.setStateValue("step", chosen);
  }

  request({ pictures = false } = {}) {
    this.pictures ||= pictures;
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  draw({ glide = false } = {}) {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.pictures) for (const run of this.runs) run.refresh();
    this.pictures = false;
    this.transport.show();
    for (const run of this.runs) run.show(this.transport.step, { glide: glide || this.transport.playing > 0 });
    if (++this.draws % MARKS_KEPT === 0) performance.clearMarks("film-draw");
    performance.mark("film-draw");
  }

  resize() {
    const room = (this.root.clientWidth + BETWEEN_RUNS_PX) / Math.max(1, this.runs.length) - BETWEEN_RUNS_PX;
    this.stage.dataset.layout = room >= WIDE_RUN_PX ? "wide" : room >= NARROW_RUN_PX || this.runs.length < 2 ? "narrow" : "stacked";
    this.transport.resize();
    for (const run of this.runs) run.resize();
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    this.transport.stop();
    for (const run of this.runs) run.dispose();
  }
}

const ascending = (steps) => [...new Set(steps)].sort((a, b) => a - b);

/** The largest value, unless a few early ones are so far above the rest that the rest would lie flat. */
function sturdyTop(values) {
  if (!values.length) return 0;
  const { high } = robustRange(values);
  const most = Math.max(...values);
  return most > 2 * high ? high : most;
}

export default function (component) {
  return mountLive(component, "time-film", (root) => new TimeFilm(root));
}
