"""What a training shows of itself: weights and previews of its last evaluation, and an album of its moments."""

from typing import final

import torch
from torch import Tensor

from bnvae.data.dataset import Dataset
from bnvae.metrics.generation import decode_codes
from bnvae.nn.normalization import eval_mode, recompute_moments, stores_moments
from bnvae.nn.posterior import Posterior
from bnvae.runs.artifacts import snapshots
from bnvae.runs.artifacts.previews import Preview
from bnvae.runs.run import Run
from bnvae.training.evaluation import encode, recompute_statistics
from bnvae.training.sampler import in_chunks, mix
from bnvae.training.trainer import EVALUATION_EXAMPLES, Trainer

PREVIEW_RECONSTRUCTIONS = 8
PREVIEW_SAMPLES = 16


@final
class Showcase:
    """Decodes and keeps what pages show; changes nothing of the training."""

    def __init__(self, run: Run, trainer: Trainer, dataset: Dataset) -> None:
        self.run = run
        self.trainer = trainer
        self.dataset = dataset
        self._test_order = run.test_order(len(dataset.test))
        self.published_at = -1
        """step of the weights and previews that were last published"""
        size_bytes = snapshots.most_bytes(
            dataset, run.config.model.latent_dimensions, PREVIEW_SAMPLES + PREVIEW_RECONSTRUCTIONS
        )
        # A checkpoint's own snapshot was taken before it.
        planned = snapshots.planned(trainer.total_steps, size_bytes)
        self._moments = [step for step in planned if step > trainer.step]

    def publish(self) -> None:
        """Weights and previews of the model as it stands, in eval mode with exact moments."""
        model, test = self.trainer.model, self.dataset.test
        self.run.write_weights(model)
        posterior = self.trainer.validation_posterior
        assert posterior is not None
        samples, reconstructions = self._made(posterior)
        self.run.write_preview(
            Preview(
                step=self.trainer.step,
                originals=self.trainer.validation_examples[:PREVIEW_RECONSTRUCTIONS],
                reconstructions=reconstructions,
                samples=samples,
            )
        )
        if self.trainer.step < self.trainer.total_steps:
            # To be explored: what a training is judged by is of validation examples.
            rows = self._test_order[:EVALUATION_EXAMPLES]
            self.run.write_posterior(encode(model, test.examples[rows]), test.labels[rows], rows=rows)
        self.published_at = self.trainer.step

    def _made(self, posterior: Posterior) -> tuple[Tensor, Tensor]:
        """What the model makes of fixed prior codes, and of the examples with these posteriors: pixels or tokens."""
        # The same codes every time and for every twin: what changes in a picture is the model.
        codes = self.trainer.model.sample_prior(
            PREVIEW_SAMPLES, torch.Generator().manual_seed(mix(self.run.config.training.seed, 3))
        )
        # Together: one token after another, few codes take as long as many.
        both = torch.cat([codes.cpu(), posterior.mean[:PREVIEW_RECONSTRUCTIONS]])
        made = decode_codes(self.trainer.model, self.dataset.shape, both)
        return made[:PREVIEW_SAMPLES], made[PREVIEW_SAMPLES:]

    def take_snapshot(self) -> None:
        """Put the present moment into the album, if it is time for one.

        It is of test examples, as encodings are: with them it is explored on a map, and no figure is made of it.
        """
        step, model, test = self.trainer.step, self.trainer.model, self.dataset.test
        if not self._moments or step < self._moments[0]:
            return
        self._moments = [later for later in self._moments if later > step]
        stored = {name: value.clone() for name, value in model.head.named_buffers()}
        posterior = self._drawn_posterior()
        samples, reconstructions = self._made(posterior)
        for name, value in model.head.named_buffers():
            value.copy_(stored[name])  # what is trained and saved is that of a training without an album
        snapshot = snapshots.Snapshot(
            step=step,
            mean=posterior.mean[:, : snapshots.MOST_DIMENSIONS],
            std=posterior.std[:, : snapshots.MOST_DIMENSIONS],
            labels=test.labels[self._test_order[: snapshots.POINTS]],
            samples=samples,
            reconstructions=reconstructions,
        )
        snapshots.save(self.run.folder, snapshot)

    @torch.no_grad()
    def _drawn_posterior(self) -> Posterior:
        """Of a few test examples, with their own moments in the head.

        They differ from the training set's by less than a drawn point's width, and save a pass through the encoder.
        """
        model, examples = self.trainer.model, self.dataset.test.examples[self._test_order[: snapshots.POINTS]]
        if len(examples) < snapshots.POINTS:  # too few to take moments from
            recompute_statistics(model, self.trainer.batches.examples, most=snapshots.POINTS)
            return encode(model, examples)
        with eval_mode(model):
            (points,) = in_chunks(examples, snapshots.POINTS)
            features = model.encoder(points.to(model.device))
            if stores_moments(model.head):
                recompute_moments(model.head, [features])
            posterior: Posterior = model.head(features)
        return Posterior(posterior.mean.cpu(), posterior.std.cpu())
