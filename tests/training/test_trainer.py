"""The trainer: determinism, records, evaluations, the stop before a bad step."""

import dataclasses
import math
import re
from typing import Any

import pytest
import torch
from torch import Tensor

from bnvae.config.schema import HeadName, ModelConfig, NetworkName, RunConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.metrics.estimators.permutation import permuted_rise
from bnvae.metrics.test_set import evaluate
from bnvae.nn.vae import VAE
from bnvae.training import trainer as trainer_module
from bnvae.training.evaluation import encode, recompute_statistics
from bnvae.training.mutual_information import PermutedRise
from bnvae.training.records import EvaluationRecord, Record, StepRecord
from bnvae.training.trainer import Trainer, fit

GOLDEN_LOSSES = (47.7431, 47.6277, 47.3394)
"""Losses of the first three records; to regenerate, run the test and copy the values it got."""


@pytest.fixture
def dataset(tiny: RunConfig) -> Dataset:
    return load_dataset(tiny.data)


def with_head(config: RunConfig, head: HeadName) -> RunConfig:
    return dataclasses.replace(config, model=dataclasses.replace(config.model, head=head))


def with_training(config: RunConfig, **changes: Any) -> RunConfig:
    return dataclasses.replace(config, training=dataclasses.replace(config.training, **changes))


def trainer_of(config: RunConfig, dataset: Dataset) -> Trainer:
    model = VAE.build(config.network, config.model, dataset.shape, seed=config.training.seed)
    return Trainer(model, dataset.training, dataset.test, config.training, record_every=config.record_every)


def state(model: VAE) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("head", ["gaussian", "bn-mean", "bn-scaler", "rms-scaler", "ln-mean"])
def test_equal_seeds_give_equal_records_and_weights(head: HeadName, tiny: RunConfig, dataset: Dataset) -> None:
    config = with_head(tiny, head)
    one, other = trainer_of(config, dataset), trainer_of(config, dataset)
    first = [record.to_json() for record in one.fit()]
    torch.manual_seed(99)  # what others draw does not matter
    torch.rand(5)
    assert [record.to_json() for record in other.fit()] == first
    assert same(state(one.model), state(other.model))


def test_other_seeds_give_other_weights(tiny: RunConfig, dataset: Dataset) -> None:
    one, other = trainer_of(tiny, dataset), trainer_of(with_training(tiny, seed=1), dataset)
    assert not torch.equal(
        one.model.decoder.state_dict()["output.weight"], other.model.decoder.state_dict()["output.weight"]
    )


def test_dropout_draws_from_the_step_and_not_from_hidden_state(tiny_text: RunConfig) -> None:
    dataset = load_dataset(tiny_text.data)
    runs = []
    for noise in (0, 1):
        torch.manual_seed(noise)
        trainer = trainer_of(tiny_text, dataset)
        runs.append([record.to_json() for record in trainer.fit()])
    assert runs[0] == runs[1]


def test_twins_share_weights_and_batches_and_differ_in_the_head(tiny: RunConfig, dataset: Dataset) -> None:
    twins = [trainer_of(with_head(tiny, head), dataset) for head in ("gaussian", "rms-scaler")]
    for part in ("encoder", "decoder"):
        states = [getattr(twin.model, part).state_dict() for twin in twins]
        assert same(states[0], states[1])
    assert all(torch.equal(twins[0].batches[step], twins[1].batches[step]) for step in range(20))


def cadence(records: list[Record]) -> list[tuple[str, int]]:
    return [(record.kind, record.step) for record in records]


def test_records_come_every_few_steps_and_at_the_end(tiny: RunConfig, dataset: Dataset) -> None:
    records = list(trainer_of(tiny, dataset).fit())
    # 16 steps, a record every 3, and the last one with what is left
    assert cadence(records) == [("step", step) for step in (3, 6, 9, 12, 15, 16)] + [("evaluation", 16)]
    assert records[-1].epoch == 2


