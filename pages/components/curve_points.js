// Functions of the points of a curve, without a drawing. assets.py puts this file before curves.js.

/**
 * The y range [low, high] that the curves deserve: the first steps of a training are often ten times what follows and would
 * press everything else flat. So it spans the middle 80 % of the values and as much again on either side, no more than
 * the values themselves, and always the latest twentieth: a curve never leaves the chart at its live end.
 */
function robustRange(values) {
  const sorted = Float64Array.from(values).sort();
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  const spread = at(0.9) - at(0.1);
  const latest = values.slice(-Math.ceil(values.length / 20));
  return {
    low: Math.min(...latest, Math.max(at(0), at(0.1) - spread)),
    high: Math.max(...latest, Math.min(at(1), at(0.9) + spread)),
  };
}

/** Index of the entry of the ascending `xs` nearest to x. */
function nearest(xs, x) {
  let [low, high] = [0, xs.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low && x - xs[low - 1] < xs[low] - x ? low - 1 : low;
}

/** Runs of neighbouring points without a gap: [[i, i + 1, …], …]. */
function unbroken(ys) {
  const runs = [];
  ys.forEach((y, i) => {
    if (y === null) return;
    if (i && ys[i - 1] !== null) runs.at(-1).push(i);
    else runs.push([i]);
  });
  return runs;
}

const latest = (ys) => ys.findLast((value) => value !== null);
const worded = (name, value) => (value === undefined ? name : `${name} ${short(value)}`);
const extent = (values) => (values.length ? `${short(Math.min(...values))} to ${short(Math.max(...values))}` : "empty");
