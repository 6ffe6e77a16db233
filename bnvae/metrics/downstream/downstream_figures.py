"""What a code buys: labels saved, causes kept in reconstructions, and edits that change one thing."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from bnvae.data.dataset import Dataset
from bnvae.metrics.downstream.edits import as_figures as edit_figures
from bnvae.metrics.downstream.edits import edits
from bnvae.metrics.downstream.factors_kept import causes_kept
from bnvae.metrics.downstream.labels_needed import LabelsNeeded, labels_needed
from bnvae.metrics.estimators.importance_sampling import Progress, silent
from bnvae.metrics.figures.figure_values import nested, number, values
from bnvae.nn.vae import VAE

SHOWN_LABELS = 100
"""number of labels whose accuracies stand for all where there is room for one number; the nearest lower one without"""


def bought(
    model: VAE,
    dataset: Dataset,
    *,
    factors: Sequence[str] = (),
    labels: Sequence[int] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Figures of what the code buys by name, ready for JSON; the model's head must hold the training set's moments.

    Labels are those of the data set, and of each known factor named. What these data have not is left out, and
    "missing" says why.

    Raises:
        ValueError: a factor or a number of labels that was asked for is not there.
    """
    missing: dict[str, str] = {}
    progress("labels needed", 0.0)
    probes: dict[str, LabelsNeeded] = {}
    try:
        own = labels_needed(model, dataset, labels=labels, seed=seed)
        probes[own.factor] = own
    except ValueError as error:
        if labels and not factors:
            raise
        missing["labels_needed"] = str(error)
    for factor in factors:
        probes[factor] = labels_needed(model, dataset, factor=factor, labels=labels, seed=seed)
    details: dict[str, Any] = {"labels_needed": {name: dataclasses.asdict(probe) for name, probe in probes.items()}}
    flat = _of_probe(next(iter(probes.values()))) if probes else {}
    progress("causes kept", 0.6)
    try:
        means, draws = (causes_kept(model, dataset, codes=codes, seed=seed) for codes in ("means", "draws"))
        details |= {"causes": dataclasses.asdict(means), "causes_of_draws": dataclasses.asdict(draws)}
        flat |= {
            "causes_kept": means.mean,
            "causes_kept_standard_error": means.mean_standard_error,
            "causes_kept_from_draws": draws.mean,
            "causes_kept_from_draws_standard_error": draws.mean_standard_error,
            "causes_kept_by_chance": means.mean_permuted_chance,
        }
    except ValueError as error:
        missing["causes"] = str(error)
    progress("edits", 0.8)
    try:
        changed = edits(model, dataset, seed=seed)
        details |= {"edits": edit_figures(changed)}
        flat |= {
            "edits_took": changed.all.took,
            "edits_took_standard_error": changed.all.took_standard_error,
            "edits_took_by_chance": changed.all.took_before,
            "edits_changed_others": changed.all.others_changed,
            "edits_changed_others_standard_error": changed.all.others_changed_standard_error,
        }
    except ValueError as error:
        missing["edits"] = str(error)
    return flat | details | {"missing": missing}


def _of_probe(probe: LabelsNeeded) -> dict[str, Any]:
    """The accuracies at the number of labels that is shown."""
    at = _shown_at(probe.labels)
    return {
        "accuracy_labels": probe.labels[at],
        "accuracy_from_draws": probe.codes.accuracy[at],
        "accuracy_from_draws_spread": probe.codes.spread[at],
        "accuracy_from_draws_standard_error": _accuracy_error(probe, at),
        "accuracy_from_means": probe.means.accuracy[at],
        "accuracy_from_means_spread": probe.means.spread[at],
        "accuracy_from_input": probe.baseline.accuracy[at],
        "accuracy_from_input_spread": probe.baseline.spread[at],
        "accuracy_of_majority": probe.majority,
    }


def _shown_at(labels: Sequence[float]) -> int:
    """The place of the number of labels that is shown."""
    return max((place for place, count in enumerate(labels) if count <= SHOWN_LABELS), default=0)


def _accuracy_error(probe: LabelsNeeded, at: int) -> float:
    """Standard error of the accuracy from draws of z: over draws of the labels, and over the test examples.

    The test examples are the same for each draw of the labels, so their part, p (1 - p) / n, is not averaged away.
    """
    accuracy, spread = probe.codes.accuracy[at], probe.codes.spread[at]
    return math.sqrt(spread**2 / probe.draws + accuracy * (1 - accuracy) / probe.test_examples)


def figures_bought(evaluation: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What an evaluation says the code buys; None where an older version, or the end of a training, kept nothing."""
    found = (evaluation or {}).get("buys")
    return found if isinstance(found, Mapping) else None


@final
@dataclass(frozen=True, kw_only=True)
class ShownProbe:
    """How often a linear probe on draws of z names one factor, at the number of labels that is shown; shares."""

    labels: float
    """number of labelled training examples"""
    accuracy: float
    spread: float | None
    """over draws of the labels"""
    majority: float | None
    """share of the commonest class"""
    baseline: float | None
    """accuracy of a probe that sees the examples and no code"""
    baseline_input: str
    """what that probe sees"""


def shown_probes(evaluation: Mapping[str, Any] | None) -> dict[str, ShownProbe]:
    """What an evaluation keeps of each factor, the data set's own label first; what is no share is left out."""
    found = {}
    probes = nested(evaluation, "buys", "labels_needed")
    for name in probes:
        probe = nested(probes, name)
        labels, accuracies = values(probe, "labels"), values(probe, "codes", "accuracy")
        if not labels or len(accuracies) != len(labels):
            continue
        at = _shown_at(labels)
        if not 0 <= accuracies[at] <= 1:
            continue
        found[str(name)] = ShownProbe(
            labels=labels[at],
            accuracy=accuracies[at],
            spread=_share_at(values(probe, "codes", "spread"), at),
            majority=_share_at([number(probe, "majority")], 0),
            baseline=_share_at(values(probe, "baseline", "accuracy"), at),
            baseline_input=str(probe.get("baseline_input", "the example")),
        )
    return found


def _share_at(shares: Sequence[float | None], at: int) -> float | None:
    """The share at this place; None where there is none, or what is there is no share."""
    share = shares[at] if at < len(shares) else None
    return share if share is not None and 0 <= share <= 1 else None
