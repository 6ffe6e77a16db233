// The entry of latent_path.py: the steps from one code to another, each over a bar of its distance to the data.

class LatentPath {
  constructor(root) {
    this.root = root;
    this.heading = new PanelHead(root);
    this.words = make("div", { class: "words" }, root);
    this.list = make("ol", { class: "steps" }, root);
    this.legend = make("div", { class: "legend" }, root);
    const distance = make("span", {}, this.legend);
    make("span", { class: "key bar" }, distance);
    distance.append("distance to the nearest test example's code, prior std");
    this.typical = make("span", {}, this.legend);
    make("span", { class: "stroke" }, this.typical);
    make("span", {}, this.typical);
    this.sheet = new Sheet();
  }

  update(data) {
    const { distances, sentences, typical, top } = data;
    this.root.style.setProperty("--run", data.colour);
    this.root.classList.toggle("told", Boolean(sentences));
    this.heading.write(data);
    write(this.words, data.words);
    this.list.setAttribute("aria-label", `${data.title}: steps from one code to the other`);
    this.typical.hidden = typical === null;
    write(this.typical.lastChild, `typical between neighbours in the data: ${short(typical ?? NaN)}`);
    const share = (value) => (value > 0 && top > 0 ? Math.min(100, (100 * value) / top) : 0);
    this.root.style.setProperty("--typical", `${share(typical)}%`);
    const steps = fill(this.list, distances.length, (parent) => this.makeStep(parent, Boolean(sentences)));
    steps.forEach((step, i) => {
      const [made, gauge, number] = step.children;
      const far = distances[i] === null ? "not a number" : label(distances[i], 2);
      gauge.firstChild.style.setProperty("--share", `${share(distances[i])}%`);
      gauge.lastChild.hidden = typical === null;
      write(number, far);
      set(step, { title: `step ${i + 1} of ${distances.length}: ${far} prior std from the data` });
      if (sentences) writeMarked(made, sentences[i]);
      else set(made, { role: "img", "aria-label": `step ${i + 1} of ${distances.length}` });
    });
    if (sentences) return;
    this.sheet.load(data.png, (image) => {
      const cut = { width: data.width, height: data.height, columns: distances.length };
      [...this.list.children].forEach((step, i) => drawCell(step.firstChild, image, i, cut));
    });
  }

  makeStep(parent, told) {
    const step = make("li", {}, parent);
    make(told ? "span" : "canvas", { class: "made" }, step);
    const gauge = make("span", { class: "gauge" }, step);
    make("span", { class: "distance" }, gauge);
    make("span", { class: "typical" }, gauge);
    make("span", { class: "number" }, step);
  }

  resize() {}
}

export default function (component) {
  return mount(component, "latent-path", (root) => new LatentPath(root));
}
