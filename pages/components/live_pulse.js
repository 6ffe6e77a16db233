// Draws nothing: it has the page's script run again when what only that can change, such as its buttons, has to change.
// chart.js and live_feed.js come before this file.

const SPREAD_MS = 400; // a change that a hundred pages see at once need not reach their scripts at once

class LivePulse {
  constructor(root) {
    root.hidden = true;
    this.told = ""; // what the script was last run again for: once is enough, even if it sees another truth
    this.timer = 0;
  }

  /** `drawn` is the page as its script last made it, `standing` as it would be made now. */
  update({ drawn, standing }, { setTriggerValue }) {
    clearTimeout(this.timer);
    if (standing === drawn) this.told = "";
    if (standing === drawn || standing === this.told) return;
    this.timer = setTimeout(() => {
      this.told = standing;
      setTriggerValue("changed", standing);
    }, Math.random() * SPREAD_MS);
  }

  resize() {}

  dispose() {
    clearTimeout(this.timer);
  }
}

export default function (component) {
  const { data, parentElement: node, setStateValue } = component;
  // Without the route, which a proxy may not let through, the page's script has to come for the numbers again and again.
  const watch = (feed) => feed.isDead && setStateValue("lost", true);
  let leave = () => {};
  if (data.feed) leave = feedAt(data.feed.address).follow(watch);
  const cleanUp = mountLive(component, "live-pulse", (root) => new LivePulse(root));
  return () => {
    leave();
    cleanUp();
  };
}
