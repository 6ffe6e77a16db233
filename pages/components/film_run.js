// The panels of one run in a film: what it had recorded, drawn and written at or before a step. The files of the panels
// come before this file.

const BARS_PX = 200;
const MOMENTS_PX = 140;
const SAMPLES_PX = 264; // as high as the map beside them
const REBUILT_PX = 84; // one row, so that a reconstruction stands under its original
const LARGEST_ZOOM = 3;
const NONE = { count: 0 };

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

/** Pictures or sentences that change with the step. */
class Made {
  constructor(root, heading, heightPx) {
    this.root = root;
    this.heightPx = heightPx; // of each grid of pictures, at most
    write(make("div", { class: "heading" }, root), heading);
    this.asOf = make("div", { class: "dim as-of", "data-testid": "as-of" }, root);
    this.grids = [];
    this.images = new Map(); // PNG → image, so that a drag waits for no decoding
    this.width = 0;
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

  /** parts: [{made, title, alt, reserve, hidden}], `made` in the form of Python's `_made`; what is hidden keeps its room. */
  show(parts, asOf) {
    write(this.asOf, asOf);
    const written = parts.some(({ made }) => made.sentences);
    this.root.dataset.kind = written ? "sentences" : "pictures";
    if (written) this.showSentences(parts);
    else this.showPictures(parts);
  }

  showSentences(parts) {
    this.list ??= new SentenceList(this.place("sentences"));
    const columns = parts.map(({ made, title, reserve, hidden }) => ({ title, sentences: hidden ? [] : made.sentences, reserve }));
    this.list.update({ columns, label: parts.at(-1).alt });
  }

  showPictures(parts) {
    while (this.grids.length < parts.length) this.grids.push(new ImageGrid(this.place("pictures")));
    parts.forEach(({ made, alt, hidden }, i) => {
      const image = this.images.get(made.png);
      if (made.count && !image) return; // the picture before stays until this one is decoded
      const data = { ...made, alt, columns: this.columnsFor(made), sheet: made.count, scale: LARGEST_ZOOM };
      this.grids[i].frame.style.visibility = hidden ? "hidden" : "";
      this.grids[i].show(data, image);
    });
  }

  place(name) {
    const place = make("div", { class: name });
    this.asOf.before(place);
    return place;
  }

  /** As many columns as make the pictures largest within the width and the height, in full rows. */
  columnsFor({ count, width, height }) {
    const device = window.devicePixelRatio || 1;
    let best = { columns: Math.max(1, count), zoom: 0 };
    for (let columns = Math.max(1, count); columns >= 1; columns--) {
      if (count % columns) continue;
      const wide = (this.width - GAP_PX * (columns - 1)) / columns / width;
      const fitting = Math.min(LARGEST_ZOOM, wide, this.heightPx / (count / columns) / height) * device;
      const zoom = fitting >= 1 ? Math.floor(fitting) : fitting;
      if (zoom > best.zoom) best = { columns, zoom };
    }
    return best.columns;
  }

  resize() {
    this.width = this.root.clientWidth;
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
    this.samples = new Made(samples.panel, "decoded from the prior", SAMPLES_PX);
    this.rebuilt = new Made(rebuilt.panel, "test examples and their reconstructions", REBUILT_PX);
  }

  /** `changed` is called when a picture has been decoded. The axes, which all runs share, are set in `scales` after it. */
  update(run, { group, colours, reach, place, changed }) {
    Object.assign(this, { run, scales: { group, colours, reach, klTop: null, momentTop: 1, momentNote: "" } });
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

  /** Draws what there was at `step`; `glide` for new data and a film, not for a slider that is dragged. */
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
    const words = run.words[i] ?? { headline: "no values yet", summary: "no values yet", current_label: "", told: "" };
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
    const moments = {
      title,
      colour,
      dimensions,
      height: MOMENTS_PX,
      top: scales.momentTop,
      note: scales.momentNote,
      mean: i < 0 ? [] : this.mean[i],
      std: i < 0 ? [] : this.std[i],
    };
    if (glide) this.moments.update(moments);
    else this.moments.jump(moments);
  }

  showSnapshot(i) {
    const { run, scales } = this;
    const snapshot = run.snapshots[i];
    const none = run.snapshots.length ? `first at step ${counted(this.snapshotSteps[0])}` : "";
    const asOf = snapshot ? `as of step ${counted(snapshot.step)}` : none;
    write(this.map.asOf, [asOf, run.map_caption].filter(Boolean).join(" · "));
    const title = snapshot ? `${run.title}, ${asOf}` : run.title;
    this.map.show(this.maps[i] ?? null, { ...scales, classes: run.labels, title });
    const alt = (what) => `${title}: ${what}`;
    const { samples, reconstructions } = snapshot ?? run.snapshots[0] ?? { samples: NONE, reconstructions: NONE };
    const hidden = !snapshot;
    this.samples.show([{ made: samples, alt: alt("decoded from the prior"), reserve: this.samplesReserve, hidden }], asOf);
    const original = { made: run.originals, title: "test example", alt: `${run.title}: test examples` };
    const rebuilt = { made: reconstructions, title: "reconstruction", alt: alt("reconstructions"), reserve: this.rebuiltReserve, hidden };
    this.rebuilt.show(run.snapshots.length ? [original, rebuilt] : [original], asOf);
  }

  /** A picture has been decoded since. */
  refresh() {
    if (this.shownAt) this.showSnapshot(this.shownAt.snapshot);
  }

  resize() {
    for (const part of [this.bars, this.moments, this.map, this.samples, this.rebuilt]) part.resize();
    this.refresh();
  }

  dispose() {
    this.bars.dispose();
    this.moments.dispose();
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
