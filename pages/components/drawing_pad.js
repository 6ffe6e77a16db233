// The entry of drawing_pad.py. chart.js comes before this file.

const INK_SHARE = 0.085; // of the pad's side: the width of a stroke, as wide as a pen's in MNIST
const KEY_STEP = 0.04; // of the side: how far an arrow key moves the pen
const MOST_UNDONE = 30; // strokes; one takes 1.2 MB while it can be taken back
const SHARPNESS = 4; // the pad draws this many times finer than what it sends

class DrawingPad {
  constructor(root) {
    this.root = root;
    this.sent = null; // what Python was last told, or told us
    this.pen = [0.5, 0.5];
    this.last = null;
    this.past = []; // the pad before each stroke, with what Python knew of it
    this.frame = make("div", { class: "pad" }, root);
    this.canvas = make("canvas", { tabindex: "0", role: "img" }, this.frame);
    this.hint = make("div", { class: "hint" }, this.frame);
    write(this.hint, "draw here");
    this.cross = make("div", { class: "cross", hidden: "" }, this.frame);
    const foot = make("div", { class: "foot" }, root);
    this.undoButton = make("button", { type: "button", title: "Take the last stroke back (Ctrl-Z)", disabled: "" }, foot);
    write(this.undoButton, "Undo");
    this.undoButton.addEventListener("click", () => this.undo());
    this.clear = make("button", { type: "button" }, foot);
    write(this.clear, "Clear");
    this.help = make("span", { class: "dim" }, foot);
    write(this.help, "or arrow keys, with Space held to draw");
    this.clear.addEventListener("click", () => this.wipe());
    this.onKey = (event) => this.pageKey(event);
    document.addEventListener("keydown", this.onKey);
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => this.up());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("keyup", (event) => event.key === " " && this.up());
    this.canvas.addEventListener("focus", () => this.showPen());
    this.canvas.addEventListener("blur", () => this.up());
  }

  update({ side, drawing, label: name }, { setStateValue }) {
    Object.assign(this, { side, setStateValue });
    this.canvas.setAttribute("aria-label", name);
    const pixels = side * SHARPNESS;
    if (this.canvas.width !== pixels) {
      this.canvas.width = this.canvas.height = pixels;
      this.brush = this.canvas.getContext("2d", { willReadFrequently: true });
      this.paper();
    }
    // A drawing that Python echoes is drawn here already; only what this pad does not know is taken.
    if (this.sent === null) {
      this.sent = drawing;
      if (drawing) this.restore(drawing);
    }
  }

  paper() {
    this.brush.fillStyle = "#000";
    this.brush.fillRect(0, 0, this.canvas.width, this.canvas.height);
    Object.assign(this.brush, { strokeStyle: "#fff", fillStyle: "#fff", lineCap: "round", lineJoin: "round" });
    this.brush.lineWidth = INK_SHARE * this.canvas.width;
    this.hint.hidden = false;
  }

  restore(drawing) {
    const bytes = Uint8Array.from(atob(drawing), (letter) => letter.charCodeAt(0));
    const small = new ImageData(this.side, this.side);
    bytes.forEach((grey, i) => small.data.set([grey, grey, grey, 255], 4 * i));
    const copy = make("canvas", { width: this.side, height: this.side });
    copy.getContext("2d").putImageData(small, 0, 0);
    this.brush.drawImage(copy, 0, 0, this.canvas.width, this.canvas.height);
    this.hint.hidden = true;
  }

  place({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  }

  down(event) {
    if (event.button > 0 || !this.brush) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.cross.hidden = true;
    this.draw(this.place(event));
  }

  move(event) {
    if (!this.last) return;
    // Between two frames a fast hand makes many points; without them a curve has corners.
    const points = event.getCoalescedEvents?.() ?? [];
    for (const point of points.length ? points : [event]) this.draw(this.place(point));
  }

  draw(to) {
    if (!this.last) this.remember();
    const [x, y] = to.map((share) => share * this.canvas.width);
    const [fromX, fromY] = (this.last ?? to).map((share) => share * this.canvas.width);
    this.brush.beginPath();
    this.brush.moveTo(fromX, fromY);
    this.brush.lineTo(x, y + (x === fromX && y === fromY ? 0.01 : 0)); // a dot is a line, too
    this.brush.stroke();
    this.last = this.pen = to;
    this.hint.hidden = true;
  }

  up() {
    if (!this.last) return;
    this.last = null;
    this.send();
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === " ") {
      if (!this.last) this.draw(this.pen);
    } else if (step) {
      const to = this.pen.map((share, axis) => Math.min(1, Math.max(0, share + KEY_STEP * step[axis])));
      if (this.last) this.draw(to);
      this.pen = to;
    } else if (event.key === "Delete" || event.key === "Backspace") this.wipe();
    else return;
    event.preventDefault();
    this.showPen();
  }

  showPen() {
    this.cross.hidden = !this.canvas.matches(":focus-visible");
    this.cross.style.left = `${100 * this.pen[0]}%`;
    this.cross.style.top = `${100 * this.pen[1]}%`;
  }

  wipe() {
    if (this.sent) this.remember();
    this.last = null;
    this.paper();
    this.tell("");
  }

  remember() {
    const { width, height } = this.canvas;
    this.past.push({ image: this.brush.getImageData(0, 0, width, height), sent: this.sent, blank: !this.hint.hidden });
    if (this.past.length > MOST_UNDONE) this.past.shift();
    this.undoButton.disabled = false;
  }

  /** The pad as it was before the last stroke, or before it was cleared. */
  undo() {
    if (this.last || !this.past.length) return;
    const { image, sent, blank } = this.past.pop();
    this.brush.putImageData(image, 0, 0);
    this.hint.hidden = !blank;
    this.undoButton.disabled = !this.past.length;
    this.tell(sent);
  }

  /** Ctrl-Z belongs to a field while one writes in it. Esc ends a stroke that is being drawn and takes it back. */
  pageKey(event) {
    const inside = event.composedPath()[0];
    if (["INPUT", "TEXTAREA", "SELECT"].includes(inside?.tagName) || inside?.isContentEditable) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && this.past.length) {
      event.preventDefault();
      this.undo();
    } else if (event.key === "Escape" && this.last) {
      this.last = null;
      this.undo();
    }
  }

  dispose() {
    document.removeEventListener("keydown", this.onKey);
  }

  send() {
    const small = make("canvas", { width: this.side, height: this.side }).getContext("2d");
    small.drawImage(this.canvas, 0, 0, this.side, this.side);
    const { data } = small.getImageData(0, 0, this.side, this.side);
    let letters = "";
    for (let i = 0; i < data.length; i += 4) letters += String.fromCharCode(data[i]);
    this.tell(btoa(letters));
  }

  tell(drawing) {
    if (drawing === this.sent) return;
    this.sent = drawing;
    this.setStateValue("drawing", drawing);
  }

  resize() {}
}

export default function (component) {
  return mount(component, "drawing-pad", (root) => new DrawingPad(root));
}
