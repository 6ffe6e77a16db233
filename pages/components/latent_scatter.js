// The entry of latent_scatter.py: one to four maps under one camera, one choice and one lasso. Everything that moves
// under the hand happens here; Python hears of a choice when it is made.

const CAMERA_RESTS_MS = 500;
const BETWEEN_PANELS_PX = 24;
const NARROWEST_PANEL_PX = 250;
const MOST_UNDONE = 50;
const HEIGHT_SHARE = 0.54; // of the window: the whole of a map is in view below the page's heading and its controls

class LatentScatter {
  constructor(root) {
    this.root = root;
    this.camera = new MapCamera();
    this.lassoing = false;
    this.past = [];
    this.state = { pick: null, other: null, hover: null, marked: null, lasso: null };
    this.lasso = [];
    this.obeyed = null;
    this.panels = [];
    this.thumbnails = new Sheet();
    this.makeToolbar();
    this.stage = make("div", { class: "map-stage" }, root);
    this.time = new MapTime(root, (index) => this.showMoment(index));
    this.legend = make("div", { class: "map-legend" }, root);
    this.onKey = (event) => this.pageKey(event);
    document.addEventListener("keydown", this.onKey);
    this.onMarks = ({ detail }) => detail === this.data?.key && this.takeMarks();
    document.addEventListener(MARKS_TOLD, this.onMarks);
  }

  makeToolbar() {
    const bar = make("div", { class: "map-tools", role: "toolbar", "aria-label": "map" }, this.root);
    const button = (text, label, action) => {
      const node = make("button", { type: "button", "aria-label": label, title: label }, bar);
      write(node, text);
      node.addEventListener("click", action);
      return node;
    };
    this.lassoButton = button("Lasso", "Lasso: draw around points (L, or Shift and drag)", () => this.key("lasso"));
    this.lassoButton.setAttribute("aria-pressed", "false");
    const zoom = (factor) => {
      const size = this.panels[0]?.size ?? 1;
      this.camera.zoomAt(factor, size / 2, size / 2, size);
      this.moved();
    };
    button("+", "Zoom in (+)", () => zoom(1.4));
    button("−", "Zoom out (−)", () => zoom(1 / 1.4));
    button("Whole map", "Whole map (0)", () => {
      this.camera.go(HOME);
      this.moved();
    });
    this.undoButton = button("Undo", "Undo the last choice (Ctrl-Z)", () => this.undo());
    this.clearButton = button("Clear", "Choose nothing (Esc)", () => this.choose(null, []));
    this.status = make("span", { class: "map-status dim", role: "status", "data-testid": "map-status" }, bar);
  }

  update(data, { setStateValue }) {
    Object.assign(this, { data, setStateValue });
    while (this.panels.length > data.panels.length) this.panels.pop().dispose();
    while (this.panels.length < data.panels.length) {
      const panel = new MapPanel(this.stage);
      new MapGestures(panel, this);
      this.panels.push(panel);
    }
    this.panels.forEach((panel, i) => panel.update(data.panels[i], data.count));
    if (this.sentClasses !== data.classes) {
      this.sentClasses = data.classes;
      this.classes = data.classes ? new Int16Array(bytesOf(data.classes).buffer) : null;
    }
    if (data.thumbnails) this.thumbnails.load(data.thumbnails.png, () => {});
    this.time.update(data.steps);
    this.values = data.panels.map(({ values }) => (values ? floatsOf(values) : null));
    this.obey(data.view);
    this.drawLegend();
    this.takeMarks();
    this.resize();
  }

  /** What an answer marks on the maps; it may come before the maps or after them. */
  takeMarks() {
    const marks = allMarks.get(this.data.key) ?? [];
    this.panels.forEach((panel, i) => panel.mark(marks[i]));
    this.request();
  }

  /** What Python wants to have chosen: at first, and when someone searched. Never what was chosen here meanwhile. */
  obey(view) {
    if (this.obeyed === view.id) return;
    if (this.obeyed !== null) this.remember();
    this.obeyed = view.id;
    this.root.setAttribute("data-asked", view.id);
    if (view.camera) this.camera.go(view.camera);
    this.state.pick = view.pick;
    this.state.other = view.other;
    this.mark(view.lasso);
  }

  mark(rows) {
    this.lasso = rows;
    this.state.marked = null;
    if (rows.length) {
      this.state.marked = new Uint8Array(this.data.count);
      for (const row of rows) this.state.marked[row] = 1;
    }
  }

  remember() {
    this.past.push({ pick: this.state.pick, other: this.state.other, lasso: this.lasso });
    if (this.past.length > MOST_UNDONE) this.past.shift();
  }

  choose(pick, lasso = this.lasso) {
    if (pick === this.state.pick && lasso === this.lasso) return;
    if (!pick && !this.state.pick && !lasso.length && !this.lasso.length) return;
    this.remember();
    // Two examples chosen one after the other are the ends of a way between them.
    if (pick?.example === undefined) this.state.other = null;
    else if (pick.example !== this.state.pick?.example) this.state.other = this.state.pick?.example ?? this.state.other;
    this.state.pick = pick;
    if (lasso !== this.lasso) this.mark(lasso);
    this.tell();
  }

  undo() {
    const before = this.past.pop();
    if (!before) return;
    this.state.pick = before.pick;
    this.state.other = before.other;
    this.mark(before.lasso);
    this.tell();
  }

  tell() {
    clearTimeout(this.resting);
    performance.mark("bnvae-map-told");
    const { pick, other } = this.state;
    this.setStateValue("view", { pick, other, lasso: [...this.lasso], camera: this.camera.view, after: this.obeyed });
    this.request();
  }

