// The Scaler's formula with the numbers of one dimension in it, each symbol in the colour of what it moves on the page.
// chart.js and tau_closed_form.js come before this file.

/** Words and live numbers of the formula: strings are fixed, [colour, text] a symbol, {colour, of} a number. */
const LINES = [
  [["mean", "γ_μ²"], " = ", ["tau", "τ"], " + (1 − ", ["tau", "τ"], ")·σ(", ["theta", "θ"], ") = ", { colour: "tau", of: "tau" }, " + ",
    { colour: "tau", of: "rest" }, " · ", { colour: "theta", of: "given" }, " = ", { colour: "mean strong", of: "mean" }],
  [["std", "γ_σ²"], " = (1 − ", ["tau", "τ"], ")·σ(−", ["theta", "θ"], ") = ", { colour: "tau", of: "rest" }, " · ", { colour: "theta", of: "kept" },
    " = ", { colour: "std strong", of: "std" }],
  [["mean", "μ"], " = ", ["mean", "γ_μ"], " · μ̂ = ", { colour: "mean strong", of: "gammaMean" }, " · μ̂,   ", ["std", "σ"], " = ", ["std", "γ_σ"],
    " · ŝ = ", { colour: "std strong", of: "gammaStd" }, " · ŝ"],
  [["run", "E[KL]"], " ≥ −½ ln ", ["std", "γ_σ²"], " = ", { colour: "std strong", of: "floor" }, " ≥ −½ ln(1 − ", ["tau", "τ"], ") = ",
    { colour: "tau strong", of: "fixed" }, " nats"],
];

class Formula {
  constructor(root) {
    this.box = make("div", { class: "formula", role: "group", "aria-label": "the formula with its numbers" }, root);
    this.numbers = [];
    this.which = make("div", { class: "formula-line dim" }, this.box);
    for (const parts of LINES) {
      const line = make("div", { class: "formula-line" }, this.box);
      for (const part of parts) this.place(part, line);
    }
  }

  place(part, line) {
    if (typeof part === "string") {
      line.append(part);
    } else if (Array.isArray(part)) {
      symbol(part[1], make("i", { class: part[0] }, line));
    } else {
      const node = make("b", { class: part.colour }, line);
      this.numbers.push({ node, of: part.of });
    }
  }

  /** The numbers of dimension d. */
  jump({ tau, theta, shares, floor, floors }, d) {
    const given = sigmoid(theta[d]);
    const values = {
      tau,
      rest: 1 - tau,
      given,
      kept: 1 - given,
      mean: shares.mean[d],
      std: shares.std[d],
      gammaMean: Math.sqrt(shares.mean[d]),
      gammaStd: Math.sqrt(shares.std[d]),
      floor: floors[d],
      fixed: floor,
    };
    write(this.which, `in dimension ${d}:`);
    for (const { node, of } of this.numbers) write(node, label(values[of], 3));
  }
}

/** A symbol such as γ_μ² with its index lowered and its power raised. */
function symbol(text, node) {
  const [, base, , index, power] = text.match(/^([^_²]+)(_([^²]))?(²)?$/) ?? [null, text];
  node.append(base);
  if (index) make("sub", {}, node).textContent = index;
  if (power) node.append("²");
}
