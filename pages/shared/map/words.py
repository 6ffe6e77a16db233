"""A map's figures in words: how it was made, how far it may be believed, and whether it shows noise."""

from collections.abc import Mapping

from bnvae.latent.projection.fit_projection import Projection
from pages.shared.map.cache import Encoded
from pages.shared.words import COLLAPSED_BELOW_NATS

METHODS = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}


def made_words(found: Projection, *, common: bool) -> str:
    """The method and what it was fitted on: "AlignedUMAP, fitted on 2,000, the rest placed by neighbours"."""
    name = "AlignedUMAP" if common else METHODS[found.method]
    placed = len(found.points) - found.fitted
    if found.method == "pca" or placed <= 0:
        return name
    how = "by UMAP's transform" if found.method == "umap" and not common else "by their nearest neighbours"
    settled = ", all settled by a few epochs more" if found.parameters.get("settling_epochs") else ""
    return f"{name}, fitted on {found.fitted:,} examples, {placed:,} placed {how}{settled}"


def belief_words(found: Projection, encoded: Encoded, unused: str) -> str:
    """Trustworthiness, kept neighbours and agreement of labels, with what they were counted on.

    How faithful a map is to codes that are not used is no merit: of such a run `unused` says why instead.
    """
    parts = []
    if unused:
        parts.append(f"the code is not used ({unused}), so a faithful map of it shows nothing of the data")
    elif (seen := found.fidelity) is not None:
        parts.append(f"trustworthiness {seen.trustworthiness:.3f}")
        looked = "" if seen.examples == seen.of else f", looked up for {seen.examples:,} of {seen.of:,} points"
        parts.append(f"{seen.kept:.0%} of the {seen.neighbours} nearest codes are nearest here as well{looked}")
    else:
        parts.append("too few points to say how far this map may be believed")
    if encoded.agreement is not None:
        some = f" ({', '.join(encoded.label_names[:2])}, …)" if len(encoded.label_names) > 1 else ""
        parts.append(f"nearest codes share the label{some} in {encoded.agreement:.0%} (by chance {encoded.chance:.0%})")
    return "; ".join(parts) + "."


def verdict(encoded: Encoded, told: Mapping[str, float]) -> str:
    """That a map of these codes shows noise, where their KL says so; else nothing.

    `told` is the share of each known cause that the codes tell, where causes are known.
    """
    finite = encoded.mean.isfinite().all(1)
    left_out = len(encoded) - int(finite.sum())
    words = f"{left_out:,} codes are not finite and are left out. " if left_out else ""
    if len(encoded) - left_out < 2 or encoded.rate != encoded.rate or encoded.rate >= COLLAPSED_BELOW_NATS:
        return words
    spread = float(encoded.mean[finite].std(0, correction=0).mean())
    width = float(encoded.std[finite].mean())
    return (
        f"{words}This map shows noise. The codes have a rate of {encoded.rate:.3f} nats and carry at most this much: "
        f"the means of two examples differ by about {spread:.3f} prior std, and every posterior is {width:.2f} wide."
        f"{_untold(told)}"
    )


def _untold(told: Mapping[str, float]) -> str:
    if not told:
        return ""
    best = max(told, key=lambda name: told[name])
    return (
        f" Apparent groups are differences too small to matter: the code tells {told[best]:.1%} of {best}, and less of "
        "every other factor."
    )
