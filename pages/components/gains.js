// The entry of gains.py; chart.js comes before this file.

class Gains {
  constructor(root) {
    this.cards = make("div", { class: "cards" }, root);
  }

  update({ cards }) {
    const seen = JSON.stringify(cards);
    if (seen === this.seen) return; // a selection in the text survives
    this.seen = seen;
    this.cards.replaceChildren(...cards.map((card) => this.card(card)));
  }

  card({ title, caption, bars, note }) {
    const card = make("section", { class: "card" });
    make("h4", {}, card).append(title);
    make("p", { class: "dim" }, card).append(caption);
    for (const bar of bars) this.bar(bar, card);
    if (note) make("p", { class: "dim note" }, card).append(note);
    return card;
  }

  bar({ name, colour, share, words, marks }, card) {
    const row = make("div", { class: "gain" }, card);
    const head = make("div", { class: "head" }, row);
    make("span", { class: "name" }, head).append(name);
    make("span", { class: "value" }, head).append(words);
    if (share === null) return;
    const track = make("div", { class: "track" }, row);
    make("div", { class: "filled", style: `width: ${100 * share}%; background: ${colour}` }, track);
    for (const [at, label] of marks) make("div", { class: "mark", style: `left: ${100 * at}%`, title: label }, track);
  }

  resize() {}
}

export default function (component) {
  return mount(component, "gains", (root) => new Gains(root));
}
