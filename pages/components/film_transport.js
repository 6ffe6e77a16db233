// The slider of a film with its play button. Its positions are steps; early steps get more room than late ones, for that
// is when a training changes most. chart.js comes before this file.

const FILM_MS = 8000;
const LONGEST_FRAME_MS = 100; // a film that stood in a hidden tab goes on where it was
const STILLS = 16; // with reduced motion a film is so many still pictures
const PAGE_SHARE = 0.1;
const LABEL_ROOM_PX = 14;
const SPOKEN_EVERY_MS = 1000; // a film that is read out must not be read out sixty times a second

/**
 * Ascending steps along the slider: about linear up to a fortieth of the whole or the tenth step, logarithmic above. With
 * fewer steps in the linear part a film would begin with stills.
 */
class StepScale {
  constructor(steps) {
    this.first = steps[0] ?? 0;
    this.span = (steps.at(-1) ?? 0) - this.first;
    this.bend = Math.max(this.span / 40, (steps[Math.min(10, steps.length - 1)] ?? 0) - this.first) || 1;
  }

  share(step) {
    return this.span ? Math.log1p((step - this.first) / this.bend) / Math.log1p(this.span / this.bend) : 1;
  }

  step(share) {
    return this.span ? this.first + this.bend * Math.expm1(share * Math.log1p(this.span / this.bend)) : this.first;
  }
}

