"""The unit of each figure of an evaluation that is one number, by its name in evaluation.json."""

NATS = "nats per example"
DRAWS = "draws of z an example"

UNITS: dict[str, str] = {
    "examples": "examples",
    "tau": "fraction",
    "elbo": NATS,
    "distortion": NATS,
    "rate": NATS,
    "active_units": "dimensions",
    "mutual_information": NATS,
    "mutual_information_examples": "examples",
    "mutual_information_bound": NATS,
    "marginal_kl": NATS,
    "mean_second_moment": "no unit",
    "std_second_moment": "no unit",
    "importance_samples": DRAWS,
    "nll": NATS,
    "effective_samples": DRAWS,
    "tokens": "tokens per example",
    "perplexity": "no unit",
    "pixels": "pixel values per example",
    "bits_per_dimension": "bits per pixel value",
    "permuted_rise": NATS,
    "distinct_share": "share of outputs",
    "hole_share": "share of prior draws",
    "hole_examples": "examples",
    "mutual_information_gap": "share of entropy",
    "mode_examples": "examples",
    "seconds": "seconds",
}
