// Sentences whose words are marked by what they keep of another sentence. Each part is a text node: whatever it contains
// is shown, never interpreted. chart.js comes before this file.

/** A sentence in parts [[text, [place in kinds]]]; a part of several kinds is marked as its first. */
function writeKept(node, parts, kinds) {
  const wanted = JSON.stringify([parts, kinds]);
  if (node.dataset.parts === wanted) return;
  node.dataset.parts = wanted;
  node.replaceChildren();
  node.classList.remove("blank");
  const kept = new Set();
  for (const [text, places] of parts) {
    if (!places.length) {
      node.append(text);
      continue;
    }
    const names = places.map((place) => kinds[place].name);
    names.forEach((name) => kept.add(name));
    markAs(kinds[places[0]], node, text).title = `kept: ${names.join(", ")}`;
  }
  const spoken = make("span", { class: "spoken" }, node); // for who sees no marks
  spoken.append(kept.size ? ` (kept: ${[...kept].join(", ")})` : "");
}

function markAs({ colour, faint }, parent, text) {
  const mark = make("mark", { class: faint ? "kept faint" : "kept" }, parent);
  mark.style.setProperty("--kind", colour);
  mark.append(text);
  return mark;
}

/** A column's title, and under it a line about all of its sentences. */
function writeNoted(node, title, note) {
  const wanted = JSON.stringify([title, note]);
  if (node.dataset.parts === wanted) return;
  node.dataset.parts = wanted;
  node.replaceChildren();
  make("div", {}, node).append(title);
  make("div", { class: "column-note" }, node).append(note);
}

/** Says what is marked, and shows the mark of each kind with its name. */
class KeptKey {
  constructor(table) {
    this.root = make("div", { class: "kept-key", "data-testid": "kept-key" });
    table.before(this.root);
    this.words = make("span", {}, this.root);
    this.kinds = make("span", { class: "kinds" }, this.root);
  }

  show(kinds, says) {
    this.root.hidden = !kinds.length;
    write(this.words, says);
    const wanted = JSON.stringify(kinds);
    if (this.kinds.dataset.kinds === wanted) return;
    this.kinds.dataset.kinds = wanted;
    this.kinds.replaceChildren();
    for (const kind of kinds) markAs(kind, this.kinds, kind.name);
  }
}
