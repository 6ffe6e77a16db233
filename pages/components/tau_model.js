// What the page knows of a run, unpacked once, and its state at one tau. curve_points.js and tau_closed_form.js come before
// this file.

/** Little-endian float32 in base64, as numbers. */
function numbersOf(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

const total = (values) => values.reduce((sum, value) => sum + value, 0);

/** Index of the last place of the ascending `xs` before x that has one behind it, and how far x is from there to the next. */
function between(xs, x) {
  let before = 0;
  while (before < xs.length - 2 && xs[before + 1] <= x) before++;
  return { before, weight: Math.max(0, Math.min(1, (x - xs[before]) / (xs[before + 1] - xs[before]))) };
}

/** The value at x of the line through the points (xs, ys), level beyond its ends. */
function interpolated(xs, ys, x) {
  if (xs.length < 2) return ys[0];
  const { before, weight } = between(xs, x);
  return ys[before] * (1 - weight) + ys[before + 1] * weight;
}

class TauModel {
  /** data: {dimensions, taus, theta, examples: [{means, mean, std}]} as tau_explorer.py packs them. */
  constructor({ dimensions, taus, theta, examples }) {
    this.dimensions = dimensions;
    this.taus = taus;
    const rows = numbersOf(theta);
    this.thetas = taus.map((_, t) => rows.subarray(t * dimensions, (t + 1) * dimensions));
    this.members = examples.map(({ moments, mean, std }) => {
      const averages = numbersOf(moments);
      const part = (i) => averages.subarray(i * dimensions, (i + 1) * dimensions);
      const unscaled = { columns: dimensions, mean: numbersOf(mean), std: numbersOf(std) };
      return { moments: { mean: part(0), std: part(1), logStd: part(2) }, unscaled, count: unscaled.mean.length / dimensions };
    });
  }

  /** theta at tau: constant, on the line between two rows of the table, or that of the member nearest to it. */
  thetaAt(tau) {
    const { taus, thetas } = this;
    if (taus.length === 1) return thetas[0];
    if (this.members.length > 1) return thetas[nearest(taus, tau)];
    const { before, weight } = between(taus, tau);
    return thetas[before].map((theta, d) => theta * (1 - weight) + thetas[before + 1][d] * weight);
  }

  at(tau) {
    const theta = this.thetaAt(tau);
    const { moments, unscaled, count } = this.members[this.members.length > 1 ? nearest(this.taus, tau) : 0];
    const shares = sharesAt(tau, theta);
    const kl = klAt(shares, moments);
    return {
      tau,
      theta,
      shares,
      kl,
      unscaled,
      count,
      budget: budgetAt(shares, moments),
      floor: fixedFloor(tau),
      floors: currentFloors(shares),
      rate: total(kl.filter(Number.isFinite)),
    };
  }
}
