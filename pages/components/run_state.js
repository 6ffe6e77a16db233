// How a run is doing: its progress, what its worker says, and what its bars say. chart.js and live_feed.js come before
// this file.

class RunState {
  constructor(root) {
    this.bar = make("div", { class: "bar", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, root);
    this.done = make("div", { class: "done" }, this.bar);
    this.words = make("div", { class: "words", "data-testid": "state-words" }, root);
    this.message = make("div", { class: "message", "data-testid": "state-message" }, root);
    const seen = make("p", { class: "seen", "data-testid": "state-seen" }, root);
    this.verdict = make("strong", {}, seen);
    this.seen = make("span", {}, seen);
  }

  update({ share, words, message, verdict, seen }) {
    const percent = Math.round(100 * share);
    set(this.bar, { "aria-valuenow": percent, "aria-valuetext": `${percent} %`, "aria-label": words });
    this.done.style.width = `${100 * share}%`;
    write(this.words, words);
    write(this.message, message);
    this.message.hidden = !message;
    write(this.verdict, verdict);
    write(this.seen, verdict ? ` ${seen}` : "");
  }

  resize() {}
}

export default function (component) {
  return mountLive(component, "run-state", (root) => new RunState(root));
}
