// The entry of kl_bars.py; kl_chart.js and live_feed.js come before this file.

export default function (component) {
  return mountLive(component, "kl-bars", (root) => new KlBars(root));
}
