// Single pictures cut from one image, each on a small canvas of its own pixels that the page enlarges with hard edges.
// chart.js comes before this file.

/** The image of a base64 PNG; the last one is kept, so that the same pictures are not decoded twice. */
class Sheet {
  constructor() {
    this.png = null;
    this.image = null;
    this.turn = 0;
  }

  /** Calls `draw(image)` once the image is there, unless newer pictures came meanwhile. */
  async load(png, draw) {
    const turn = ++this.turn;
    let { image } = this;
    if (this.png !== png) {
      image = new Image();
      image.src = `data:image/png;base64,${png}`;
      await image.decode();
    }
    if (turn !== this.turn) return;
    Object.assign(this, { png, image });
    draw(image);
  }
}

/** Picture `index` of a sheet with so many columns, drawn pixel for pixel into a canvas. */
function drawCell(canvas, image, index, { width, height, columns }) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const [x, y] = [(index % columns) * width, Math.floor(index / columns) * height];
  canvas.getContext("2d").drawImage(image, x, y, width, height, 0, 0, width, height);
}

/** Children of one kind, as many as wanted, kept from one update to the next. */
function fill(parent, count, create) {
  while (parent.childElementCount > count) parent.lastElementChild.remove();
  while (parent.childElementCount < count) create(parent);
  return [...parent.children];
}
