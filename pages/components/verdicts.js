// The entry of verdicts.py; chart.js comes before this file.

const SIGNS = { bad: "✕", note: "!", good: "✓" };
const SPOKEN = { bad: "problem", note: "remark", good: "good" };

class Verdicts {
  constructor(root) {
    this.cards = make("div", { class: "cards" }, root);
  }

  update({ runs }) {
    const seen = JSON.stringify(runs);
    if (seen === this.seen) return; // a selection in the text survives
    this.seen = seen;
    this.cards.replaceChildren(...runs.map((run) => this.card(run)));
  }

  card({ title, caption, colour, claims }) {
    const card = make("section", { class: "card" });
    const head = make("div", { class: "title" }, card);
    make("span", { class: "key" }, head).style.background = colour;
    make("span", {}, head).append(title);
    make("div", { class: "dim caption" }, card).append(caption);
    claims.forEach((claim, i) => this.claim(claim, card, i === 0));
    return card;
  }

  claim({ severity, name, words, numbers, advice }, card, first) {
    const box = make("div", { class: `claim ${severity}${first ? " first" : ""}` }, card);
    const head = make("div", { class: "verdict" }, box);
    make("span", { class: "sign", role: "img", "aria-label": SPOKEN[severity] }, head).append(SIGNS[severity]);
    make("span", {}, head).append(name);
    make("p", {}, box).append(words);
    if (numbers.length) {
      const list = make("dl", {}, box);
      for (const [value, label] of numbers) {
        const pair = make("div", {}, list);
        make("dt", {}, pair).append(label);
        make("dd", {}, pair).append(value);
      }
    }
    if (!advice) return;
    const line = make("p", { class: "advice" }, box);
    make("b", {}, line).append("Try: ");
    line.append(advice);
  }

  resize() {}
}

export default function (component) {
  return mount(component, "verdicts", (root) => new Verdicts(root));
}
