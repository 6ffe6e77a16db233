// Numbers that a component fetches by itself while a training runs. However many components of a page, and however many
// visitors, look at the same runs: a page asks once for all of its components, and the server reckons once for all pages.
// chart.js comes before this file.

const PATIENCE_MS = 10_000; // for an answer
const LONGEST_WAIT_MS = 10_000;
const UNTOLD_WAIT_MS = 1_000; // where an answer does not say when to ask again
const REFUSALS_OF_A_DEAD_ROUTE = 2;

/** Components are modules of their own: what they share of a page is found here. */
const feeds = (globalThis.bnvaeFeeds ??= new Map());

class LiveFeed {
  constructor(address) {
    this.address = address;
    this.followers = new Set();
    this.etag = "";
    this.light = null; // what may change at every answer
    this.heavy = {}; // pictures, sent only when they changed
    this.heavyVersion = "";
    this.hasAnswered = false;
    this.failures = 0; // since the last answer
    this.refusals = 0;
    this.timer = 0;
    this.asking = false;
    this.wake = () => document.hidden || this.ask();
    document.addEventListener("visibilitychange", this.wake);
  }

  follow(follower) {
    this.followers.add(follower);
    if (this.light) follower(this);
    else this.ask();
    return () => {
      this.followers.delete(follower);
      // Streamlit may take a component down and put it up again in one breath.
      setTimeout(() => this.followers.size || this.end(), 1_000);
    };
  }

  end() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
    if (feeds.get(this.address) === this) feeds.delete(this.address);
  }

  /** Where the page is, there is the route beside it, whatever path a proxy has put the app under. */
  url() {
    const url = new URL(this.address, document.baseURI);
    if (this.heavyVersion) url.searchParams.set("have", this.heavyVersion);
    return url;
  }

  /** A hidden tab asks nothing; it asks at once when it is looked at again. */
  async ask() {
    if (this.asking || document.hidden || !this.followers.size) return;
    clearTimeout(this.timer);
    this.asking = true;
    let wait = UNTOLD_WAIT_MS;
    try {
      wait = await this.hear();
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      // A server that is only slow would not be helped by a page that asks it in a dearer way.
      if (error.name !== "TimeoutError") this.refusals += 1;
      wait = Math.min(LONGEST_WAIT_MS, UNTOLD_WAIT_MS * 2 ** Math.min(8, this.failures - 1));
      if (this.isDead) for (const follower of this.followers) follower(this);
    } finally {
      this.asking = false;
    }
    if (this.followers.size) this.timer = setTimeout(() => this.ask(), wait);
  }

  /** Takes in one answer; returns when to ask again (ms). */
  async hear() {
    const headers = this.etag ? { "If-None-Match": this.etag } : {};
    const answer = await fetch(this.url(), { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status !== 304) {
      // Where the route is not, a server answers with its start page.
      if (!answer.ok || !answer.headers.get("Content-Type")?.startsWith("application/json")) throw new Error("no feed");
      const { light, heavy, version } = await answer.json();
      this.etag = answer.headers.get("ETag") ?? "";
      this.light = light;
      if (heavy) [this.heavy, this.heavyVersion] = [heavy, version];
      this.hasAnswered = true;
      for (const follower of this.followers) follower(this);
    }
    return Number(answer.headers.get("X-Ask-Again-Ms")) || UNTOLD_WAIT_MS;
  }

  /** Whether there never was an answer: the page has to be told in another way. */
  get isDead() {
    return !this.hasAnswered && this.refusals >= REFUSALS_OF_A_DEAD_ROUTE;
  }

  /** Both parts of one panel's data; neither is there before the first answer, or of a run that is gone. */
  panel(name) {
    return { light: this.light?.[name], heavy: this.heavy[name] };
  }
}

function feedAt(address) {
  let feed = feeds.get(address);
  if (!feed) feeds.set(address, (feed = new LiveFeed(address)));
  return feed;
}

const following = new WeakMap(); // parent node → {address, panel, component, leave}

/**
 * As `mount`; where Python names a feed, {feed: {address, panel}, …}, instead of all data, the rest comes from there, again
 * and again, and the node is drawn into at every answer that changes it.
 */
function mountLive(component, testId, create) {
  const { parentElement: node, data } = component;
  if (!data.feed) {
    unfollow(node);
    return mount(component, testId, create);
  }
  const { feed: source, ...own } = data;
  const now = following.get(node);
  if (now?.address === source.address && now.panel === source.panel) {
    Object.assign(now, { component, own });
    now.draw(feedAt(source.address));
  } else {
    unfollow(node);
    const kept = { ...source, component, own, shown: {}, cleanUp: null };
    kept.draw = (feed) => {
      const { light, heavy } = feed.panel(kept.panel);
      const text = JSON.stringify([light, kept.own]);
      if (!(light || heavy) || (text === kept.shown.text && heavy === kept.shown.heavy)) return;
      kept.shown = { text, heavy };
      kept.cleanUp = mount({ ...kept.component, data: { ...kept.own, ...light, ...heavy } }, testId, create);
    };
    following.set(node, kept);
    kept.leave = feedAt(source.address).follow(kept.draw);
  }
  const mine = following.get(node);
  return () => {
    mine.cleanUp?.();
    setTimeout(() => node.isConnected || unfollow(node));
  };
}

function unfollow(node) {
  following.get(node)?.leave();
  following.delete(node);
}
