"""A training that is saved, damaged, restored, and goes on as if nothing had happened."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from bnvae.config.schema import OptimiserName, RunConfig
from bnvae.data import load_dataset
from bnvae.nn.vae import VAE
from bnvae.runs import BrokenRunError
from bnvae.runs.progress import checkpoint
from bnvae.training.trainer import Trainer

DIGEST = "d" * 64
KINDS: dict[str, dict[str, Any]] = {
    "gaussian": {"head": "gaussian"},
    "rms-scaler": {"head": "rms-scaler"},
    "amortised": {"head": "rms-scaler", "amortised": True},
}


def trainer_of(config: RunConfig) -> Trainer:
    dataset = load_dataset(config.data)
    model = VAE.build(config.network, config.model, dataset.shape, seed=0)
    return Trainer(model, dataset.training, dataset.test, config.training, record_every=config.record_every)


def advance(trainer: Trainer, step: int) -> list[str]:
    """Train until the record of a step, and return the lines on the way."""
    lines = []
    for record in trainer.fit():
        lines.append(record.to_json())
        if record.step >= step and trainer.is_settled:
            break
    return lines


def assert_same(one: Trainer, other: Trainer) -> None:
    for ours, theirs in zip(one.model.state_dict().items(), other.model.state_dict().items(), strict=True):
        assert ours[0] == theirs[0]
        assert torch.equal(ours[1], theirs[1]), ours[0]
    ours_of, theirs_of = one.optimiser.state, other.optimiser.state
    assert ours_of.keys() == theirs_of.keys()
    for index, values in ours_of.items():
        assert all(torch.equal(value, theirs_of[index][name]) for name, value in values.items())


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("head", ["gaussian", "rms-scaler", "amortised"])
@pytest.mark.parametrize("network", ["mlp", "lstm"])
def test_a_restored_training_ends_with_the_bytes_of_an_undisturbed_one(
    network: str, head: str, optimiser: OptimiserName, tiny: RunConfig, tiny_text: RunConfig, tmp_path: Path
) -> None:
    config = tiny if network == "mlp" else tiny_text
    config = dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, **KINDS[head]),
        training=dataclasses.replace(config.training, optimiser=optimiser),
    )
    undisturbed, disturbed = trainer_of(config), trainer_of(config)
    whole = advance(undisturbed, 10_000)
    begun = advance(disturbed, 4)
    checkpoint.save(tmp_path, disturbed, 123, DIGEST)
    resumed = trainer_of(config)
    position = checkpoint.restore(tmp_path, resumed, DIGEST)
    assert position is not None
    assert (position.step, position.history_bytes, position.skipped) == (disturbed.step, 123, ())
    assert begun + advance(resumed, 10_000) == whole
    assert_same(resumed, undisturbed)


def test_no_checkpoint_is_a_fresh_start(tiny: RunConfig, tmp_path: Path) -> None:
    trainer = trainer_of(tiny)
    assert checkpoint.restore(tmp_path, trainer, DIGEST) is None
    assert trainer.step == 0


def saved_twice(config: RunConfig, folder: Path) -> Trainer:
    trainer = trainer_of(config)
    for step in (3, 6):
        advance(trainer, step)
        checkpoint.save(folder, trainer, step * 100, DIGEST)
    return trainer


def test_the_two_newest_are_kept(tiny: RunConfig, tmp_path: Path) -> None:
    trainer = saved_twice(tiny, tmp_path)
    advance(trainer, 9)
    checkpoint.save(tmp_path, trainer, 900, DIGEST)
    assert sorted(manifest["step"] for manifest in checkpoint._manifests(tmp_path)[0].values()) == [6, 9]


def newest(folder: Path, suffix: str) -> Path:
    manifests = checkpoint._manifests(folder)[0]
    return folder / f"trainer-{max(manifests, key=lambda slot: manifests[slot]['step'])}.{suffix}"


@pytest.mark.parametrize("damage", ["flipped byte", "truncated", "missing", "empty"])
def test_a_damaged_checkpoint_is_passed_over_and_named(damage: str, tiny: RunConfig, tmp_path: Path) -> None:
    saved_twice(tiny, tmp_path)
    path = newest(tmp_path, "safetensors")
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes({"flipped byte": bytes(content), "truncated": bytes(content[:-9]), "empty": b""}[damage])
    trainer = trainer_of(tiny)
    position = checkpoint.restore(tmp_path, trainer, DIGEST)
    assert position is not None
    assert (trainer.step, position.step, position.history_bytes) == (3, 3, 300)
    assert "checkpoint of step 6 passed over" in position.skipped[0]


def test_a_damaged_checkpoint_never_counts_as_the_newest_again(tiny: RunConfig, tmp_path: Path) -> None:
    saved_twice(tiny, tmp_path)
    newest(tmp_path, "safetensors").write_bytes(b"")
    trainer = trainer_of(tiny)
    checkpoint.restore(tmp_path, trainer, DIGEST)
    advance(trainer, 6)  # the same step as the damaged one
    checkpoint.save(tmp_path, trainer, 600, DIGEST)
    again = trainer_of(tiny)
    position = checkpoint.restore(tmp_path, again, DIGEST)
    assert position is not None
    assert (position.step, position.skipped) == (6, ())


def test_a_manifest_that_was_not_written_leaves_the_one_before(tiny: RunConfig, tmp_path: Path) -> None:
    saved_twice(tiny, tmp_path)
    newest(tmp_path, "json").write_text('{"step": 6, "hist')
    position = checkpoint.restore(tmp_path, trainer_of(tiny), DIGEST)
    assert position is not None
    assert position.step == 3


def test_a_kill_at_any_moment_of_saving_leaves_a_whole_checkpoint(
    tiny: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = saved_twice(tiny, tmp_path)
    advance(trainer, 9)

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    for moment in ("overwrite", "write_json"):
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, moment, killed)
            with pytest.raises(KeyboardInterrupt):
                checkpoint.save(tmp_path, trainer, 900, DIGEST)
        position = checkpoint.restore(tmp_path, trainer_of(tiny), DIGEST)
        assert position is not None
        assert position.step == 6


def test_no_usable_checkpoint_is_a_broken_run_with_the_reasons(tiny: RunConfig, tmp_path: Path) -> None:
    saved_twice(tiny, tmp_path)
    for path in tmp_path.glob("*.safetensors"):
        path.write_bytes(b"x")
    with pytest.raises(BrokenRunError, match=r"no checkpoint is usable.*step 6.*step 3"):
        checkpoint.restore(tmp_path, trainer_of(tiny), DIGEST)


def test_changed_data_is_refused_and_nothing_is_restored(tiny: RunConfig, tmp_path: Path) -> None:
    saved_twice(tiny, tmp_path)
    trainer = trainer_of(tiny)
    with pytest.raises(ValueError, match=r"data set has changed since step 6.*Start a new run"):
        checkpoint.restore(tmp_path, trainer, "e" * 64)
    assert trainer.step == 0


def test_a_checkpoint_of_another_model_is_passed_over(tiny: RunConfig, tmp_path: Path) -> None:
    saved_twice(tiny, tmp_path)
    other = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, hidden_units=8))
    with pytest.raises(BrokenRunError, match="size mismatch"):
        checkpoint.restore(tmp_path, trainer_of(other), DIGEST)


def test_the_fingerprint_names_what_bits_depend_on(tiny: RunConfig) -> None:
    fingerprint = checkpoint.fingerprint(trainer_of(tiny))
    assert fingerprint["torch"] == torch.__version__
    assert (fingerprint["device"], fingerprint["precision"], fingerprint["threads"]) == ("cpu", "float32", 1)
