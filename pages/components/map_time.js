// A slider over the moments of a training, and a button that plays them; chart.js comes before this file.

const MOMENT_MS = 650;

class MapTime {
  /** changed(index) is called with the place of a moment, dragged to or played. */
  constructor(root, changed) {
    this.changed = changed;
    this.row = make("div", { class: "map-time", hidden: "" }, root);
    this.button = make("button", { type: "button" }, this.row);
    this.slider = make("input", { type: "range", min: "0", step: "1", "aria-label": "moment" }, this.row);
    this.reading = make("output", { class: "dim", "data-testid": "map-moment" }, this.row);
    this.slider.addEventListener("input", () => {
      this.stop();
      this.go(Number(this.slider.value));
    });
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    this.stop();
  }

  update(steps) {
    this.row.hidden = !steps;
    if (!steps || JSON.stringify(steps) === JSON.stringify(this.steps)) return;
    this.steps = steps;
    this.slider.max = String(steps.length - 1);
    this.go(steps.length - 1);
  }

  go(index) {
    this.index = index;
    this.slider.value = String(index);
    const step = this.steps[index];
    const words = typeof step === "string" ? step : `step ${step.toLocaleString("en")} of ${this.steps.at(-1).toLocaleString("en")}`;
    write(this.reading, words);
    this.slider.setAttribute("aria-valuetext", words);
    this.changed(index);
  }

  play() {
    write(this.button, "Stop");
    this.go(this.index >= this.steps.length - 1 ? 0 : this.index + 1);
    this.timer = setInterval(() => {
      if (this.index >= this.steps.length - 1) this.stop();
      else this.go(this.index + 1);
    }, MOMENT_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    write(this.button, "Play");
  }
}
