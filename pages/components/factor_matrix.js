// The entry of factor_matrix.py: a table whose cells are as dark as their numbers are large.

const SHOWN_FROM_NATS = 0.005; // below, a cell would say 0.00

class FactorMatrix {
  constructor(root) {
    this.root = root;
    this.heading = new PanelHead(root);
    this.words = make("div", { class: "words" }, root);
    const scroll = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "table" }, root);
    this.table = make("table", {}, scroll);
    this.head = make("tr", {}, make("thead", {}, this.table));
    this.body = make("tbody", {}, this.table);
  }

  update(data) {
    const { dimensions, kl, factors, entropy, rows, top } = data;
    this.root.style.setProperty("--run", data.colour);
    this.root.style.setProperty("--columns", factors.length + 2);
    this.heading.write(data);
    write(this.words, data.words);
    this.table.setAttribute("aria-label", `${data.title}: mutual information of dimensions and factors, in nats`);
    const heads = fill(this.head, factors.length + 2, (parent) => {
      const cell = make("th", { scope: "col" }, parent);
      make("span", {}, cell);
      make("span", { class: "dim" }, cell);
    });
    heads.forEach((cell, i) => {
      write(cell.firstChild, ["", "KL", ...factors][i]);
      write(cell.lastChild, i < 1 ? "" : i < 2 ? "nats" : `of ${label(entropy[i - 2] ?? NaN, 2)}`);
    });
    fill(this.body, rows.length, (parent) => make("tr", {}, parent)).forEach((row, r) => {
      const cells = fill(row, factors.length + 2, (parent) =>
        make(parent.childElementCount ? "td" : "th", parent.childElementCount ? {} : { scope: "row" }, parent),
      );
      write(cells[0], `z${dimensions[r]}`);
      write(cells[1], label(kl[r] ?? NaN, 2));
      cells[1].className = "kl";
      cells.slice(2).forEach((cell, f) => this.writeCell(cell, rows[r][f], `z${dimensions[r]}, ${factors[f]}`, top));
    });
  }

  writeCell(cell, value, name, top) {
    const share = value > 0 && top > 0 ? Math.min(1, value / top) : 0;
    cell.style.setProperty("--share", `${(100 * share).toFixed(1)}%`);
    cell.classList.toggle("strong", share > 0.55);
    write(cell, value >= SHOWN_FROM_NATS ? label(value, 2) : "·");
    cell.title = `${name}: ${value === null ? "not a number" : label(value, 3)} nats`;
  }

  resize() {}
}

export default function (component) {
  return mount(component, "factor-matrix", (root) => new FactorMatrix(root));
}
