"""VAEs with and without BatchNorm + Scaler on the posterior: heads, training, runs.

The heads work in any torch model: `from bnvae import BatchNormScalerHead`.
"""

from bnvae.nn.losses import ElboTerms, loss
from bnvae.nn.normalization import recompute_moments
from bnvae.nn.posterior import (
    HEADS,
    BatchNormMeanHead,
    BatchNormScalerHead,
    GaussianHead,
    LayerNormMeanHead,
    Posterior,
    PosteriorHead,
    RootMeanSquareScalerHead,
    kl_per_dimension,
)
from bnvae.nn.scaler import AmortisedScaler, Gammas, Scaler, fixed_floor

__version__ = "0.2.0"

__all__ = [
    "HEADS",
    "AmortisedScaler",
    "BatchNormMeanHead",
    "BatchNormScalerHead",
    "ElboTerms",
    "Gammas",
    "GaussianHead",
    "LayerNormMeanHead",
    "Posterior",
    "PosteriorHead",
    "RootMeanSquareScalerHead",
    "Scaler",
    "fixed_floor",
    "kl_per_dimension",
    "loss",
    "recompute_moments",
]
