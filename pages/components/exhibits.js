// The entry of exhibits.py: what a run makes of one example.

class Exhibits {
  constructor(root) {
    this.root = root;
    this.heading = new PanelHead(root);
    this.row = make("div", { class: "exhibits" }, root);
    this.words = make("div", { class: "words", "aria-live": "polite" }, root);
    this.legend = make("div", { class: "legend" }, root);
    this.unknown = make("span", {}, this.legend);
    make("mark", { class: "unknown" }, this.unknown).append("word");
    this.unknown.append("not in the model's vocabulary");
    const changed = make("span", {}, this.legend);
    make("mark", { class: "changed" }, changed).append("word");
    changed.append("not in your sentence");
    this.sheet = new Sheet();
  }

  update(data) {
    this.root.style.setProperty("--run", data.colour);
    this.root.classList.toggle("told", Boolean(data.sentences));
    this.heading.write(data);
    write(this.words, data.words);
    this.legend.hidden = !data.sentences?.length;
    this.unknown.hidden = data.unknown === null;
    if (data.kept) this.key ??= new KeptKey(this.row);
    this.key?.show(data.kept?.kinds ?? [], data.kept?.says ?? "");
    const figures = fill(this.row, data.names.length, (parent) => {
      const figure = make("figure", {}, parent);
      make("figcaption", {}, figure);
      make(data.sentences ? "div" : "canvas", { class: "shown" }, figure);
    });
    figures.forEach((figure, i) => {
      write(figure.firstChild, data.names[i]);
      const kept = i === data.unknown ? null : data.kept?.pair[i];
      if (kept) writeKept(figure.lastChild, kept, data.kept.kinds);
      else if (data.sentences) writeMarked(figure.lastChild, data.sentences[i], i === data.unknown ? "unknown" : "changed");
      else set(figure.lastChild, { role: "img", "aria-label": data.names[i] });
    });
    if (data.sentences) return;
    const cut = { width: data.width, height: data.height, columns: figures.length };
    this.sheet.load(data.png, (image) => figures.forEach((figure, i) => drawCell(figure.lastChild, image, i, cut)));
  }

  resize() {}
}

export default function (component) {
  return mount(component, "exhibits", (root) => new Exhibits(root));
}
