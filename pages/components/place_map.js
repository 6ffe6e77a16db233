// The entry of place_map.py: a small map, a star where a visitor's own code lies, rings around the examples nearest to it.

const LARGEST_PX = 420;
const EDGE = 1.06; // of the map: a code may lie a little beyond the examples
const NEAR_PX = 12;

class PlaceMap {
  constructor(root) {
    this.root = root;
    this.heading = make("div", { class: "line" }, root);
    this.frame = make("div", { class: "frame" }, root);
    this.canvas = make("canvas", { role: "img" }, this.frame);
    this.tooltip = makeTooltip(this.frame);
    this.axes = make("div", { class: "axes dim" }, root);
    this.legend = make("div", { class: "legend" }, root);
    this.words = make("p", { class: "words", "data-testid": "place-words" }, root);
    this.canvas.addEventListener("pointermove", (event) => this.hint(event));
    this.canvas.addEventListener("pointerleave", () => this.tooltip.hide());
  }

  update(data) {
    this.data = data;
    write(this.heading, data.title);
    write(this.axes, data.axes);
    write(this.words, data.words);
    if (this.sent !== data.points + data.colours) {
      this.sent = data.points + data.colours;
      this.points = new Float32Array(bytesOf(data.points).buffer);
      this.colours = new Uint32Array(bytesOf(data.colours).buffer);
    }
    const nearest = data.near.map(({ words }) => words).join("; ");
    this.canvas.setAttribute("aria-label", `${data.title}. ${data.words}${nearest ? ` Nearest: ${nearest}.` : ""}`);
    this.drawLegend(data.legend);
    this.tooltip.hide();
    this.resize();
  }

  drawLegend(legend) {
    const own = make("span", {});
    make("span", { class: "star", "aria-hidden": "true" }, own).textContent = "★";
    own.append("yours");
    const near = make("span", {});
    make("span", { class: "ring" }, near);
    near.append(`${this.data.near.length} nearest codes`);
    const classes = (legend.entries ?? []).map(({ text, colour }) => {
      const entry = make("span", {});
      make("span", { class: "key", style: `background: ${colour}` }, entry);
      entry.append(text);
      return entry;
    });
    if (legend.kind === "scale") {
      const entry = make("span", {});
      const ends = [short(legend.low ?? NaN), short(legend.high ?? NaN)];
      make("span", { class: "gradient", style: `background: linear-gradient(to right, ${legend.gradient.join(", ")})` }, entry);
      entry.append(`${legend.text}, ${ends[0]} to ${ends[1]}`);
      classes.push(entry);
    }
    this.legend.replaceChildren(...(this.data.own ? [own, near] : []), ...classes);
  }

  resize() {
    if (!this.data) return;
    this.size = Math.max(160, Math.min(LARGEST_PX, Math.floor(this.root.clientWidth)));
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    const pixels = Math.round(this.size * this.ratio);
    Object.assign(this.canvas, { width: pixels, height: pixels });
    this.frame.style.width = this.canvas.style.width = this.canvas.style.height = `${this.size}px`;
    this.draw();
  }

  /** CSS pixels of a place, kept within the frame: what lies outside is drawn at its edge. */
  at([x, y]) {
    const inside = (value) => Math.min(1, Math.max(-1, value / EDGE));
    return [((inside(x) + 1) / 2) * this.size, ((1 - inside(y)) / 2) * this.size];
  }

  draw() {
    const brush = this.canvas.getContext("2d");
    const style = getComputedStyle(this.root);
    const [ink, paper] = [style.color, style.getPropertyValue("--paper")];
    brush.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    brush.clearRect(0, 0, this.size, this.size);
    const count = this.colours.length;
    const side = count > 800 ? 2.2 : 3.4;
    brush.globalAlpha = 0.6;
    for (let i = 0; i < count; i++) {
      const place = [this.points[2 * i], this.points[2 * i + 1]];
      if (!Number.isFinite(place[0] + place[1])) continue;
      const [x, y] = this.at(place);
      const [red, green, blue] = [0, 8, 16].map((bits) => (this.colours[i] >>> bits) & 255);
      brush.fillStyle = `rgb(${red} ${green} ${blue})`;
      brush.fillRect(x - side / 2, y - side / 2, side, side);
    }
    brush.globalAlpha = 1;
    for (const { point } of this.data.near) this.ring(brush, this.at(point), ink, paper);
    if (this.data.own) this.star(brush, this.at(this.data.own), ink, paper);
  }

  ring(brush, [x, y], ink, paper) {
    for (const [colour, width] of [[paper, 3.5], [ink, 1.5]]) {
      brush.beginPath();
      brush.arc(x, y, 5, 0, 2 * Math.PI);
      Object.assign(brush, { strokeStyle: colour, lineWidth: width });
      brush.stroke();
    }
  }

  star(brush, [x, y], ink, paper) {
    brush.beginPath();
    for (let corner = 0; corner < 10; corner++) {
      const [angle, reach] = [(corner * Math.PI) / 5 - Math.PI / 2, corner % 2 ? 5 : 12];
      brush.lineTo(x + reach * Math.cos(angle), y + reach * Math.sin(angle));
    }
    brush.closePath();
    Object.assign(brush, { strokeStyle: paper, lineWidth: 4, lineJoin: "round", fillStyle: ink });
    brush.stroke();
    brush.fill();
  }

  hint(event) {
    const box = this.canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    let [best, found] = [NEAR_PX, null];
    for (const one of this.data.near) {
      const [x, y] = this.at(one.point);
      const distance = Math.hypot(x - px, y - py);
      if (distance < best) [best, found] = [distance, one];
    }
    if (found) this.tooltip.show(...this.at(found.point), [{ text: found.words }]);
    else this.tooltip.hide();
  }
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

export default function (component) {
  return mount(component, "place-map", (root) => new PlaceMap(root));
}
