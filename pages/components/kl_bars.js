// The entry of kl_bars.py; kl_chart.js comes before this file.

export default function (component) {
  return mount(component, "kl-bars", (root) => new KlBars(root));
}