  // -- what the gestures tell ----------------------------------------------------------------------------------------

  moved() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.tell(), CAMERA_RESTS_MS);
    this.request();
  }

  clicked(panel, x, y) {
    const example = panel.nearest(x, y);
    if (example !== null) return this.choose({ example });
    if (panel.dimensions !== 2) return;
    const [across, up] = this.camera.placeOf(x, y, panel.size);
    this.choose({ panel: this.panels.indexOf(panel), x: across, y: up });
  }

  hovered(panel, x, y) {
    const found = x === null ? null : panel.nearest(x, y);
    if (found !== this.state.hover) this.request();
    this.state.hover = found;
    const place = this.panels.indexOf(panel);
    panel.hint(found, found === null ? "" : this.className(found), found === null ? [] : this.hints(found, place));
    const { thumbnails: cut } = this.data;
    panel.picture(cut && found < cut.count ? found : null, this.thumbnails.image, cut);
    panel.canvas.style.cursor = this.lassoing ? "crosshair" : found === null ? "" : "pointer";
  }

  className(example) {
    const name = this.classes?.[example] ?? -1;
    return name < 0 ? "" : this.data.names[name];
  }

  hints(example, place) {
    const value = this.values[place]?.[example];
    const said = this.data.legend.kind === "scale" ? [`${this.data.legend.text}: ${short(value)}`] : [];
    return this.data.texts?.[example] ? [...said, this.data.texts[example]] : said;
  }

  lassoed(panel, path, done) {
    this.state.lasso = done ? null : { panel, path };
    if (done) this.choose(this.state.pick, panel.inside(path));
    this.request();
  }

  key(name) {
    if (name === "lasso") {
      this.lassoing = !this.lassoing;
      this.lassoButton.setAttribute("aria-pressed", String(this.lassoing));
      return;
    }
    const { count } = this.data;
    const from = this.state.pick?.example ?? (name === "n" ? -1 : count);
    if (count) this.choose({ example: (from + (name === "n" ? 1 : -1) + count) % count });
  }

  pageKey(event) {
    const inside = event.composedPath()[0];
    if (["INPUT", "TEXTAREA", "SELECT"].includes(inside?.tagName) || inside?.isContentEditable) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && this.past.length) {
      event.preventDefault();
      this.undo();
    } else if (event.key === "Escape") this.choose(null, []);
  }

  // -- drawing -------------------------------------------------------------------------------------------------------

  resize() {
    if (!this.data) return;
    const count = this.panels.length;
    const width = this.stage.clientWidth;
    const columns = Math.max(1, Math.min(count, Math.floor((width + BETWEEN_PANELS_PX) / (NARROWEST_PANEL_PX + BETWEEN_PANELS_PX))));
    this.stage.style.setProperty("--columns", columns);
    const each = (width - (columns - 1) * BETWEEN_PANELS_PX) / columns;
    for (const panel of this.panels) panel.resize(Math.min(each, Math.max(280, window.innerHeight * HEIGHT_SHARE)));
    this.request();
  }

  request() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    const style = getComputedStyle(this.root);
    const colours = { ink: rgbOf(style.color), paper: rgbOf(style.getPropertyValue("--paper")) };
    let more = false;
    const { pick } = this.state;
    this.panels.forEach((panel, i) => {
      more = panel.glide() || more;
      const here = pick?.panel === i || (pick?.panel !== undefined && this.data.common);
      panel.draw(this.camera, { ...this.state, spot: here ? [pick.x, pick.y] : null }, colours);
    });
    const chosen = this.lasso.length ? `${this.lasso.length.toLocaleString("en")} of ` : "";
    write(this.status, `${chosen}${this.data.count.toLocaleString("en")} ${chosen ? "points chosen" : "points"}`);
    this.undoButton.disabled = !this.past.length;
    this.clearButton.disabled = !this.state.pick && !this.lasso.length;
    this.root.setAttribute("data-drawn", String(Number(this.root.getAttribute("data-drawn") ?? 0) + 1));
    if (more) this.request();
  }

  showMoment(index) {
    for (const panel of this.panels) panel.showMoment(index);
    this.request();
  }

  drawLegend() {
    const { legend } = this.data;
    const signature = JSON.stringify(legend);
    if (signature === this.sentLegend) return;
    this.sentLegend = signature;
    this.legend.replaceChildren();
    if (legend.kind === "scale") {
      make("span", { class: "dim" }, this.legend).textContent = legend.text;
      const scale = make("span", { class: "map-scale" }, this.legend);
      make("span", {}, scale).textContent = short(legend.low);
      make("span", { class: "map-gradient", style: `background: linear-gradient(to right, ${legend.gradient.join(", ")})` }, scale);
      make("span", {}, scale).textContent = short(legend.high);
      return;
    }
    for (const { text, colour, index } of legend.entries) {
      const entry = make("button", { type: "button", class: "map-class", title: "Choose all of these" }, this.legend);
      make("span", { class: "key", style: `background: ${colour}` }, entry);
      make("span", {}, entry).textContent = text;
      entry.addEventListener("click", () => this.chooseClass(index));
    }
  }

  chooseClass(index) {
    const rows = [];
    this.classes.forEach((name, i) => name === index && rows.push(i));
    this.choose(this.state.pick, rows);
  }

  dispose() {
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener(MARKS_TOLD, this.onMarks);
    allMarks.delete(this.data?.key);
    this.time.stop();
    clearTimeout(this.resting);
    cancelAnimationFrame(this.frame);
  }
}

export default function (component) {
  return mount(component, "latent-scatter", (root) => new LatentScatter(root));
}
