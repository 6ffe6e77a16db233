// Where one looks from: shared by all maps of a page, so that the same place is in the same place in each.
// Points lie in a box from -1 to 1 of every axis.

const NEAREST = 60;
const FARTHEST = 0.5;
const HOME = { x: 0, y: 0, zoom: 1, yaw: 0.6, pitch: 0.4 };

class MapCamera {
  constructor(view = HOME) {
    this.go(view);
  }

  go(view) {
    Object.assign(this, HOME, view);
  }

  get view() {
    const { x, y, zoom, yaw, pitch } = this;
    return { x, y, zoom, yaw, pitch };
  }

  /** Fills x, y (pixels) and, in three dimensions, depth for each point of `points`. */
  project(points, dimensions, size, { x, y, depth }) {
    const unit = (size / 2) * 0.94 * this.zoom;
    const [cx, cy] = [size / 2 - this.x * unit, size / 2 + this.y * unit];
    const count = points.length / dimensions;
    if (dimensions === 2) {
      for (let i = 0; i < count; i++) {
        x[i] = cx + points[2 * i] * unit;
        y[i] = cy - points[2 * i + 1] * unit;
      }
      return;
    }
    const [cosYaw, sinYaw] = [Math.cos(this.yaw), Math.sin(this.yaw)];
    const [cosPitch, sinPitch] = [Math.cos(this.pitch), Math.sin(this.pitch)];
    for (let i = 0; i < count; i++) {
      const [px, py, pz] = [points[3 * i], points[3 * i + 1], points[3 * i + 2]];
      const across = cosYaw * px + sinYaw * pz;
      const inward = cosYaw * pz - sinYaw * px;
      const near = cosPitch * inward - sinPitch * py;
      const nearer = 1 / (1.8 - 0.35 * near) * 1.35; // a little perspective, to see which way it turns
      x[i] = cx + across * unit * nearer;
      y[i] = cy - (cosPitch * py + sinPitch * inward) * unit * nearer;
      depth[i] = near;
    }
  }

  /** The place of a pixel, in two dimensions. */
  placeOf(px, py, size) {
    const unit = (size / 2) * 0.94 * this.zoom;
    return [(px - size / 2) / unit + this.x, (size / 2 - py) / unit + this.y];
  }

  drag(dx, dy, size, dimensions) {
    if (dimensions === 3) {
      this.yaw += dx * 0.01;
      this.pitch = Math.max(-1.5, Math.min(1.5, this.pitch + dy * 0.01));
      return;
    }
    const unit = (size / 2) * 0.94 * this.zoom;
    this.x -= dx / unit;
    this.y += dy / unit;
  }

  /** Nearer by a factor; the place under the pixel stays under it. */
  zoomAt(factor, px, py, size) {
    const [x, y] = this.placeOf(px, py, size);
    this.zoom = Math.max(FARTHEST, Math.min(NEAREST, this.zoom * factor));
    const [movedX, movedY] = this.placeOf(px, py, size);
    this.x += x - movedX;
    this.y += y - movedY;
  }
}
