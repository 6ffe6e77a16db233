// What models made at their last evaluation, in sections: sentences level with each other, pictures in grids of one size.
// The files of the lists and grids, chart.js and live_feed.js come before this file.

class PreviewSections {
  constructor(root) {
    this.root = root;
    this.note = make("div", { class: "dim" }, root);
    this.sections = [];
  }

  update({ note, sections }) {
    write(this.note, note);
    this.note.hidden = !note;
    while (this.sections.length > sections.length) this.sections.pop().root.remove();
    while (this.sections.length < sections.length) this.sections.push(new PreviewSection(this.root));
    this.sections.forEach((section, i) => section.update(sections[i]));
  }

  resize() {
    for (const { grids } of this.sections) for (const { grid } of grids) grid.resize();
  }
}

class PreviewSection {
  constructor(parent) {
    this.root = make("section", {}, parent);
    this.heading = make("h5", {}, this.root);
    this.table = null;
    this.row = make("div", { class: "grids" }, this.root);
    this.grids = [];
  }

  update({ heading, table, grids }) {
    write(this.heading, heading);
    this.showTable(table);
    this.row.hidden = !grids.length;
    this.row.style.setProperty("--grids", grids.length);
    while (this.grids.length > grids.length) this.grids.pop().root.remove();
    while (this.grids.length < grids.length) this.grids.push(new TitledGrid(this.row));
    this.grids.forEach((grid, i) => grid.update(grids[i]));
  }

  showTable(table) {
    if (!table) {
      this.table?.root.remove();
      this.table = null;
      return;
    }
    if (!this.table) {
      const root = make("div", { "data-testid": "sentence-list" });
      this.row.before(root);
      this.table = { root, list: new SentenceList(root) };
    }
    this.table.list.update(table);
  }
}

class TitledGrid {
  constructor(parent) {
    this.root = make("div", { class: "titled", "data-testid": "image-grid" }, parent);
    this.title = make("div", { class: "who" }, this.root);
    this.grid = new ImageGrid(this.root);
  }

  update({ title, ...pictures }) {
    write(this.title, title);
    this.grid.update(pictures);
  }
}

export default function (component) {
  return mountLive(component, "preview-sections", (root) => new PreviewSections(root));
}
