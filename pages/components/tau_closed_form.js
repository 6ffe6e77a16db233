// The Scaler's closed form over tau; bnvae/metrics/scaler_curves.py in the browser. No drawing and no imports: Node runs it as well.
// Arrays hold one number for each latent dimension; information is in nats.

/** 1 / (1 + e^-x), without overflow on either side. */
export function sigmoid(x) {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** γ_μ² = τ + (1 − τ) σ(θ) and γ_σ² = (1 − τ) σ(−θ): the two shares of one unit of second moment. */
export function sharesAt(tau, theta) {
  const mean = new Float64Array(theta.length);
  const std = new Float64Array(theta.length);
  for (let d = 0; d < theta.length; d++) {
    mean[d] = tau + (1 - tau) * sigmoid(theta[d]);
    std[d] = (1 - tau) * sigmoid(-theta[d]);
  }
  return { mean, std };
}

/** −½ ln(1 − τ): no dimension's expected KL can be lower, whatever θ learns. */
export function fixedFloor(tau) {
  return -0.5 * Math.log1p(-tau);
}

/** −½ ln γ_σ²: the floor of each dimension at the present θ. */
export function currentFloors(shares) {
  return shares.std.map((share) => -0.5 * Math.log(share));
}

/** E[μ²] and E[σ²] of each dimension; `moments` has E[μ̂²], E[ŝ²] and E[ln ŝ²] as {mean, std, logStd}. */
export function budgetAt(shares, moments) {
  return {
    mean: shares.mean.map((share, d) => share * moments.mean[d]),
    std: shares.std.map((share, d) => share * moments.std[d]),
  };
}

/** E[KL_d] = ½ (γ_μ² E[μ̂²] + γ_σ² E[ŝ²] − ln γ_σ² − E[ln ŝ²] − 1). */
export function klAt(shares, moments) {
  const budget = budgetAt(shares, moments);
  return budget.mean.map((mean, d) => 0.5 * (mean + budget.std[d] - Math.log(shares.std[d]) - moments.logStd[d] - 1));
}

/** Posterior means and stds in two dimensions: [x0, y0, x1, y1, …] of the first `count` examples. */
export function posteriorsAt(shares, unscaled, [x, y], count) {
  const { columns, mean, std } = unscaled;
  const gamma = [x, y].map((d) => ({ mean: Math.sqrt(shares.mean[d]), std: Math.sqrt(shares.std[d]) }));
  const xy = new Array(2 * count);
  const spread = new Array(2 * count);
  for (let n = 0; n < count; n++) {
    [x, y].forEach((d, i) => {
      xy[2 * n + i] = gamma[i].mean * mean[n * columns + d];
      spread[2 * n + i] = gamma[i].std * std[n * columns + d];
    });
  }
  return { xy, spread };
}
