// The panels of one run in a film: what it had recorded, drawn and written at or before a step. The files of the panels
// come before this file.

const BARS_PX = 200;
const MOMENTS_PX = 150;
const PICTURES_PX = 290; // about as high as the map beside them
const GAP_BETWEEN_PX = 3;
const LARGEST_ZOOM = 3;

/** Rows of little-endian float32, base64: [row][column]. */
function unpacked(text, columns) {
  if (text === null) return null;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const rows = [];
  for (let at = 0; at + 4 * columns <= bytes.length && columns; at += 4 * columns) {
    rows.push(Array.from({ length: columns }, (_, i) => view.getFloat32(at + 4 * i, true)));
  }
  return rows;
}

const finiteOrNull = (row) => row.map((value) => (Number.isFinite(value) ? value : null));

/** Pictures or sentences that change with the step; `aside` are the originals, which do not. */
class Made {
  constructor(root, heading) {
    this.root = root;
    this.heading = make("div", { class: "heading" }, root);
    write(this.heading, heading);
    this.asOf = make("div", { class: "dim as-of", "data-testid": "as-of" }, root);
    this.grids = [];
    this.images = new Map(); // PNG → image, so that a drag waits for no decoding
  }

  /** Decodes what is not decoded yet, calls `ready` when it is there, and forgets what is no longer needed. */
  load(sheets, ready) {
    const needed = new Set(sheets.filter(({ png }) => png).map(({ png }) => png));
    for (const png of this.images.keys()) if (!needed.has(png)) this.images.delete(png);
    for (const png of needed) {
      if (this.images.has(png)) continue;
      this.images.set(png, null);
      decoded(png).then((image) => {
        if (!this.images.has(png)) return;
        this.images.set(png, image);
        ready();
      });
    }
  }

  /** parts: [{made, title, alt, reserve}], made in the form of Python's `_made`. */
  show(parts, asOf) {
    write(this.asOf, asOf);
    const written = parts.every(({ made }) => !made || made.sentences);
    if (written && parts.some(({ made }) => made)) this.showSentences(parts);
    else this.showPictures(parts.filter(({ made }) => made));
  }

  showSentences(parts) {
    this.list ??= new SentenceList(this.asOfBefore("sentences"));
    const columns = parts.map(({ made, title, reserve }) => ({ title, sentences: made?.sentences ?? [], reserve }));
    this.list.update({ columns, label: parts.at(-1).alt });
  }

  showPictures(parts) {
    while (this.grids.length < parts.length) this.grids.push(new ImageGrid(this.asOfBefore("pictures")));
    this.grids.forEach((grid, i) => (grid.frame.parentNode.hidden = i >= parts.length));
    parts.forEach(({ made, alt }, i) => {
      const image = this.images.get(made.png);
      if (made.count && !image) return; // the picture before stays until this one is decoded
      const columns = this.columnsFor(made);
      this.grids[i].show({ ...made, alt, columns, sheet: made.count, scale: LARGEST_ZOOM }, image ?? null);
    });
  }

  asOfBefore(name) {
    const place = make("div", { class: name });
    this.asOf.before(place);
    return place;
  }

  /** As many columns as make the pictures largest within the width and `PICTURES_PX`; equal rows if that is possible. */
  columnsFor({ count, width, height }) {
    let best = { columns: Math.max(1, count), zoom: 0 };
    const room = this.root.clientWidth;
    for (let columns = Math.max(1, count); columns >= 1; columns--) {
      const rows = Math.ceil(count / columns);
      const fitting = Math.min((room - GAP_BETWEEN_PX * (columns - 1)) / columns / width, PICTURES_PX / this.share / rows / height);
      const zoom = Math.min(LARGEST_ZOOM, fitting >= 1 ? Math.floor(fitting) : fitting);
      if (zoom > best.zoom && count % columns === 0) best = { columns, zoom };
    }
    return best.columns;
  }

  resize() {
    for (const grid of this.grids) grid.resize();
  }
}

class FilmedRun {
  constructor(stage) {
    this.run = null;
    this.shownAt = null;
    this.panels = {};
    for (const name of ["kl", "moments", "map", "samples", "rebuilt"]) {
      const panel = make("section", { class: `panel ${name}` }, stage);
      const who = make("div", { class: "title who" }, panel);
      this.panels[name] = { panel, swatch: make("span", { class: "key" }, who), title: make("span", {}, who) };
    }
    const { kl, moments, map, samples, rebuilt } = this.panels;
    this.bars = new KlBars(kl.panel);
    this.moments = new MomentBars(moments.panel);
    write(make("div", { class: "heading" }, map.panel), "posteriors of test examples");
    this.map = new PosteriorMap(map.panel);
    this.mapAsOf = make("div", { class: "dim as-of", "data-testid": "as-of" }, map.panel);
    this.samples = new Made(samples.panel, "decoded from the prior");
    this.rebuilt = new Made(rebuilt.panel, "test examples and their reconstructions");
    this.samples.share = 1;
    this.rebuilt.share = 2;
  }