/** Index of the last entry of the ascending `steps` that is not after `step`, or -1. */
function atOrBefore(steps, step) {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const counted = (step) => step.toLocaleString("en");

class Transport {
  /** `moved()` is called for each new position, `released()` when it is chosen. */
  constructor(root, { moved, released }) {
    Object.assign(this, { moved, released });
    this.frames = []; // the steps at which something changes
    this.chosen = null; // a step, or null for the end, wherever that is
    this.scale = new StepScale([]);
    this.dragging = false;
    this.playing = 0;
    const bar = make("div", { class: "transport", role: "group", "aria-label": "time" }, root);
    this.button = make("button", { type: "button", class: "play" }, bar);
    this.icon = make("svg:path", {}, make("svg:svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, this.button));
    this.reading = make("div", { class: "reading", "data-testid": "reading", "aria-hidden": "true" }, bar);
    this.slider = make("div", { class: "slider", role: "slider", tabindex: "0", "aria-label": "step" }, bar);
    const track = make("div", { class: "track" }, this.slider);
    this.done = make("div", { class: "done" }, track);
    this.dots = make("div", { class: "dots" }, track);
    this.thumb = make("div", { class: "thumb" }, track);
    this.labels = make("div", { class: "labels", "aria-hidden": "true" }, this.slider);
    this.track = track;
    this.showButton();
    this.listen();
  }

  listen() {
    this.button.addEventListener("click", () => this.toggle());
    const go = (event) => {
      const box = this.track.getBoundingClientRect();
      const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
      this.go(this.nearestFrame(share));
    };
    this.slider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.slider.setPointerCapture(event.pointerId);
      this.stop();
      this.dragging = true;
      this.before = this.chosen;
      this.slider.classList.add("held");
      go(event);
    });
    this.slider.addEventListener("pointermove", (event) => this.dragging && go(event));
    this.slider.addEventListener("pointerup", () => this.letGo());
    this.slider.addEventListener("pointercancel", () => this.takeBack());
    this.slider.addEventListener("keydown", (event) => this.onKey(event));
    this.slider.addEventListener("keyup", (event) => this.keyed && event.key !== " " && this.letGo());
    this.slider.addEventListener("blur", () => this.keyed && this.letGo());
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.frames.length - 1;
    const page = Math.max(1, Math.round(last * PAGE_SHARE));
    const target = {
      ArrowRight: this.index + 1,
      ArrowUp: this.index + 1,
      ArrowLeft: this.index - 1,
      ArrowDown: this.index - 1,
      PageUp: this.index + page,
      PageDown: this.index - page,
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === " ") {
      event.preventDefault();
      if (!event.repeat) this.toggle();
    } else if (target !== undefined) {
      event.preventDefault();
      this.stop();
      this.keyed = true;
      this.go(Math.max(0, Math.min(target, last)));
    }
  }

  letGo() {
    if (!this.dragging && !this.keyed) return;
    this.dragging = this.keyed = false;
    this.slider.classList.remove("held");
    this.released();
  }

  /** The finger went on to scroll the page: it did not mean the slider. */
  takeBack() {
    if (!this.dragging) return;
    this.dragging = false;
    this.slider.classList.remove("held");
    this.chosen = this.before;
    this.moved();
  }

  /** frames: ascending steps; marks: those with pictures; live: the end is where a training is now. */
  update({ frames, marks, live }) {
    Object.assign(this, { frames, marks, live });
    this.scale = new StepScale(frames);
    this.slider.setAttribute("aria-disabled", String(frames.length < 2));
    this.button.disabled = frames.length < 2;
    if (frames.length < 2) this.stop();
    this.drawScale();
    this.show();
  }

  get last() {
    return this.frames.at(-1) ?? 0;
  }

  get index() {
    return this.chosen === null ? this.frames.length - 1 : Math.max(0, atOrBefore(this.frames, this.chosen));
  }

  get step() {
    return this.frames[this.index] ?? 0;
  }

  nearestFrame(share) {
    const before = Math.max(0, atOrBefore(this.frames, this.scale.step(share)));
    const after = Math.min(before + 1, this.frames.length - 1);
    const distance = (i) => Math.abs(this.scale.share(this.frames[i]) - share);
    return distance(after) < distance(before) ? after : before;
  }

  go(index) {
    if (!this.frames.length) return;
    const chosen = index >= this.frames.length - 1 ? null : this.frames[index];
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    this.moved();
  }

  toggle() {
    if (this.playing) {
      this.stop();
      this.released();
    } else this.play();
  }

  play() {
    if (this.frames.length < 2) return;
    let share = this.chosen === null ? 0 : this.scale.share(this.step);
    let before = performance.now();
    const advance = (now) => {
      share += Math.min(LONGEST_FRAME_MS, Math.max(0, now - before)) / FILM_MS;
      before = now;
      const shown = reducedMotion.matches ? Math.floor(share * STILLS) / STILLS : share;
      if (share >= 1) {
        this.stop();
        this.go(this.frames.length - 1);
        this.released();
        return;
      }
      this.go(Math.min(this.frames.length - 2, Math.max(0, atOrBefore(this.frames, this.scale.step(shown) + 1e-6))));
      this.place(shown); // the thumb moves on between two records
      this.playing = requestAnimationFrame(advance);
    };
    this.go(atOrBefore(this.frames, this.scale.step(share) + 1e-6));
    this.playing = requestAnimationFrame(advance);
    this.showButton();
  }

  stop() {
    if (!this.playing) return;
    cancelAnimationFrame(this.playing);
    this.playing = 0;
    this.showButton();
    this.show();
  }

  showButton() {
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.button.title = this.playing ? "Pause (space)" : "Play (space)";
    this.icon.setAttribute("d", this.playing ? "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z" : "M8 5l11 7-11 7z");
  }

  show() {
    const { step, last, slider } = this;
    const words = this.frames.length ? `step ${counted(step)} of ${counted(last)}` : "no steps yet";
    if (!this.playing) this.place(this.scale.share(step));
    write(this.reading, words);
    const now = performance.now();
    if (this.playing && now - this.spoken < SPOKEN_EVERY_MS) return;
    this.spoken = now;
    set(slider, {
      "aria-valuemin": this.frames[0] ?? 0,
      "aria-valuemax": last,
      "aria-valuenow": step,
      "aria-valuetext": this.live && this.chosen === null ? `${words}, now` : words,
    });
  }

  place(share) {
    this.thumb.style.left = this.done.style.width = `${100 * share}%`;
  }

  resize() {
    this.width = this.track.clientWidth;
    this.drawScale();
  }

  /** Round steps under the track, as many as have room, the ends first; and a dot for each snapshot. */
  drawScale() {
    const { frames, width } = this;
    if (!width || !frames.length) return;
    const place = (step) => `${100 * this.scale.share(step)}%`;
    const marks = this.marks.filter((step) => step >= frames[0] && step <= this.last);
    fill(this.dots, marks.length, () => make("span"));
    marks.forEach((step, i) => (this.dots.children[i].style.left = place(step)));
    const labels = this.scaleLabels();
    fill(this.labels, labels.length, () => make("span"));
    labels.forEach(({ step, text }, i) => {
      const node = this.labels.children[i];
      node.style.left = place(step);
      node.className = step === this.last ? "end" : step === frames[0] ? "start" : "";
      write(node, text);
    });
  }

  scaleLabels() {
    const { frames, last } = this;
    const end = this.live ? `now · ${counted(last)}` : counted(last);
    const labels = [{ step: last, text: end, from: this.width - textWidth(end), to: this.width }];
    const add = (step, from) => {
      const text = counted(step);
      const to = from + textWidth(text);
      const free = labels.every((other) => to + LABEL_ROOM_PX < other.from || other.to + LABEL_ROOM_PX < from);
      if (free) labels.push({ step, text, from, to });
    };
    if (frames[0] < last) add(frames[0], 0);
    for (const factor of [1, 5, 2]) {
      for (let power = 1; power * factor < last; power *= 10) {
        const step = power * factor;
        if (step > frames[0]) add(step, this.scale.share(step) * this.width - textWidth(counted(step)) / 2);
      }
    }
    return labels;
  }
}

const textWidth = (text) => text.length * 7.6;

/** Gives `node` exactly `count` children. */
function fill(node, count, create) {
  while (node.childElementCount > count) node.lastElementChild.remove();
  while (node.childElementCount < count) node.append(create());
}
