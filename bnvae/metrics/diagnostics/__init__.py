"""Signs of an illness of the latent space: each looks at a run's figures and finds something, or nothing."""

from bnvae.metrics.diagnostics.finding import Rule
from bnvae.metrics.diagnostics.normalization_findings import (
    binding_floor,
    dear_floor,
    floor_breached,
    other_moments,
    stale_moments,
)
from bnvae.metrics.diagnostics.prior_mismatch import holes, wrong_width
from bnvae.metrics.diagnostics.trust import capped_information, loose_likelihood, overfitted
from bnvae.metrics.diagnostics.use_of_code import collapsed, not_a_number, partly_collapsed, same_outputs, unused

RULES: tuple[Rule, ...] = (
    floor_breached,
    collapsed,
    not_a_number,
    unused,
    dear_floor,
    other_moments,
    stale_moments,
    partly_collapsed,
    holes,
    wrong_width,
    same_outputs,
    binding_floor,
    capped_information,
    loose_likelihood,
    overfitted,
)
"""In the order of their weight."""