def test_evaluations_come_at_step_100_every_100_steps_or_epochs_and_at_the_end(
    tiny: RunConfig, dataset: Dataset
) -> None:
    config = with_training(tiny, epochs=28, record_every=10_000)  # 8 steps an epoch: 224 steps
    assert cadence(list(trainer_of(config, dataset).fit())) == [
        ("step", 100),
        ("evaluation", 100),
        ("step", 200),
        ("evaluation", 200),
        ("step", 224),
        ("evaluation", 224),
    ]


def test_a_trainer_is_settled_where_no_record_is_half_made(tiny: RunConfig, dataset: Dataset) -> None:
    trainer = trainer_of(with_training(tiny, epochs=14, record_every=8), dataset)
    settled = [(record.kind, record.step, trainer.is_settled) for record in trainer.fit()]
    assert ("step", 96, True) in settled
    assert ("step", 100, False) in settled  # the evaluation of this step is still to come
    assert ("evaluation", 100, True) in settled
    assert ("step", 112, False) in settled
    assert ("evaluation", 112, True) in settled


def test_a_step_record_is_the_mean_of_its_steps(tiny: RunConfig, dataset: Dataset) -> None:
    each = list(trainer_of(with_training(tiny, record_every=1), dataset).fit())
    (first, *_) = trainer_of(tiny, dataset).fit()
    singles = [record for record in each[:3] if isinstance(record, StepRecord)]
    assert isinstance(first, StepRecord)
    for name in ("loss", "distortion", "rate"):
        wanted = sum(getattr(record, name) for record in singles) / 3
        assert getattr(first, name) == pytest.approx(wanted, rel=1e-5)  # six digits are kept
    assert first.loss == pytest.approx(first.distortion + first.rate, rel=1e-5)
    assert sum(first.kl_per_dimension) == pytest.approx(first.rate, rel=1e-5)


@pytest.mark.parametrize("head", ["bn-scaler", "rms-scaler"])
def test_records_show_the_identities_of_a_scaler(head: HeadName, tiny: RunConfig, dataset: Dataset) -> None:
    for record in trainer_of(with_head(tiny, head), dataset).fit():
        if not isinstance(record, StepRecord):
            continue
        moments = zip(record.mean_second_moment, record.std_second_moment, strict=True)
        assert [mean + std for mean, std in moments] == pytest.approx([1] * 4, abs=1e-4)
        assert record.gamma_mean is not None
        assert record.gamma_std is not None
        gammas = zip(record.gamma_mean, record.gamma_std, strict=True)
        assert [mean**2 + std**2 for mean, std in gammas] == pytest.approx([1] * 4, abs=1e-5)
        floors = zip(record.kl_per_dimension, record.current_floor, strict=True)
        assert all(kl >= math.log(2) / 2 and kl >= floor - 0.01 for kl, floor in floors)


def test_an_evaluation_is_yielded_in_eval_mode_with_the_moments_of_the_training_set(
    tiny: RunConfig, dataset: Dataset
) -> None:
    trainer = trainer_of(tiny, dataset)
    for record in trainer.fit():
        assert trainer.model.training == isinstance(record, StepRecord)
        if isinstance(record, EvaluationRecord):
            posterior = encode(trainer.model, dataset.training.examples)
            second_moment = (posterior.mean.square() + posterior.std.square()).mean(0)
            torch.testing.assert_close(second_moment, torch.ones(4), atol=1e-3, rtol=0)
    assert trainer.model.training


