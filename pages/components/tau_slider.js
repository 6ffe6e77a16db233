// The slider of the tau page: a native range input, so touch, focus and screen readers are the browser's own, over a track
// that is the budget itself: up to the thumb what the mean is always given, beyond it what is left. chart.js comes before.

const TAU_STEP = 0.001;
const KEY_STEP = 0.01;
const PAGE_STEP = 0.1;

class TauSlider {
  /** `moved(tau)` is called for each new value, `released(tau)` when it is chosen. */
  constructor(root, { moved, released }) {
    Object.assign(this, { moved, released, members: null, largest: 0.99, value: 0, keyed: false });
    this.bar = make("div", { class: "tau-bar", role: "group", "aria-label": "tau" }, root);
    this.reading = make("output", { class: "tau-reading", "data-testid": "tau" }, this.bar);
    make("span", { class: "tau-symbol" }, this.reading).textContent = "τ";
    this.digits = make("span", {}, this.reading);
    const slide = make("div", { class: "tau-slide" }, this.bar);
    this.track = make("div", { class: "tau-track", "aria-hidden": "true" }, slide);
    this.marks = make("div", { class: "tau-marks", "aria-hidden": "true" }, slide);
    this.input = make("input", { type: "range", min: 0, step: TAU_STEP, "aria-label": "τ" }, slide);
    this.scale = make("div", { class: "tau-scale", "aria-hidden": "true" }, slide);
    this.input.addEventListener("input", () => this.go(Number(this.input.value)));
    this.input.addEventListener("change", () => this.released(this.value));
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("keyup", () => this.letGo());
    this.input.addEventListener("blur", () => this.letGo());
  }

  /** `members`: the only values there are, ascending, or null; `marks`: [{tau, text}] under the track. */
  update({ largest, members, marks }) {
    Object.assign(this, { largest, members });
    this.input.max = largest;
    this.input.disabled = members !== null && members.length < 2;
    const shown = members ? members.map((tau) => ({ tau, text: "" })) : marks;
    fitChildren(this.marks, shown.length, "span");
    shown.forEach(({ tau }, i) => this.marks.children[i].style.setProperty("--at", tau / largest));
    const ticks = ticksBetween(0, 0.9, 10).ticks.filter((tick) => tick <= largest);
    fitChildren(this.scale, ticks.length + marks.length, "span");
    [...ticks.map((tau) => ({ tau, text: label(tau, 1), kind: "tick" })), ...marks.map((mark) => ({ ...mark, kind: "named" }))].forEach(
      ({ tau, text, kind }, i) => {
        const node = this.scale.children[i];
        node.style.setProperty("--at", tau / largest);
        node.className = kind;
        write(node, text);
      },
    );
  }

  /** The nearest value that there is. */
  nearest(tau) {
    const inside = Math.max(0, Math.min(this.largest, Number.isFinite(tau) ? tau : 0));
    if (!this.members?.length) return Math.round(inside / TAU_STEP) * TAU_STEP;
    return this.members.reduce((best, one) => (Math.abs(one - inside) < Math.abs(best - inside) ? one : best));
  }

  go(tau) {
    const value = this.nearest(tau);
    if (Number(this.input.value) !== value) this.input.value = value;
    if (value === this.value) return;
    this.value = value;
    this.moved(value);
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const page = { PageUp: 1, PageDown: -1 }[event.key];
    let target = { Home: 0, End: this.largest }[event.key];
    if (step || page) target = this.stepped(step ?? page, step ? KEY_STEP : PAGE_STEP);
    if (target === undefined) return;
    event.preventDefault();
    this.keyed = true;
    this.go(target);
  }

  /** One key further, on round values; among the members of a sweep, the next one. */
  stepped(direction, size) {
    const place = this.members?.indexOf(this.value) ?? -1;
    if (place >= 0) return this.members[Math.max(0, Math.min(place + direction, this.members.length - 1))];
    return (Math.round(this.value / KEY_STEP) + direction * Math.round(size / KEY_STEP)) * KEY_STEP;
  }

  letGo() {
    if (!this.keyed) return;
    this.keyed = false;
    this.released(this.value);
  }

  /** Shows the value without telling anybody. */
  show(tau, words) {
    this.value = tau;
    if (Number(this.input.value) !== tau) this.input.value = tau;
    write(this.digits, ` = ${label(tau, this.members ? 2 : 3)}`);
    this.bar.style.setProperty("--share", tau / this.largest);
    this.input.setAttribute("aria-valuetext", words);
  }
}

/** Gives `node` exactly `count` children of one kind. */
function fitChildren(node, count, name) {
  while (node.childElementCount > count) node.lastElementChild.remove();
  while (node.childElementCount < count) make(name, {}, node);
}
