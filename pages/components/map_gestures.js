// What a hand does on a map: drag, pinch, wheel, click, lasso, keys. It only tells its owner; it draws nothing.

const CLICK_PX = 5; // a press that moves less is a click
const KEY_STEP = 0.1;

class MapGestures {
  /** owner: {camera, lassoing, moved(), clicked(panel, x, y), hovered(panel, x, y), lassoed(panel, path, done), key(name)} */
  constructor(panel, owner) {
    Object.assign(this, { panel, owner });
    this.pointers = new Map();
    const { canvas } = panel;
    const on = (name, handler, options) => canvas.addEventListener(name, (event) => handler.call(this, event), options);
    on("pointerdown", this.down);
    on("pointermove", this.move);
    on("pointerup", this.up);
    on("pointercancel", this.cancel);
    on("pointerleave", () => this.owner.hovered(this.panel, null));
    on("wheel", this.wheel, { passive: false });
    on("dblclick", (event) => event.preventDefault());
    on("keydown", this.keydown);
  }

  place(event) {
    const box = this.panel.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button) return;
    this.panel.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
    this.start = this.place(event);
    this.travelled = this.pointers.size > 1 ? CLICK_PX : 0;
    this.path = (this.owner.lassoing || event.shiftKey) && this.pointers.size === 1 ? [this.start] : null;
  }

  move(event) {
    const here = this.place(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.owner.hovered(this.panel, ...here);
    const [dx, dy] = [here[0] - before[0], here[1] - before[1]];
    this.travelled += Math.hypot(dx, dy);
    if (this.pointers.size === 2) this.pinch(event.pointerId, here);
    else if (this.path) {
      const last = this.path.at(-1);
      if (Math.hypot(here[0] - last[0], here[1] - last[1]) > LASSO_STEP_PX) this.path.push(here);
      this.owner.lassoed(this.panel, this.path, false);
    } else if (this.travelled > CLICK_PX) {
      this.owner.hovered(this.panel, null);
      this.owner.camera.drag(dx, dy, this.panel.size, this.panel.dimensions);
      this.owner.moved();
    }
    this.pointers.set(event.pointerId, here);
  }

  pinch(id, here) {
    const [other] = [...this.pointers].filter(([pointer]) => pointer !== id).map(([, place]) => place);
    const was = this.pointers.get(id);
    const span = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    this.owner.camera.zoomAt(span(here) / span(was), (here[0] + other[0]) / 2, (here[1] + other[1]) / 2, this.panel.size);
    this.owner.moved();
  }

  up(event) {
    const known = this.pointers.delete(event.pointerId);
    if (!known || this.pointers.size) return;
    const path = this.path;
    this.path = null;
    if (path && path.length > 2) this.owner.lassoed(this.panel, path, true);
    else if (this.travelled <= CLICK_PX) this.owner.clicked(this.panel, ...this.start);
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    if (this.path) this.owner.lassoed(this.panel, [], false);
    this.path = null;
  }

  /** The wheel zooms a map that has been touched, or with Ctrl; until then it scrolls the page as everywhere. */
  wheel(event) {
    if (!event.ctrlKey && !this.panel.canvas.matches(":focus")) return;
    event.preventDefault();
    this.owner.camera.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...this.place(event), this.panel.size);
    this.owner.moved();
  }

  keydown(event) {
    const { camera } = this.owner;
    const { size, dimensions } = this.panel;
    const step = size * KEY_STEP;
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key]) camera.drag(...moves[event.key], size, dimensions);
    else if (event.key === "+" || event.key === "=") camera.zoomAt(1.25, size / 2, size / 2, size);
    else if (event.key === "-") camera.zoomAt(0.8, size / 2, size / 2, size);
    else if (event.key === "0") camera.go(HOME);
    else if (event.key === "l") return this.owner.key("lasso");
    else if (event.key === "n" || event.key === "p") return this.owner.key(event.key);
    else return;
    event.preventDefault();
    this.owner.moved();
  }
}