def test_an_evaluation_has_the_information_and_the_rise_that_the_analysis_finds(
    tiny: RunConfig, dataset: Dataset
) -> None:
    config = with_training(tiny, epochs=30, learning_rate=0.01)
    trainer = trainer_of(config, dataset)
    *_, record = trainer.fit()
    assert isinstance(record, EvaluationRecord)
    examples, seed = trainer.validation_examples, config.training.seed
    with trainer.evaluating(last=True):
        whole = evaluate(trainer.model, examples, seed=seed)
        rise = permuted_rise(trainer.model, examples, seed=seed)
    assert record.mutual_information == pytest.approx(whole.mutual_information, rel=1e-4)
    assert record.mutual_information_examples == len(examples) == whole.mutual_information_examples
    assert record.permuted_rise == pytest.approx(rise.permuted_rise, rel=1e-4)
    assert record.permuted_rise_standard_error == pytest.approx(rise.permuted_rise_standard_error, rel=1e-4)
    assert (rise.permuted_rise or 0) > 0.1  # the model has learnt to read its code


def test_an_evaluation_leaves_the_training_as_it_is(tiny: RunConfig, dataset: Dataset) -> None:
    plain, looked_at = trainer_of(tiny, dataset), trainer_of(tiny, dataset)

    def look() -> None:
        with looked_at.evaluating():
            pass

    steps = [record.to_json() for record in plain.fit()]
    assert [record.to_json() for record in looked_at.fit(before_step=look)] == steps
    assert same(state(plain.model), state(looked_at.model))


