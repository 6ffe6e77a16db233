// The entry of traversal_grid.py: rows of pictures or sentences, the dimension with the largest KL first.

class TraversalGrid {
  constructor(root) {
    this.root = root;
    this.heading = new PanelHead(root);
    this.words = make("div", { class: "words" }, root);
    this.starts = make("div", { class: "starts" }, root);
    this.legend = make("div", { class: "legend" }, root);
    const own = make("span", {}, this.legend);
    make("span", { class: "own" }, own);
    own.append("this code's own value");
    this.table = make("div", { class: "table", role: "table" }, root);
    this.head = make("div", { class: "row top", role: "row" }, this.table);
    this.body = make("div", { role: "rowgroup" }, this.table);
    this.more = make("button", { type: "button", class: "more" }, root);
    this.more.addEventListener("click", () => {
      this.all = !this.all;
      this.foldRows();
    });
    this.all = false;
    this.sheet = new Sheet();
    this.startSheet = new Sheet();
  }

  update(data) {
    this.data = data;
    this.root.style.setProperty("--run", data.colour);
    this.root.style.setProperty("--values", data.values.length);
    this.root.classList.toggle("told", Boolean(data.sentences));
    this.heading.write(data);
    write(this.words, data.words);
    this.legend.hidden = Boolean(data.sentences);
    this.table.setAttribute("aria-label", `${data.title}: one row for each latent dimension`);
    this.writeHead();
    const rows = fill(this.body, data.rows.length, (parent) => this.makeRow(parent));
    rows.forEach((row, i) => this.writeRow(row, data.rows[i], i));
    this.foldRows();
    if (data.sentences) this.tellStarts();
    else this.drawPictures();
  }

  resize() {}

  /** Sentences of sixteen dimensions would fill four screens: what carries least waits behind a button. */
  foldRows() {
    const { rows, open } = this.data;
    [...this.body.children].forEach((row, i) => (row.hidden = !this.all && i >= open));
    const folded = rows.slice(open);
    this.more.hidden = !folded.length;
    this.more.setAttribute("aria-expanded", String(this.all));
    if (!folded.length) return;
    const [most, least] = [folded[0], folded.at(-1)].map(({ kl }) => label(kl ?? NaN, 2));
    const range = most === least ? most : `${most} to ${least}`;
    const count = `${folded.length} more dimension${folded.length > 1 ? "s" : ""}`;
    write(this.more, this.all ? "Fewer dimensions" : `${count}, KL ${range} nats`);
  }

  writeHead() {
    const { values, unit, sentences } = this.data;
    const [dimension, middle, change] = fill(this.head, 3, (parent) => make("div", { role: "columnheader" }, parent));
    set(middle, { class: "cells" });
    write(dimension, "z · KL, nats");
    set(change, { class: "measure" });
    write(change, `change, ${unit}`);
    if (sentences) {
      fill(middle, 0);
      write(middle, `value of z, prior std, and what is decoded`);
      return;
    }
    if (!middle.childElementCount) middle.textContent = "";
    const nodes = fill(middle, values.length, (parent) => make("span", {}, parent));
    nodes.forEach((node, i) => write(node, signedValue(values[i])));
  }

  makeRow(parent) {
    const row = make("div", { class: "row", role: "row" }, parent);
    this.makeMeasure(make("div", { class: "measure dimension", role: "rowheader" }, row));
    make("div", { class: "cells", role: "cell" }, row);
    this.makeMeasure(make("div", { class: "measure change", role: "cell" }, row));
  }

  makeMeasure(cell) {
    make("span", { class: "name" }, cell);
    make("span", { class: "number" }, cell);
    make("span", { class: "fill" }, make("span", { class: "bar" }, cell));
  }

