// What every component here shares: one instance for each mounted node, gliding numbers, axes and a tooltip.
// assets.py puts this file before the component's own. Text from outside only ever becomes a text node.

const GLIDE_MS = 250;
const instances = new WeakMap();
const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Makes an HTML element, or an SVG element for a name such as "svg:path". */
function make(name, attributes = {}, parent = null) {
  const node = name.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  set(node, attributes);
  parent?.append(node);
  return node;
}

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

/** A text node is only touched when its text changes, so that a selection in it survives a tick. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * The instance that lives in `parentElement`, made at the first call; every later call only hands it new data.
 * `create(root)` returns {update(data, component), resize(), dispose?()}.
 */
function mount(component, testId, create) {
  const { parentElement, data } = component;
  let instance = instances.get(parentElement);
  if (!instance) {
    const root = make("div", { class: "root", "data-testid": testId, "data-created": performance.now() }, parentElement);
    const drawing = create(root);
    const observer = new ResizeObserver(() => drawing.resize());
    observer.observe(root);
    instance = { root, drawing, observer };
    instances.set(parentElement, instance);
  }
  instance.drawing.update(data, component);
  return () => setTimeout(() => leave(parentElement, instance));
}

/** Streamlit also runs the clean-up of a call that newer data overtook: leave only when the node has left the page. */
function leave(parentElement, { root, drawing, observer }) {
  if (root.isConnected || !instances.delete(parentElement)) return;
  observer.disconnect();
  drawing.dispose?.();
  root.remove();
}

/** The head that panels of a run share: its name with its colour, and a line of what it is. */
class PanelHead {
  constructor(root) {
    const title = make("div", { class: "title" }, root);
    this.key = make("span", { class: "key" }, title);
    this.title = make("span", {}, title);
    this.caption = make("div", { class: "line dim" }, root);
  }

  write({ title, caption, colour }) {
    this.key.style.background = colour;
    write(this.title, title);
    write(this.caption, caption);
  }
}

/** Numbers on their way: `to(target)` lets each of them glide there and calls `draw` at every frame. */
class Glide {
  constructor(draw) {
    this.draw = draw;
    this.shown = null;
    this.frame = 0;
  }

  to(target) {
    cancelAnimationFrame(this.frame);
    const from = this.shown;
    if (!from || from.length !== target.length || reducedMotion.matches || document.hidden) {
      this.jump(target);
      return;
    }
    const start = performance.now();
    const step = (now) => {
      const rest = (1 - Math.min(1, Math.max(0, now - start) / GLIDE_MS)) ** 3;
      this.shown = target.map((end, i) => (Number.isFinite(from[i]) ? end + (from[i] - end) * rest : end));
      this.draw();
      if (rest > 0) this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
  }

  /** There at once: a drag must not be followed from behind. */
  jump(target) {
    cancelAnimationFrame(this.frame);
    this.shown = target;
    this.draw();
  }

  stop() {
    cancelAnimationFrame(this.frame);
  }
}

/** The step of 1, 2 or 5 times a power of ten that cuts `span` into at most `count` parts. */
function niceStep(span, count) {
  const power = 10 ** Math.floor(Math.log10(span / count));
  const factor = [1, 2, 5, 10].find((f) => span / (f * power) <= count * (1 + 1e-9)) ?? 10;
  return factor * power;
}

function ticksBetween(low, high, count) {
  const step = niceStep(high - low || 1, Math.max(1, count));
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) ticks.push(k * step);
  return { ticks, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/**
 * A range that holds [low, high] and does not flicker: it grows at once, and shrinks only when less than half of it is
 * used. The ends are round numbers, so small changes leave them alone.
 */
function steadyRange(previous, low, high) {
  const span = high - low || Math.abs(high) || 1;
  const fits = previous && low >= previous.low && high <= previous.high;
  if (fits && span >= (previous.high - previous.low) / 2) return previous;
  const step = niceStep(span, 8);
  return { low: Math.floor(low / step + 1e-9) * step, high: Math.ceil(high / step - 1e-9) * step };
}

const signed = (text) => text.replace("-", "−"); // a hyphen is no minus

/** A value to read beside a curve or a bar: three decimals when small, four digits when large. */
function short(value) {
  if (!Number.isFinite(value)) return "not a number";
  const size = Math.abs(value);
  if (size && size < 0.0005) return signed(value.toExponential(1));
  return signed(value.toLocaleString("en", { maximumFractionDigits: size < 10 ? 3 : size < 100 ? 2 : 1 }));
}

function label(value, decimals) {
  return signed((value || 0).toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
}

/** Writes [{x, y, text, anchor?}] into a group, reusing the nodes of the frame before. */
function writeLabels(group, labels) {
  while (group.childElementCount > labels.length) group.lastElementChild.remove();
  while (group.childElementCount < labels.length) make("svg:text", {}, group);
  labels.forEach(({ x, y, text, anchor = "middle" }, i) => {
    const node = group.children[i];
    set(node, { x, y, "text-anchor": anchor });
    write(node, text);
  });
}

/** A small box of rows [{text, colour?}] above or beside a point; it never leaves the chart. */
function makeTooltip(frame) {
  const box = make("div", { class: "tooltip", "data-testid": "tooltip", hidden: "" }, frame);
  return {
    rows: [],
    show(x, y, rows, { above = false } = {}) {
      this.rows = rows;
      while (box.childElementCount > rows.length) box.lastElementChild.remove();
      while (box.childElementCount < rows.length) {
        const row = make("div", {}, box);
        make("span", { class: "key" }, row);
        make("span", {}, row);
      }
      rows.forEach(({ text, colour }, i) => {
        const [key, words] = box.children[i].children;
        key.hidden = !colour;
        key.style.background = colour ?? "";
        write(words, text);
      });
      box.hidden = false;
      const { offsetWidth: width, offsetHeight: height } = box;
      const beside = x + 14 + width <= frame.clientWidth ? x + 14 : x - 14 - width;
      const left = above ? x - width / 2 : beside;
      const top = above ? y - height - 8 : y - height / 2;
      box.style.left = `${Math.max(0, Math.min(left, frame.clientWidth - width))}px`;
      box.style.top = `${Math.max(0, Math.min(top, frame.clientHeight - height))}px`;
    },
    hide() {
      box.hidden = true;
    },
  };
}
