// Paints tens of thousands of round points into pixels, without a GPU: a drawing of 70,000 points takes some
// milliseconds, in any browser, and no page runs out of WebGL contexts.

/** [dx, dy, coverage] of the pixels of a disc of this radius around a pixel's centre; the rim is smooth. */
function discMask(radius) {
  const reach = Math.ceil(radius);
  const mask = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const coverage = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy)));
      if (coverage > 0.02) mask.push([dx, dy, coverage]);
    }
  }
  return mask;
}

/** Red, green and blue (0 to 255) of any CSS colour. */
function rgbOf(css) {
  const brush = (rgbOf.brush ??= make("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true }));
  brush.clearRect(0, 0, 1, 1);
  brush.fillStyle = "#808080";
  brush.fillStyle = css;
  brush.fillRect(0, 0, 1, 1);
  return [...brush.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

const packed = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red;

class PointPainter {
  constructor(canvas) {
    this.canvas = canvas;
    this.brush = canvas.getContext("2d");
    this.order = new Uint32Array(0);
  }

  /** Size in device pixels. */
  resize(width, height) {
    if (this.canvas.width === width && this.canvas.height === height) return;
    Object.assign(this.canvas, { width, height });
    this.image = this.brush.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  begin(paper) {
    this.paper = paper;
    this.pixels.fill(packed(paper));
  }

  /**
   * Points at (x[i], y[i]) device pixels in colours[i] (packed), the deepest first if `depth` is given, else in an
   * order that favours no class. `which(i)` leaves points out; `alpha` is the opacity of a disc's middle.
   */
  discs({ x, y, depth, colours, count, radius, alpha, which }) {
    const { pixels } = this;
    const { width, height } = this.canvas;
    const mask = discMask(radius);
    const offsets = Int32Array.from(mask, ([dx, dy]) => dy * width + dx);
    const shares = Int32Array.from(mask, ([, , coverage]) => Math.round(256 * coverage * alpha));
    const reach = Math.ceil(radius) + 1;
    const order = this.ordered(count, depth);
    for (let k = 0; k < count; k++) {
      const i = order[k];
      if (which && !which(i)) continue;
      const px = Math.round(x[i]);
      const py = Math.round(y[i]);
      if (!(px >= reach && py >= reach && px < width - reach && py < height - reach)) continue; // NaN as well
      const at = py * width + px;
      const colour = colours[i];
      for (let m = 0; m < offsets.length; m++) {
        const share = shares[m];
        const place = at + offsets[m];
        if (share >= 255) {
          pixels[place] = colour;
          continue;
        }
        const under = pixels[place];
        const rest = 256 - share;
        // Red and blue together, green alone: two products instead of three.
        const redBlue = (((colour & 0xff00ff) * share + (under & 0xff00ff) * rest) >>> 8) & 0xff00ff;
        const green = (((colour & 0xff00) * share + (under & 0xff00) * rest) >>> 8) & 0xff00;
        pixels[place] = 0xff000000 | redBlue | green;
      }
    }
  }

  end() {
    this.brush.putImageData(this.image, 0, 0);
  }

  /** By depth, or mixed: drawn label by label, the last label would hide the others. */
  ordered(count, depth) {
    if (this.order.length !== count) {
      this.order = Uint32Array.from({ length: count }, (_, i) => i);
      let state = 12345;
      for (let i = count - 1; i > 0; i--) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        const j = Math.floor((state / 2 ** 32) * (i + 1));
        [this.order[i], this.order[j]] = [this.order[j], this.order[i]];
      }
    }
    if (!depth) return this.order;
    return this.byDepth(count, depth);
  }

  byDepth(count, depth) {
    const BINS = 1024;
    const bins = new Uint32Array(BINS + 1);
    const bin = (i) => Math.min(BINS - 1, Math.max(0, Math.floor(((depth[i] || 0) + 2) * (BINS / 4))));
    for (let i = 0; i < count; i++) bins[bin(i) + 1]++;
    for (let b = 0; b < BINS; b++) bins[b + 1] += bins[b];
    const sorted = new Uint32Array(count);
    for (let i = 0; i < count; i++) sorted[bins[bin(i)]++] = i;
    return sorted;
  }
}
