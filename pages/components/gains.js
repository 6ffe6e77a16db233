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
    const groups = [...new Set(bars.map(({ group }) => group).filter(Boolean))];
    if (groups.length) this.names(bars, card);
    for (const bar of bars.filter(({ group }) => !group)) this.bar(bar, card);
    for (const group of groups) this.group(group, bars.filter((bar) => bar.group === group), card);
    if (note) make("p", { class: "dim note" }, card).append(note);
    return card;
  }

  /** Which colour is which run. */
  names(bars, card) {
    const line = make("div", { class: "names" }, card);
    for (const [name, colour] of new Map(bars.map(({ name, colour }) => [name, colour]))) {
      const entry = make("span", { class: "name" }, line);
      make("span", { class: "key", style: `background: ${colour}` }, entry);
      entry.append(name);
    }
  }

  group(group, bars, card) {
    const box = make("div", { class: "gain", role: "group", "aria-label": group }, card);
    make("div", {}, box).append(group);
    for (const { name, colour, share, words, marks } of bars) {
      const row = make("div", { class: "low", role: "img", "aria-label": `${name}: ${words}`, title: `${name}: ${words}` }, box);
      this.track({ colour, share, marks }, row);
      make("span", { class: "value" }, row).append(words);
    }
  }

  bar({ name, colour, share, words, marks }, card) {
    const row = make("div", { class: "gain" }, card);
    const head = make("div", { class: "head" }, row);
    make("span", { class: "name" }, head).append(name);
    make("span", { class: "value" }, head).append(words);
    if (share !== null) this.track({ colour, share, marks }, row);
  }

  track({ colour, share, marks }, row) {
    const track = make("div", { class: "track" }, row);
    make("div", { class: "filled", style: `width: ${100 * share}%; background: ${colour}` }, track);
    for (const [at, label] of marks) make("div", { class: "mark", style: `left: ${100 * at}%`, title: label }, track);
  }

  resize() {}
}

export default function (component) {
  return mount(component, "gains", (root) => new Gains(root));
}
