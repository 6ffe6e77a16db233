"""A run from a model that was trained elsewhere: its weights, its description, and the data set it is evaluated on."""

from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from bnvae.config.schema import ModelConfig, NetworkName, RunConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset, ImageShape
from bnvae.metrics.both_splits import evaluate_dataset
from bnvae.metrics.figures.example_figures import ExampleFigures
from bnvae.metrics.generation import decode_codes
from bnvae.metrics.thorough import check_figures
from bnvae.nn.foreign.description import Description
from bnvae.nn.foreign.network import foreign_model, tensors_used
from bnvae.nn.posterior import Posterior
from bnvae.nn.vae import VAE
from bnvae.runs.artifacts.previews import Preview
from bnvae.runs.derived.kept_example_figures import write_example_figures
from bnvae.runs.progress.status import Status
from bnvae.runs.run import DESCRIPTION, WEIGHTS, Run
from bnvae.runs.storage.atomic_files import MIB, write_atomic
from bnvae.runs.store import RunStore
from bnvae.training.evaluation import encode
from bnvae.training.sampler import mix

LARGEST_HEADER_BYTES = 16 * MIB
PREVIEW_RECONSTRUCTIONS, PREVIEW_SAMPLES = 8, 16
BROUGHT = "Brought in: trained elsewhere."


def bring_checkpoint(store: RunStore, run_id: str, description: str, tensors: Mapping[str, Tensor]) -> Run:
    """A run of the model that these tensors are by this description, evaluated on both splits of its data set.

    Raises:
        ValueError: name, description, weights or data are refused, or the model's figures are not finite; nothing is
            kept.
    """
    described = Description.from_json(description)
    config = RunConfig(
        data=described.data,
        model=ModelConfig(network=_network(described), head="gaussian", latent_dimensions=described.latent_dimensions),
        source="weights",
    )
    model = foreign_model(described, tensors)
    with store.making(run_id, config) as run:
        dataset = load_dataset(described.data)
        if dataset.shape != described.image:
            raise ValueError(
                f"image is {_words(described.image)}: the pictures of the data are {_words(dataset.shape)}."
            )
        _check_posterior(encode(model, dataset.test.examples))
        each: list[ExampleFigures] = []
        figures = evaluate_dataset(model, dataset, keep=each.append)
        check_figures(figures)
        write_atomic(run.folder / DESCRIPTION, description.encode())
        # Apart from each other: safetensors refuses tensors that share their memory.
        used = {name: one.detach().contiguous().clone() for name, one in tensors_used(described, tensors).items()}
        write_atomic(run.folder / WEIGHTS, save_tensors(used))
        run.write_data(dataset)
        order = run.test_order(len(dataset.test))
        run.write_preview(_preview(model, dataset, dataset.test.examples[order[:PREVIEW_RECONSTRUCTIONS]]))
        for one in each:
            write_example_figures(run, one, dataset.digest, figures)
        run.write_evaluation(figures)
        run.write_encodings(model, dataset)
        run.write_status(Status(state="finished", message=BROUGHT))
    return store.get(run_id)


def read_safetensors(content: bytes) -> dict[str, Tensor]:
    """The tensors of a .safetensors file.

    Raises:
        ValueError: it is damaged, or of another format; or its header is larger than names and shapes can be.
    """
    if len(content) < 8 or int.from_bytes(content[:8], "little") > min(LARGEST_HEADER_BYTES, len(content)):
        raise ValueError("the weights are no safetensors: the size of their header is impossible.")
    try:
        return load_tensors(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"the weights are no safetensors, or damaged ({error}).") from None


def _network(described: Description) -> NetworkName:
    is_conv = any(isinstance(layer, dict) and "conv" in layer for layer in described.encoder)
    return "conv" if is_conv else "mlp"


def _words(shape: object) -> str:
    if not isinstance(shape, ImageShape):
        return "no pictures"
    return f"[{shape.channels}, {shape.height}, {shape.width}]"


def _check_posterior(posterior: Posterior) -> None:
    bad = ~(torch.isfinite(posterior.mean) & torch.isfinite(posterior.std) & (posterior.std > 0)).all(1)
    if bad.any():
        raise ValueError(
            f"{int(bad.sum())} of {len(bad)} test examples get a posterior that is not finite or has a std of 0 or "
            "less. Check pixels, the order of the layers, and whether the spread is a log_variance or a std."
        )


def _preview(model: VAE, dataset: Dataset, originals: Tensor) -> Preview:
    codes = model.sample_prior(PREVIEW_SAMPLES, torch.Generator().manual_seed(mix(0, 3)))
    made = decode_codes(model, dataset.shape, torch.cat([codes, encode(model, originals).mean]))
    return Preview(
        step=0,
        originals=originals,
        reconstructions=made[PREVIEW_SAMPLES:],
        samples=made[:PREVIEW_SAMPLES],
    )