  writeRow(row, { dimension, kl, change, at, dead }, i) {
    const { tops, unit, sentences, values } = this.data;
    row.classList.toggle("dead", dead);
    row.dataset.dimension = dimension;
    const [measured, cells, changed] = row.children;
    writeMeasure(measured, `z${dimension}`, kl, { top: tops[0], unit: "nats", decimals: 2 });
    writeMeasure(changed, "", change, { top: tops[1], unit, decimals: 1 });
    if (sentences) return this.tell(cells, sentences[i]);
    const canvases = fill(cells, values.length + 1, (parent) =>
      make(parent.childElementCount < values.length ? "canvas" : "span", {}, parent),
    );
    canvases.slice(0, -1).forEach((canvas, v) => {
      const words = `z${dimension} = ${signedValue(values[v])} prior std`;
      set(canvas, { role: "img", "aria-label": words, title: words });
    });
    const place = (at - values[0]) / (values[values.length - 1] - values[0]);
    const own = canvases[values.length];
    set(own, { class: "own", title: `this code's own value: ${signedValue(at)}` });
    own.hidden = !(place >= 0 && place <= 1);
    own.style.left = `${(100 * (place * (values.length - 1) + 0.5)) / values.length}%`;
  }

  tell(cells, groups) {
    const { values } = this.data;
    fillLines(cells, groups.length).forEach((line, g) => {
      const [first, last, parts, differs] = groups[g];
      const ends = [...new Set([first, last])].map((v) => signedValue(values[v]));
      write(line.firstChild, ends.join(" to "));
      const same = !differs;
      line.classList.toggle("same", same);
      writeMarked(line.lastChild, same ? [["the same sentence", false]] : parts);
    });
  }

  tellStarts() {
    const { kept } = this.data;
    if (kept) this.key ??= new KeptKey(this.starts);
    this.key?.show(kept?.kinds ?? [], kept?.says ?? "");
    fillLines(this.starts, this.data.starts.length).forEach((line, i) => {
      const [name, sentence] = this.data.starts[i];
      write(line.firstChild, name);
      if (kept) writeKept(line.lastChild, kept.pair[i], kept.kinds);
      else writeMarked(line.lastChild, [[sentence, false]]);
    });
  }

  drawPictures() {
    const { data } = this;
    const { width, height, values } = data;
    const figures = fill(this.starts, data.start_names.length, (parent) => {
      const figure = make("figure", {}, parent);
      make("canvas", { role: "img" }, figure);
      make("figcaption", {}, figure);
    });
    figures.forEach((figure, i) => {
      write(figure.lastChild, data.start_names[i]);
      figure.firstChild.setAttribute("aria-label", data.start_names[i]);
    });
    this.startSheet.load(data.starts, (image) =>
      figures.forEach((figure, i) => drawCell(figure.firstChild, image, i, { width, height, columns: figures.length })),
    );
    this.sheet.load(data.png, (image) => {
      [...this.body.children].forEach((row, r) => {
        const canvases = row.children[1].querySelectorAll("canvas");
        canvases.forEach((canvas, v) =>
          drawCell(canvas, image, r * values.length + v, { width, height, columns: values.length }),
        );
      });
    });
  }
}

/** Lines of a name and a sentence. */
function fillLines(parent, count) {
  return fill(parent, count, () => {
    const line = make("div", { class: "line-of" }, parent);
    make("span", { class: "range" }, line);
    make("span", { class: "said" }, line);
  });
}

/** A bar with its number before it; decimals as many as can be told apart in the bar. */
function writeMeasure(cell, name, value, { top, unit, decimals }) {
  const [named, number, bar] = cell.children;
  write(named, name);
  write(number, value === null ? "not a number" : label(value, decimals));
  cell.title = `${short(value ?? NaN)} ${unit}`;
  bar.firstChild.style.width = `${value > 0 && top > 0 ? Math.min(100, (100 * value) / top) : 0}%`;
}

const signedValue = (value) => (value === null ? "not a number" : signed(String(Number(value.toFixed(2)))));

export default function (component) {
  return mount(component, "traversal-grid", (root) => new TraversalGrid(root));
}
