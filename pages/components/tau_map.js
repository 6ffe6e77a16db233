// Posteriors in two dimensions under a dragged slider. chart.js and posterior_map.js come before this file.

const LARGEST_TAU_MAP_PX = 340;

class TauMap extends PosteriorMap {
  /** Draws at once. points: {xy, spread, words}; the rest as in PosteriorMap. */
  jump(points, { classes, colours, reach, title }) {
    Object.assign(this, { points, classes, colours, reach });
    this.canvas.setAttribute("aria-label", `${title}: ${points.words}`);
    write(this.empty, "");
    this.glide.jump([...points.xy, ...points.spread]);
  }

  resize() {
    this.side = Math.floor(Math.min(LARGEST_TAU_MAP_PX, this.root.clientWidth)) - 2; // its border
    this.draw();
  }
}