  /** `scales` are the axes of all runs together; `changed` is called when a picture has been decoded. */
  update(run, { group, klTop, momentTop, colours, reach, place, changed }) {
    Object.assign(this, { run, scales: { group, klTop, momentTop, colours, reach } });
    this.kl = unpacked(run.kl, run.dimensions);
    this.mean = unpacked(run.mean, run.dimensions);
    this.std = unpacked(run.std, run.dimensions);
    this.current = unpacked(run.current, run.dimensions);
    this.snapshotSteps = run.snapshots.map(({ step }) => step);
    this.maps = run.snapshots.map(({ points, spreads, map }) => {
      if (points === null) return null;
      return { xy: unpacked(points, 2).flat(), spread: unpacked(spreads, 2)?.flat() ?? null, words: map };
    });
    for (const { panel, swatch, title } of Object.values(this.panels)) {
      panel.style.setProperty("--place", place);
      swatch.style.background = run.colour;
      write(title, run.title);
    }
    this.map.nameLabels(run.label_names, colours);
    this.samples.load(run.snapshots.map(({ samples }) => samples), changed);
    this.rebuilt.load([run.originals, ...run.snapshots.map(({ reconstructions }) => reconstructions)], changed);
    this.samplesReserve = longest(run.snapshots.map(({ samples }) => samples));
    this.rebuiltReserve = longest(run.snapshots.map(({ reconstructions }) => reconstructions));
    this.shownAt = null;
  }

  /** Draws what there was at `step`; `glide` for new data, not for a slider that moved. */
  show(step, { glide = false } = {}) {
    const record = atOrBefore(this.run.steps, step);
    const snapshot = atOrBefore(this.snapshotSteps, step);
    const { record: r, snapshot: s } = this.shownAt ?? {};
    if (record !== r) this.showRecord(record, step, glide);
    if (snapshot !== s) this.showSnapshot(snapshot);
    this.shownAt = { record, snapshot };
  }

  showRecord(i, step, glide) {
    const { run, scales } = this;
    const { title, caption, colour } = run;
    const dimensions = i < 0 ? [] : Array.from({ length: run.dimensions }, (_, d) => d);
    const words = run.words[i] ?? { headline: "no values yet", summary: "no values yet", current_label: "" };
    const data = {
      title,
      caption,
      colour,
      dimensions,
      sorted: false,
      height: BARS_PX,
      group: scales.group,
      reach: scales.klTop,
      kl: i < 0 ? [] : finiteOrNull(this.kl[i]),
      fixed: i < 0 ? null : run.fixed,
      current: i < 0 || !this.current ? null : finiteOrNull(this.current[i]),
      fixed_label: run.fixed_label,
      dead_below: run.dead_below,
      ...words,
    };
    if (glide) this.bars.update(data);
    else this.bars.jump(data);
    this.moments.jump({
      title,
      colour,
      dimensions,
      height: MOMENTS_PX,
      top: scales.momentTop,
      mean: i < 0 ? [] : this.mean[i],
      std: i < 0 ? [] : this.std[i],
    });
  }

  showSnapshot(i) {
    const { run, scales } = this;
    const snapshot = run.snapshots[i];
    const none = run.snapshots.length ? `first at step ${counted(this.snapshotSteps[0])}` : "not there yet";
    const asOf = snapshot ? `as of step ${counted(snapshot.step)}` : none;
    write(this.mapAsOf, [asOf, run.map_caption].filter(Boolean).join(" · "));
    const title = snapshot ? `${run.title}, ${asOf}` : run.title;
    this.map.show(this.maps[i] ?? null, { ...scales, classes: run.labels, title });
    const alt = (what) => `${run.title}, ${asOf}: ${what}`;
    const sampled = { made: snapshot?.samples, title: "", alt: alt("decoded from the prior"), reserve: this.samplesReserve };
    this.samples.show([sampled], asOf);
    const rebuilt = { made: snapshot?.reconstructions, title: "reconstruction", alt: alt("reconstructions"), reserve: this.rebuiltReserve };
    this.rebuilt.show([{ made: run.originals, title: "test example", alt: `${run.title}: test examples` }, rebuilt], asOf);
  }

  /** A picture has been decoded since. */
  refresh() {
    if (this.shownAt) this.showSnapshot(this.shownAt.snapshot);
  }

  resize() {
    for (const part of [this.bars, this.moments, this.map]) part.resize();
    this.refresh();
  }

  dispose() {
    this.bars.dispose();
    this.map.dispose();
    for (const { panel } of Object.values(this.panels)) panel.remove();
  }
}

/** The longest sentence of each row over all snapshots: its room is kept, or the page would jump while dragging. */
function longest(made) {
  const rows = [];
  for (const { sentences } of made) {
    sentences?.forEach((sentence, i) => {
      if (sentence.length >= (rows[i]?.length ?? 0)) rows[i] = sentence;
    });
  }
  return rows;
}