def test_the_rise_is_of_some_examples_and_the_information_of_fewer_the_more_dimensions_there_are(
    tiny: RunConfig, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [trainer_module.information_examples(dimensions) for dimensions in (2, 32, 128, 512)] == [
        2000,
        2000,
        1000,
        500,
    ]
    monkeypatch.setattr(trainer_module, "INFORMATION_DIMENSIONS", 4e-6)  # D = 4: a thousandth of 2,000
    monkeypatch.setattr(trainer_module, "PERMUTED_EXAMPLES", 3)
    seen: list[int] = []

    def rise(model: VAE, examples: Tensor, *rest: Tensor, seed: int) -> PermutedRise:
        seen.append(len(examples))
        return PermutedRise(permuted_rise=1.0, permuted_rise_standard_error=None)

    monkeypatch.setattr(trainer_module, "rise_if_permuted", rise)
    with trainer_of(tiny, dataset).evaluating() as record:
        assert record.mutual_information_examples == 2
        assert -1e-9 <= (record.mutual_information or math.nan) <= math.log(2)
    assert (seen, record.permuted_rise, record.permuted_rise_standard_error) == ([3], 1.0, None)


def test_an_evaluation_that_is_left_by_an_error_returns_to_training_mode(tiny: RunConfig, dataset: Dataset) -> None:
    trainer = trainer_of(tiny, dataset)
    with pytest.raises(RuntimeError, match="consumer"), trainer.evaluating():
        raise RuntimeError("consumer")
    assert trainer.model.training


@pytest.mark.parametrize("head", ["bn-mean", "bn-scaler", "rms-scaler"])
def test_kl_in_eval_mode_is_that_of_training(head: HeadName, tiny: RunConfig, dataset: Dataset) -> None:
    # A public log of another implementation shows 6.0 nats in training and 18.6 in validation.
    # Of a whole epoch, since the KL of `bn-scaler` has a heavy tail: a batch of 8 may be off by a third.
    config = with_training(with_head(tiny, head), epochs=8, learning_rate=0.01, record_every=8)
    records = list(trainer_of(config, dataset).fit())
    evaluated, trained = records[-1].rate, records[-2].rate
    assert evaluated == pytest.approx(trained, rel=0.25)  # other examples


def test_training_lowers_minus_elbo(tiny: RunConfig, dataset: Dataset) -> None:
    records = list(trainer_of(with_training(tiny, epochs=10, learning_rate=0.01), dataset).fit())
    assert -records[-1].elbo < -records[0].elbo - 5


@pytest.mark.parametrize("network", ["lstm", "transformer"])
def test_training_the_usual_encoder_of_sentences_teaches_the_decoder_to_use_its_code(
    network: NetworkName, tiny_text: RunConfig
) -> None:
    usual = ModelConfig()
    model = dataclasses.replace(
        tiny_text.model, network=network, bidirectional=usual.bidirectional, pooling=usual.pooling, dropout=0.0
    )
    config = with_training(dataclasses.replace(tiny_text, model=model), epochs=20, learning_rate=0.01)
    dataset = load_dataset(config.data)
    (*_, last) = trainer_of(config, dataset).fit()
    assert isinstance(last, EvaluationRecord)
    assert last.permuted_rise is not None
    assert last.permuted_rise > 1  # 10 standard errors; an encoder that tells all sentences alike has none


def test_the_first_losses_are_the_golden_ones(tiny: RunConfig) -> None:
    dataset = load_dataset(dataclasses.replace(tiny.data, validation_share=0.0))
    records = [record for record in trainer_of(tiny, dataset).fit() if isinstance(record, StepRecord)]
    # 1e-3: processors sum in other orders; a changed formula moves a loss by far more.
    assert [record.loss for record in records[:3]] == pytest.approx(GOLDEN_LOSSES, rel=1e-3)


@pytest.mark.parametrize("clip", [0.0, 5.0])
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_loss_that_is_not_finite_stops_before_the_step(
    part: str, clip: float, tiny: RunConfig, dataset: Dataset
) -> None:
    trainer = trainer_of(with_training(tiny, gradient_clip=clip, record_every=1), dataset)
    records = trainer.fit()
    next(records)
    with torch.no_grad():
        next(getattr(trainer.model, part).parameters()).view(-1)[0] = math.nan
    before = state(trainer.model)
    layer = {"encoder": "encoder.layers.0 (Linear)", "decoder": "decoder.layers.0 (Linear)"}[part]
    with pytest.raises(FloatingPointError, match=f"step 2 is nan.*not finite is that of {re.escape(layer)}"):
        next(records)
    after = state(trainer.model)
    parameters = [name for name, _ in trainer.model.named_parameters()]
    assert all(torch.equal(before[name].nan_to_num(), after[name].nan_to_num()) for name in parameters)
    assert trainer.step == 1


@pytest.mark.parametrize(
    ("modality", "clip", "limit"), [("tiny", 0.5, 0.5), ("tiny", 0.0, math.inf), ("tiny_text", 0.0, 1.0)]
)
def test_a_gradient_is_limited_as_torch_limits_it(
    modality: str, clip: float, limit: float, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "GRADIENT_CLIP_OF_TEXT", 1.0)  # of so small a model the norm is below 5
    plain: RunConfig = request.getfixturevalue(modality)
    dataset = load_dataset(plain.data)
    config = with_training(plain, gradient_clip=clip, optimiser="sgd", learning_rate=1.0)
    trainer, twin = trainer_of(config, dataset), trainer_of(config, dataset)
    before = [each.detach().clone() for each in trainer.model.parameters()]
    trainer._advance()
    twin._take_step = lambda: None  # type: ignore[method-assign]
    twin._advance()
    norm = torch.nn.utils.clip_grad_norm_(twin.model.parameters(), limit)
    assert norm > 1.0  # else no limit would be like these
    for old, new, limited in zip(before, trainer.model.parameters(), twin.model.parameters(), strict=True):
        assert limited.grad is not None
        torch.testing.assert_close(old - new, limited.grad, rtol=1e-4, atol=1e-5)  # torch adds 1e-6 to the norm


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("clip", [0.0, 5.0])
@pytest.mark.parametrize("name", ["encoder.layers.0.weight", "decoder.output.weight", "decoder.output.bias"])
def test_one_number_of_a_gradient_that_is_not_finite_stops_before_the_step(
    name: str, clip: float, value: float, tiny: RunConfig, dataset: Dataset
) -> None:
    trainer = trainer_of(with_training(tiny, gradient_clip=clip), dataset)

    def spoil(gradient: Tensor) -> Tensor:
        spoilt = gradient.clone()
        spoilt.view(-1)[-1] = value
        return spoilt

    trainer.model.get_parameter(name).register_hook(spoil)  # type: ignore[no-untyped-call]
    before = state(trainer.model)
    with pytest.raises(FloatingPointError, match=rf"gradient at step 1 is not finite.*gradients {re.escape(name)} is"):
        next(trainer.fit())
    after = state(trainer.model)
    parameters = [each for each, _ in trainer.model.named_parameters()]
    assert all(torch.equal(before[each], after[each]) for each in parameters)
    assert trainer.optimiser.state == {}


def test_infinities_that_cancel_are_not_taken_for_a_finite_gradient(tiny: RunConfig, dataset: Dataset) -> None:
    trainer = trainer_of(with_training(tiny, gradient_clip=0.0), dataset)

    def spoil(gradient: Tensor) -> Tensor:
        spoilt = gradient.clone()
        spoilt.view(-1)[0], spoilt.view(-1)[1] = math.inf, -math.inf
        return spoilt

    trainer.model.get_parameter("decoder.output.weight").register_hook(spoil)  # type: ignore[no-untyped-call]
    with pytest.raises(FloatingPointError, match="gradient at step 1 is not finite"):
        next(trainer.fit())


def test_in_bf16_the_posterior_and_its_kl_stay_fp32(tiny: RunConfig, dataset: Dataset) -> None:
    trainer = trainer_of(with_training(tiny, precision="bf16"), dataset)
    seen = []
    trainer.model.register_forward_hook(lambda model, given, answer: seen.append(answer))
    record = next(trainer.fit())
    terms, posterior = seen[0]
    assert {value.dtype for value in (terms.kl_per_dimension, terms.distortion, posterior.mean, posterior.std)} == {
        torch.float32
    }
    moments = zip(record.mean_second_moment, record.std_second_moment, strict=True)
    assert [mean + std for mean, std in moments] == pytest.approx([1] * 4, abs=1e-4)


def test_the_kl_weight_of_a_record_follows_its_schedule(tiny: RunConfig, dataset: Dataset) -> None:
    config = with_training(tiny, kl_schedule="linear", kl_warmup_epochs=2.0, record_every=1)
    weights = [record.kl_weight for record in trainer_of(config, dataset).fit() if isinstance(record, StepRecord)]
    assert weights == pytest.approx([step / 16 for step in range(16)])


def test_fit_is_the_whole_of_it(tiny: RunConfig, dataset: Dataset) -> None:
    model = VAE.build("mlp", tiny.model, dataset.shape, seed=0)
    assert sum(1 for _ in fit(model, dataset.training, dataset.test, tiny.training)) == 7


def test_only_the_last_evaluation_takes_the_moments_of_all_examples(
    tiny: RunConfig, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[int | None, int]] = []
    known = recompute_statistics

    def watched(model: VAE, examples: Tensor, *, most: int | None, seed: int) -> None:
        taken.append((most, seed))
        known(model, examples, most=most, seed=seed)

    monkeypatch.setattr(trainer_module, "recompute_statistics", watched)
    monkeypatch.setattr(trainer_module, "FEWEST_STEPS_BETWEEN_EVALUATIONS", 5)
    monkeypatch.setattr(trainer_module, "MOMENT_EXAMPLES", 32)
    trainer = trainer_of(with_training(tiny, epochs=3), dataset)
    for record in trainer.fit():
        if isinstance(record, EvaluationRecord) and record.step == trainer.total_steps:
            head = trainer.model.head
            with torch.no_grad():
                raw = head.mean(trainer.model.encoder(dataset.training.examples)).double()  # type: ignore[operator]
            found = head.standardise_mean.center.double()  # type: ignore[union-attr]
            torch.testing.assert_close(found, raw.mean(0), atol=1e-5, rtol=0)
    assert [most for most, _ in taken] == [32] * (len(taken) - 1) + [None]
    assert len({seed for _, seed in taken}) == len(taken) > 2
