// The entry of take_home.py: asks for a file, and saves it when it comes. chart.js comes before this file.

const PATIENCE_MS = 60_000;
const arrived = new Set(); // numbers of wishes whose answer has come: it is sent again until the page knows

class TakeHome {
  constructor(root) {
    this.list = make("div", { class: "files" }, root);
    this.wish = null; // one at a time: its number and the file's name
  }

  update({ label, files, sent }, { setStateValue }) {
    this.send = setStateValue;
    this.data = { label, files };
    if (sent) this.receive(sent);
    while (this.list.children.length > files.length) this.list.lastChild.remove();
    while (this.list.children.length < files.length) this.row();
    [...this.list.children].forEach((row, i) => {
      const { title, caption, name } = files[i];
      row.dataset.name = name;
      const [words, problem, button] = row.children;
      write(words.firstChild, title);
      write(words.lastChild, caption);
      write(problem, this.problem?.name === name ? this.problem.words : "");
      problem.hidden = !problem.textContent;
      button.disabled = this.wish !== null;
      write(button, this.wish?.name === name ? "Making it …" : label);
      set(button, { "aria-label": `${label} of ${title}` });
    });
  }

  row() {
    const row = make("div", { class: "file" }, this.list);
    const words = make("div", { class: "words" }, row);
    make("span", { class: "named" }, words);
    make("span", { class: "dim" }, words);
    make("p", { class: "problem", role: "alert" }, row);
    const button = make("button", { type: "button" }, row);
    button.addEventListener("click", () => this.ask(row.dataset.name));
  }

  ask(name) {
    const number = Date.now();
    this.wish = { number, name };
    this.problem = null;
    this.send("asked", this.wish);
    this.again();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(number, "It did not come. Please ask again."), PATIENCE_MS);
  }

  receive({ number, name, content, problem }) {
    if (arrived.has(number)) return;
    arrived.add(number);
    if (!problem) save(name, content);
    this.end(number, problem);
    this.send("got", number);
  }

  end(number, problem) {
    if (this.wish?.number !== number) return;
    this.problem = problem ? { name: this.wish.name, words: problem } : null;
    this.wish = null;
    this.again();
  }

  again() {
    if (this.data) this.update(this.data, { setStateValue: this.send });
  }

  dispose() {
    clearTimeout(this.timer);
  }

  resize() {}
}

function save(name, content) {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const link = make("a", { href: address, download: name }, document.body);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export default function (component) {
  return mount(component, "take-home", (root) => new TakeHome(root));
}
