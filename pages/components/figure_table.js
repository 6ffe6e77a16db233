// The entry of figure_table.py; chart.js comes before this file.

const ARROWS = { ascending: "▲", descending: "▼", none: "" };

class FigureTable {
  constructor(root) {
    // Above the table: whoever reads only its first rows has to learn that there is more beside them.
    this.bar = make("div", { class: "bar" }, root);
    this.sight = make("span", { class: "sight" }, this.bar);
    this.back = make("button", { type: "button", class: "turn back" }, this.bar);
    this.back.append("← back");
    this.more = make("button", { type: "button", class: "turn more" }, this.bar);
    this.scroller = make("div", { class: "scroller", tabindex: "0", role: "region" }, root);
    this.table = make("table", {}, this.scroller);
    this.head = make("thead", {}, this.table);
    this.body = make("tbody", {}, this.table);
    this.words = make("div", { class: "line dim" }, root);
    this.remarks = make("div", { class: "remarks dim" }, root);
    this.more.addEventListener("click", () => this.page());
    this.back.addEventListener("click", () => this.scroller.scrollTo({ left: 0 }));
    this.scroller.addEventListener("scroll", () => this.hint(), { passive: true });
  }

  figureHeads() {
    return [...this.head.querySelectorAll("th:not(.run)")];
  }

  /** Where the names end and where the table is cut off, in pixels of the window. */
  edges() {
    const box = this.scroller.getBoundingClientRect();
    return { left: this.head.querySelector(".run").getBoundingClientRect().right, right: box.right + 1 };
  }

  /** Columns that are not wholly in sight, right of the edge. */
  hidden() {
    const { right } = this.edges();
    return this.figureHeads().filter((cell) => cell.getBoundingClientRect().right > right);
  }

  /** Columns that have gone under the names, at least by half. */
  passed() {
    const { left } = this.edges();
    return this.figureHeads().filter((cell) => cell.getBoundingClientRect().right - cell.offsetWidth / 2 < left);
  }

  hint() {
    if (!this.head.firstChild) return;
    const [count, passed, all] = [this.hidden().length, this.passed().length, this.figureHeads().length];
    this.scroller.classList.toggle("cut", count > 0);
    this.bar.hidden = count + passed === 0;
    this.more.hidden = count === 0;
    this.back.hidden = passed === 0;
    write(this.more, `${count} more column${count === 1 ? "" : "s"} →`);
    write(this.sight, `${Math.max(0, all - count - passed)} of ${all} figures in sight`);
  }

  /** The first column that is cut off comes to stand beside the names. */
  page() {
    const [first] = this.hidden();
    if (!first) return;
    this.scroller.scrollBy({ left: first.getBoundingClientRect().left - this.edges().left });
    if (this.scroller.getRootNode().activeElement === this.more) this.scroller.focus();
  }

  update(data, { setStateValue }) {
    const seen = JSON.stringify(data);
    this.send = setStateValue;
    if (seen === this.seen) return;
    // From the address only at first: after a press the page still sends the one before.
    this.sort ??= data.sort;
    this.seen = seen;
    this.data = data;
    this.draw();
  }

  /** "" → best first → the other way round → as chosen. */
  press(column) {
    const first = column.better === "high" ? `-${column.name}` : column.name;
    const second = column.better === "high" ? column.name : `-${column.name}`;
    this.sort = this.sort === first ? second : this.sort === second ? "" : first;
    this.send("sort", this.sort);
    this.draw();
  }

  direction(column) {
    if (this.sort === column.name) return "ascending";
    return this.sort === `-${column.name}` ? "descending" : "none";
  }

  sorted(rows) {
    const index = this.data.columns.findIndex(({ name }) => name === this.sort.replace(/^-/, ""));
    if (index < 0) return rows;
    const sign = this.sort.startsWith("-") ? -1 : 1;
    const rank = (row) => (row.values[index] === null ? Infinity : sign * row.values[index]); // what is missing comes last
    return [...rows].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
  }

  draw() {
    const { columns, rows, label: name, rows_are: rowsAre, star, level } = this.data;
    const focused = this.scroller.getRootNode().activeElement?.dataset?.column;
    this.scroller.setAttribute("aria-label", name);
    const heads = make("tr", {});
    make("th", { scope: "col", class: "run" }, heads).append(rowsAre);
    columns.forEach((column) => this.drawHead(column, heads));
    this.head.replaceChildren(heads);
    const groups = [...new Set(rows.map(({ group }) => group))];
    const lines = groups.flatMap((group) => {
      const found = this.sorted(rows.filter((row) => row.group === group)).map((row) => this.row(row));
      return groups.length > 1 || group ? [this.groupLine(group, columns.length), ...found] : found;
    });
    this.body.replaceChildren(...lines);
    const words = ["press a heading to sort"];
    if (rows.some((row) => row.level.some(Boolean))) words.unshift(`≈ ${level}`);
    if (rows.some((row) => row.best.some(Boolean))) words.unshift(`★ ${star}`);
    write(this.words, words.join(" · "));
    this.remarks.replaceChildren();
    for (const remark of this.data.remarks) make("div", {}, this.remarks).append(remark);
    this.hint();
    if (focused) this.head.querySelector(`[data-column="${CSS.escape(focused)}"]`)?.focus();
  }

  drawHead(column, heads) {
    const direction = this.direction(column);
    const cell = make("th", { scope: "col", "aria-sort": direction }, heads);
    const button = make("button", { type: "button", "data-column": column.name }, cell);
    const better = { low: "lower is better", high: "higher is better" }[column.better];
    const top = make("span", { class: "name" }, button);
    top.append(column.title, make("span", { class: "arrow", "aria-hidden": "true" }));
    top.lastElementChild.append(ARROWS[direction] || { low: "↓", high: "↑" }[column.better] || "");
    if (direction === "none") top.lastElementChild.classList.add("dim");
    make("span", { class: "unit" }, button).append(column.unit || "no unit");
    make("span", { class: "reduction" }, button).append(column.reduction);
    set(button, { title: [column.title, column.unit, column.reduction, better].filter(Boolean).join(", ") });
    button.addEventListener("click", () => this.press(column));
  }

  groupLine(group, width) {
    const line = make("tr", { class: "group" });
    const cell = make("th", { scope: "rowgroup", colspan: width + 1 }, line);
    make("span", {}, cell).append(group);
    return line;
  }

  row(row) {
    const line = make("tr", {});
    const first = make("th", { scope: "row", class: "run" }, line);
    const title = make("span", { class: "title" }, first);
    make("span", { class: "key" }, title).style.background = row.colour;
    make("span", {}, title).append(row.title);
    for (const caption of row.captions) make("span", { class: "caption" }, first).append(caption);
    row.words.forEach((words, i) => {
      const note = row.notes[i];
      const cell = make("td", { class: row.best[i] ? "best" : words === "–" || note ? "none" : "" }, line);
      if (note) set(cell, { title: `not compared: ${note}` });
      if (row.best[i]) make("span", { class: "star", title: this.data.star }, cell).append("★");
      if (row.level[i]) make("span", { class: "star", title: this.data.level }, cell).append("≈");
      const [value, error] = words.split(" ± ");
      cell.append(value);
      if (error) make("span", { class: "error" }, cell).append(` ±\u00a0${error}`);
    });
    return line;
  }

  resize() {
    this.hint();
  }
}

export default function (component) {
  return mount(component, "figure-table", (root) => new FigureTable(root));
}
