// What the decoder makes of it at the nearest tau of a film strip that came with the page: pictures or sentences.
// chart.js, picture_grid.js and sentence_rows.js come before this file.

const LARGEST_PICTURE_PX = 68; // wide, on the page

/** A row of a sheet of pictures; layout is read and the canvas made anew only when the room changes. */
class StripGrid extends ImageGrid {
  source(i) {
    return super.source(i + this.data.first);
  }

  cell() {
    return this.size;
  }

  resize() {
    const { count, width, height } = this.data ?? {};
    const room = this.frame.clientWidth;
    if (!count || !room) return;
    const zoom = Math.min(LARGEST_PICTURE_PX / width, (room - GAP_PX * (count - 1)) / count / width);
    this.size = { width: width * zoom, height: height * zoom };
    const device = window.devicePixelRatio || 1;
    const wide = count * (this.size.width + GAP_PX) - GAP_PX;
    this.canvas.width = Math.round(wide * device);
    this.canvas.height = Math.round(this.size.height * device);
    Object.assign(this.canvas.style, { width: `${wide}px`, height: `${this.size.height}px` });
  }

  draw() {
    const { image, data, size } = this;
    if (!data?.count || !size) return;
    const device = window.devicePixelRatio || 1;
    const brush = this.canvas.getContext("2d");
    brush.imageSmoothingEnabled = true; // the room decides the zoom, which is hardly ever whole
    brush.imageSmoothingQuality = "high";
    for (let i = 0; i < data.count; i++) {
      const box = [this.corner(i, size).x, 0, size.width, size.height].map((px) => Math.round(px * device));
      brush.drawImage(image, ...this.source(i), ...box);
    }
    this.drawLens(size);
  }
}

/** One of the rows of the panel: a title, and the pictures or sentences under it. */
class StripRow {
  constructor(root, title) {
    this.name = title;
    this.root = make("div", { class: "strip-row" }, root);
    this.title = make("div", { class: "dim" }, this.root);
    write(this.title, title);
    this.grid = new StripGrid(this.root);
    this.image = null;
    this.shown = -1;
  }

  /** made: {png, count, width, height, rows}, decoded once. */
  take(made, ready) {
    if (made.png !== this.made?.png) {
      this.image = null;
      decoded(made.png).then((image) => {
        if (made !== this.made) return;
        this.image = image;
        this.jump(0, this.name); // the grid has to know its pictures before it can measure its room
        this.resize();
        ready();
      });
    }
    this.made = made;
    this.shown = -1;
  }

  jump(frame, alt) {
    const { made, image } = this;
    const row = Math.min(frame, (made?.rows ?? 1) - 1);
    if (!image || row === this.shown) return;
    this.shown = row;
    const { count, width, height } = made;
    this.grid.show({ count, width, height, columns: count, sheet: count, first: row * count, alt }, image);
  }

  resize() {
    this.grid.resize();
    this.shown = -1;
  }
}

class FilmStrip {
  constructor(root, heading) {
    Object.assign(this, { root, heading, rows: [], lists: [], strip: null });
    this.halves = ["rebuilt", "samples"].map((name) => make("div", { class: `half ${name}` }, root));
    this.note = make("div", { class: "dim" }, root);
  }

  /**
   * strip: {taus, parts: [{half, title, made}], note} or null; `ready` is called when a picture has been decoded, and
   * `sparse` says that the slider stands at other taus as well.
   */
  take(strip, ready, { sparse }) {
    this.strip = strip;
    this.apart = sparse && strip?.taus.length > 1 ? `, the nearest in steps of ${label(strip.taus[1] - strip.taus[0], 2)}` : "";
    for (const half of this.halves) half.replaceChildren();
    this.rows = [];
    this.lists = [];
    write(this.note, strip?.note ?? "");
    if (!strip) return;
    this.written = strip.parts.some(({ made }) => made.sentences);
    this.root.dataset.kind = this.written ? "sentences" : "pictures";
    this.halves.forEach((half, i) => {
      const parts = strip.parts.filter((part) => part.half === i);
      if (this.written) this.lists.push({ list: new SentenceList(half), parts });
      else parts.forEach((part) => this.addRow(half, part, ready));
    });
  }

  addRow(half, { title, made }, ready) {
    const row = new StripRow(half, title);
    row.take(made, ready);
    this.rows.push(row);
  }

  /** Shows the frame nearest to tau. */
  jump(tau) {
    if (!this.strip) return;
    const frame = nearest(this.strip.taus, tau);
    const at = `decoded at τ = ${label(this.strip.taus[frame] ?? tau, 2)}`;
    write(this.heading, at + this.apart);
    for (const row of this.rows) row.jump(frame, `${row.name}, ${at}`);
    if (frame === this.frame && this.listed === this.strip) return;
    [this.frame, this.listed] = [frame, this.strip];
    for (const { list, parts } of this.lists) {
      const columns = parts.map(({ title, made }) => ({
        title,
        sentences: made.sentences[Math.min(frame, made.sentences.length - 1)],
        reserve: made.reserve,
      }));
      list.update({ columns, label: parts.map(({ title }) => title).join(", ") });
    }
  }

  resize() {
    for (const row of this.rows) row.resize();
  }
}
