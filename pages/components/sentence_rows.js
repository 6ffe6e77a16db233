// Numbered sentences in one or more columns whose rows stay level. chart.js comes before this file, and kept_words.js
// where words are marked.

class SentenceList {
  constructor(root) {
    this.key = null;
    this.table = make("div", { class: "table", role: "table" }, root);
  }

  /** `kinds` and `says` are there where words are marked: then columns may have `parts` beside their sentences. */
  update({ columns, label: name, kinds, says }) {
    this.kinds = kinds;
    if (kinds) this.key ??= new KeptKey(this.table);
    this.key?.show(kinds ?? [], says ?? "");
    this.table.setAttribute("aria-label", name);
    this.table.style.setProperty("--columns", columns.length);
    const count = Math.max(0, ...columns.map(({ sentences }) => sentences.length));
    const titled = columns.some(({ title }) => title);
    const rows = count + (titled ? 1 : 0);
    while (this.table.childElementCount > rows) this.table.lastElementChild.remove();
    while (this.table.childElementCount < rows) make("div", { role: "row" }, this.table);
    if (titled) this.writeRow(0, "", columns.map(({ title, note }) => ({ text: title, note, style: "head", role: "columnheader" })));
    for (let i = 0; i < count; i++) {
      const cells = columns.map(({ title, sentences, parts, reserve }) => this.cell(title, sentences[i], reserve?.[i], parts?.[i]));
      this.writeRow(i + (titled ? 1 : 0), String(i + 1), cells);
    }
  }

  /** `reserve` is a sentence whose room is kept, so that the rows below rest while this one changes. */
  cell(title, sentence, reserve = "", parts = undefined) {
    if (sentence === undefined) return { text: "", style: "", role: "cell", reserve };
    const blank = sentence.trim() === "";
    if (parts && !blank) return { text: sentence, parts, style: "", role: "cell", title, reserve };
    return { text: blank ? "(empty)" : sentence, style: blank ? "blank" : "", role: "cell", title, reserve };
  }

  writeRow(index, number, cells) {
    const row = this.table.children[index];
    while (row.childElementCount > cells.length + 1) row.lastElementChild.remove();
    while (row.childElementCount < cells.length + 1) make("div", {}, row);
    row.className = number ? "row" : cells.some(({ note }) => note) ? "row top noted" : "row top";
    set(row.firstChild, { class: "number", role: "rowheader" });
    write(row.firstChild, number);
    cells.forEach(({ text, parts, note, style, role, title = "", reserve = "" }, i) => {
      const node = row.children[i + 1];
      set(node, { class: `sentence ${style}`, role, dir: "auto", "data-title": title, "data-reserve": reserve });
      if (parts) return writeKept(node, parts, this.kinds);
      if (note !== undefined) return writeNoted(node, text, note);
      delete node.dataset.parts;
      write(node, text);
    });
  }

  resize() {}
}
