// A grid of small pictures with hard pixels, cut from one image. chart.js comes before this file.

const GAP_PX = 3;
const LENS_PX = 168;

async function decoded(png) {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  return image;
}

class ImageGrid {
  constructor(root) {
    this.data = null; // what is drawn: data and image always belong together
    this.image = null;
    this.turn = 0;
    this.drawn = 0;
    this.hovered = null;
    this.frame = make("div", { class: "frame" }, root);
    this.canvas = make("canvas", { role: "img", tabindex: "0" }, this.frame);
    this.empty = make("div", { class: "dim" }, root);
    write(this.empty, "no pictures yet");
    this.lens = make("div", { class: "tooltip lens", "data-testid": "tooltip", hidden: "" }, this.frame);
    this.enlarged = make("canvas", {}, this.lens);
    this.words = make("span", {}, this.lens);
    this.spoken = make("div", { class: "spoken", "aria-live": "polite" }, root);
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.hover(null));
    this.canvas.addEventListener("blur", () => this.hover(null));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  async update(data) {
    const turn = ++this.turn;
    let { image } = this;
    if (data.count && this.data?.png !== data.png) {
      image = await decoded(data.png); // the old pictures stay until the new ones can be drawn: no blank frame at a tick
    }
    if (turn < this.drawn) return; // a later tick was decoded sooner
    this.drawn = turn;
    this.show(data, image);
  }

  /** Draws pictures of an image that is decoded already; `sheet` is its number of columns where that is not the page's. */
  show(data, image) {
    Object.assign(this, { data, image });
    this.canvas.setAttribute("aria-label", data.alt);
    this.empty.hidden = data.count > 0;
    this.frame.hidden = data.count === 0;
    if (this.hovered >= data.count) this.hovered = null;
    this.draw();
  }

  resize() {
    this.draw();
  }

  /** Width and height of a cell in CSS pixels: as wished, or smaller so that all columns fit. */
  cell() {
    const { columns, width, height, scale } = this.data;
    const room = (this.frame.clientWidth - GAP_PX * (columns - 1)) / columns;
    const device = window.devicePixelRatio || 1;
    const wished = Math.min(scale, room / width);
    // Whole device pixels for each pixel of the picture, or some pixels would look wider than their neighbours.
    const zoom = wished * device >= 1 ? Math.floor(wished * device) / device : wished;
    return { width: width * zoom, height: height * zoom };
  }

  draw() {
    const { image, data } = this;
    if (!data?.count || !this.frame.clientWidth) return;
    const cell = this.cell();
    const device = window.devicePixelRatio || 1;
    const [columns, rows] = [Math.min(data.columns, data.count), Math.ceil(data.count / data.columns)];
    const [width, height] = [columns * (cell.width + GAP_PX) - GAP_PX, rows * (cell.height + GAP_PX) - GAP_PX];
    this.canvas.width = Math.round(width * device);
    this.canvas.height = Math.round(height * device);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const brush = this.canvas.getContext("2d");
    brush.imageSmoothingEnabled = false;
    for (let i = 0; i < data.count; i++) {
      const { x, y } = this.corner(i, cell);
      const box = [x, y, cell.width, cell.height].map((px) => Math.round(px * device));
      brush.drawImage(image, ...this.source(i), ...box);
    }
    this.drawLens(cell);
  }

  corner(i, cell) {
    const { columns } = this.data;
    return { x: (i % columns) * (cell.width + GAP_PX), y: Math.floor(i / columns) * (cell.height + GAP_PX) };
  }

  source(i) {
    const { width, height, columns, sheet = columns } = this.data;
    return [(i % sheet) * width, Math.floor(i / sheet) * height, width, height];
  }

  drawLens(cell) {
    const { data, hovered: i } = this;
    this.lens.hidden = i === null;
    if (i === null) return;
    const zoom = Math.max(1, Math.floor(LENS_PX / Math.max(data.width, data.height)));
    [this.enlarged.width, this.enlarged.height] = [data.width * zoom, data.height * zoom];
    const brush = this.enlarged.getContext("2d");
    brush.imageSmoothingEnabled = false;
    brush.drawImage(this.image, ...this.source(i), 0, 0, this.enlarged.width, this.enlarged.height);
    write(this.words, this.describe(i));
    const { x, y } = this.corner(i, cell);
    const { offsetWidth: width } = this.lens;
    const beside = x + cell.width + 8;
    const fits = beside + width <= this.frame.clientWidth;
    this.lens.style.left = `${fits ? beside : Math.max(0, x - 8 - width)}px`;
    this.lens.style.top = `${y}px`;
  }

  describe(i) {
    const caption = this.data.captions?.[i];
    return caption ? `${i}: ${caption}` : String(i);
  }

  point(event) {
    if (!this.data) return;
    const box = this.canvas.getBoundingClientRect();
    const cell = this.cell();
    const column = Math.floor((event.clientX - box.left) / (cell.width + GAP_PX));
    const row = Math.floor((event.clientY - box.top) / (cell.height + GAP_PX));
    const i = row * this.data.columns + Math.min(column, this.data.columns - 1);
    this.hover(i >= 0 && i < this.data.count ? i : null);
  }

  onKey(event) {
    if (!this.data) return;
    const { columns, count } = this.data;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (event.key === "Escape") this.hover(null);
    else if (step) {
      event.preventDefault();
      const next = this.hovered === null ? 0 : this.hovered + step;
      if (next >= 0 && next < count) this.hover(next);
      write(this.spoken, this.describe(this.hovered ?? 0));
    }
  }

  hover(i) {
    if (i === this.hovered) return;
    this.hovered = i;
    this.draw();
  }
}
