// The entry of map_answer.py: what is told of a choice on the maps, for each run, in one drawing. What the maps
// themselves have to mark for it (neighbours, draws of posteriors) is handed to them in the browser, see map_marks.js.

const SETTLED_MS = 150; // until pictures are decoded and have their height
const PEEK_PX = 140; // so much of an answer in view is enough to see that it is there

class RunAnswer {
  constructor(parent) {
    this.node = make("section", { class: "answer", "data-testid": "map-answer-run" }, parent);
    const title = make("div", { class: "title" }, this.node);
    this.key = make("span", { class: "key" }, title);
    this.title = make("span", {}, title);
    this.named = make("span", { class: "named", "data-testid": "map-named" }, title);
    this.problem = make("p", { class: "note", role: "alert" }, this.node);
    const top = make("div", { class: "top" }, this.node);
    this.made = make("div", { class: "made" }, top);
    this.pictures = new ImageGrid(make("div", {}, this.made));
    this.pictureNames = make("div", { class: "dim small" }, this.made);
    this.sentences = make("div", { class: "lines" }, this.made);
    this.klRoot = make("div", { class: "kl", "data-testid": "kl-bars" }, top);
    this.bars = new KlBars(this.klRoot);
    this.words = make("p", { class: "note" }, this.node);
    this.fold = make("details", { open: "" }, this.node);
    this.nearTitle = make("summary", { class: "dim small" }, this.fold);
    this.near = new ImageGrid(make("div", { class: "near" }, this.fold));
    this.nearList = make("ol", { class: "near-list" }, this.fold);
  }

  update(run) {
    this.node.style.setProperty("--run", run.colour);
    this.key.style.background = run.colour;
    write(this.title, run.title);
    write(this.named, run.named);
    write(this.problem, run.problem);
    this.problem.hidden = !run.problem;
    this.tellMade(run.made);
    this.klRoot.hidden = !run.kl;
    if (run.kl) this.bars.update(run.kl);
    write(this.words, run.words);
    write(this.nearTitle, run.near?.title ?? "");
    this.fold.hidden = !run.near;
    if (this.folded === undefined && run.near) this.fold.open = !(this.folded = run.near.folded); // later the visitor's
    show(this.near, run.near?.pictures);
    const rows = run.near?.sentences ?? [];
    this.nearList.hidden = !rows.length;
    this.nearList.tabIndex = rows.length ? 0 : -1; // a list that scrolls has to be reached with keys
    fill(this.nearList, rows.length, (parent) => make("li", {}, parent)).forEach((node, i) => {
      write(node, rows[i].text);
      node.title = rows[i].caption;
    });
  }

  tellMade(made) {
    show(this.pictures, made?.pictures);
    write(this.pictureNames, made?.pictures ? made.pictures.captions.join(" · ") : "");
    const lines = made?.sentences ?? [];
    const nodes = fill(this.sentences, lines.length, (parent) => {
      const line = make("div", {}, parent);
      make("div", { class: "dim small" }, line);
      make("div", { class: "said" }, line);
    });
    nodes.forEach((node, i) => {
      write(node.firstChild, lines[i].name);
      writeMarked(node.lastChild, lines[i].parts);
    });
  }

  resize() {
    this.pictures.resize();
    this.near.resize();
    this.bars.resize();
  }

  dispose() {
    this.bars.dispose();
    this.node.remove();
  }
}

function show(grid, pictures) {
  grid.frame.parentElement.hidden = !pictures;
  if (pictures) grid.update(pictures);
}

class MapAnswer {
  constructor(root) {
    this.root = root;
    this.hint = make("p", { class: "note dim" }, root);
    this.chosen = make("p", { class: "note", "data-testid": "map-chosen" }, root);
    this.list = make("div", { class: "answers", "aria-live": "polite" }, root);
    this.runs = [];
  }

  update(data) {
    write(this.hint, data.hint);
    this.hint.hidden = !data.hint;
    write(this.chosen, data.chosen);
    this.chosen.hidden = !data.chosen;
    while (this.runs.length > data.runs.length) this.runs.pop().dispose();
    while (this.runs.length < data.runs.length) this.runs.push(new RunAnswer(this.list));
    this.root.classList.toggle("alone", data.runs.length === 1);
    this.runs.forEach((run, i) => run.update(data.runs[i]));
    tellMarks(data.map, data.marks);
    const answered = JSON.stringify(data.answered);
    const before = this.root.getAttribute("data-answered");
    this.root.setAttribute("data-answered", answered);
    if (before !== null && before !== answered && data.runs.length) setTimeout(() => this.comeIntoView(), SETTLED_MS);
  }

  /** A phone has no room beside the map: the answer to a tap is brought up, and no farther than it has to be. */
  comeIntoView() {
    if (!this.root.isConnected) return;
    const { top, bottom } = this.root.getBoundingClientRect();
    if (top < window.innerHeight - PEEK_PX && bottom > PEEK_PX) return;
    this.root.scrollIntoView({ behavior: reducedMotion.matches ? "auto" : "smooth", block: "nearest" });
  }

  resize() {
    for (const run of this.runs) run.resize();
  }

  dispose() {
    while (this.runs.length) this.runs.pop().dispose();
  }
}

export default function (component) {
  return mount(component, "map-answer", (root) => new MapAnswer(root));
}
