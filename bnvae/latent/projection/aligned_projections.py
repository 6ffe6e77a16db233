"""Aligned maps of one set of examples at successive moments: each example is followed from one map to the next."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.latent.projection.fit_projection import Projection, aligned, check_codes

LEAST_FINITE = 0.5
"""of a moment's codes"""


def _can_be_mapped(codes: Float[Tensor, "N D"]) -> bool:
    """Whether UMAP can work on codes: enough are finite, and they are not all equal."""
    try:
        check_codes(codes)
    except ValueError:
        return False
    return True


def film(moments: Sequence[Float[Tensor, "N D"]], *, seed: int = 0) -> dict[int, Projection]:
    """Aligned maps of the same examples' codes at successive moments, by the place of each moment.

    A moment is left out if most of its codes are not finite or it cannot be mapped, as that of a training that
    diverged, or of one collapsed to a single code; of the others the examples that are finite in all are mapped. None
    where fewer than two moments are left.
    """
    whole = [
        bool(torch.isfinite(codes).all(1).double().mean() > LEAST_FINITE) and _can_be_mapped(codes) for codes in moments
    ]
    places = [place for place, good in enumerate(whole) if good]
    together = torch.stack([torch.isfinite(moments[place]).all(1) for place in places]).all(0) if places else None
    if len(places) < 2 or together is None or not all(_can_be_mapped(moments[place][together]) for place in places):
        return {}
    return dict(zip(places, aligned([moments[place] for place in places], seed=seed), strict=True))
