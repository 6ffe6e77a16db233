"""What a configuration accepts, refuses and stores."""

import dataclasses
import json
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnvae.config.help_texts import arguments, field_help
from bnvae.config.schema import (
    SCALED,
    DataConfig,
    DataName,
    HeadName,
    ModelConfig,
    NetworkName,
    OptimiserName,
    RunConfig,
    TrainingConfig,
)

SECTIONS: list[type[Any]] = [DataConfig, ModelConfig, TrainingConfig]

BAD: list[tuple[type[Any], str, object]] = [
    (DataConfig, "name", "imagenet"),
    (DataConfig, "name", 5),
    (DataConfig, "name", ["digits"]),
    (DataConfig, "name", None),
    (DataConfig, "tokenizer", "syllables"),
    (DataConfig, "path", 7),
    (DataConfig, "column", None),
    (DataConfig, "vocabulary_size", 7),
    (DataConfig, "vocabulary_size", 100_001),
    (DataConfig, "max_tokens", 3),
    (DataConfig, "image_size", 7),
    (DataConfig, "image_size", 129),
    (DataConfig, "image_size", -8),
    (DataConfig, "training_examples", -1),
    (DataConfig, "training_examples", 10**400),
    (DataConfig, "test_share", 0.0),
    (DataConfig, "test_share", 1.0),
    (DataConfig, "binarise", "yes"),
    (DataConfig, "binarise", 1),
    (DataConfig, "seed", -1),
    (DataConfig, "seed", 2**31),
    (ModelConfig, "head", "batchnorm"),
    (ModelConfig, "network", "resnet"),
    (ModelConfig, "latent_dimensions", 0),
    (ModelConfig, "latent_dimensions", 513),
    (ModelConfig, "latent_dimensions", 2.0),
    (ModelConfig, "latent_dimensions", True),
    (ModelConfig, "latent_dimensions", "16"),
    (ModelConfig, "tau", 1.0),
    (ModelConfig, "tau", 1),
    (ModelConfig, "tau", -0.01),
    (ModelConfig, "tau", float("nan")),
    (ModelConfig, "tau", "0.5"),
    (ModelConfig, "tau", False),
    (ModelConfig, "tau", None),
    (ModelConfig, "gamma", 0.0),
    (ModelConfig, "gamma", float("inf")),
    (ModelConfig, "gamma", 10**400),
    (ModelConfig, "dropout", 1.0),
    (ModelConfig, "pooling", "first"),
    (ModelConfig, "bidirectional", "yes"),
    (ModelConfig, "layers", 0),
    (ModelConfig, "hidden_units", 3),
    (TrainingConfig, "epochs", 0),
    (TrainingConfig, "epochs", 1.5),
    (TrainingConfig, "batch_size", 0),
    (TrainingConfig, "learning_rate", 0.0),
    (TrainingConfig, "learning_rate", float("nan")),
    (TrainingConfig, "gradient_clip", -1.0),
    (TrainingConfig, "beta", -1.0),
    (TrainingConfig, "kl_schedule", "sigmoid"),
    (TrainingConfig, "kl_warmup_epochs", 0.0),
    (TrainingConfig, "free_bits_total", -0.1),
    (TrainingConfig, "optimiser", "lion"),
    (TrainingConfig, "device", "tpu"),
    (TrainingConfig, "precision", "fp16"),
    (TrainingConfig, "seed", True),
    (TrainingConfig, "threads", -1),
]


@pytest.mark.parametrize(("section", "field", "value"), BAD, ids=lambda value: f"{value!r:.20}")
def test_a_bad_value_is_refused_with_field_value_and_remedy(section: type[Any], field: str, value: object) -> None:
    with pytest.raises(ValueError) as refusal:
        section(**{field: value})
    message = str(refusal.value)
    assert message.startswith(f"{field} is {value!r:.30}"[: len(field) + 34])
    assert message.endswith(".")
    assert any(word in message for word in ("give", "choose"))
    assert len(message) < 500


def test_numbers_at_the_limits_are_accepted() -> None:
    ModelConfig(tau=0, latent_dimensions=1)
    ModelConfig(tau=0.999)
    TrainingConfig(batch_size=1)


@pytest.mark.parametrize("head", ["bn-mean", "bn-scaler", "rms-scaler"])
def test_small_batches_are_refused_for_heads_with_batch_norm(head: HeadName) -> None:
    with pytest.raises(ValueError, match=r"batch_size is 7.*normalises over the batch.*8 or more"):
        RunConfig(model=ModelConfig(head=head), training=TrainingConfig(batch_size=7))
    RunConfig(model=ModelConfig(head=head), training=TrainingConfig(batch_size=8))


@pytest.mark.parametrize("head", ["gaussian", "ln-mean"])
def test_small_batches_are_accepted_for_heads_without(head: HeadName) -> None:
    RunConfig(model=ModelConfig(head=head), training=TrainingConfig(batch_size=1))


def test_values_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"path is ''.*your own"):
        DataConfig(name="text")
    with pytest.raises(ValueError, match=r"path is 'x'.*only data 'images' and 'text'"):
        DataConfig(name="digits", path="x")
    with pytest.raises(ValueError, match=r"network is 'lstm'.*mlp, conv"):
        RunConfig(data=DataConfig(name="digits"), model=ModelConfig(network="lstm"))
    with pytest.raises(ValueError, match=r"network is 'conv'.*lstm, transformer"):
        RunConfig(data=DataConfig(name="storybook"), model=ModelConfig(network="conv"))
    with pytest.raises(ValueError, match=r"attention_heads is 3.*divide hidden_units, 256"):
        ModelConfig(network="transformer", attention_heads=3, hidden_units=256)
    with pytest.raises(ValueError, match=r"latent_dimensions is 1.*at least 2"):
        ModelConfig(head="ln-mean", latent_dimensions=1)


def test_a_model_of_every_tau_needs_a_head_with_a_scaler_and_a_tau_that_is_drawn() -> None:
    with pytest.raises(ValueError, match=r"amortised is True: head 'gaussian' has no tau; choose bn-scaler or rms-sc"):
        ModelConfig(head="gaussian", amortised=True)
    with pytest.raises(ValueError, match=r"tau is 0.5: nothing above tau_max is trained; give at most 0.4\."):
        ModelConfig(amortised=True, tau_max=0.4)
    with pytest.raises(ValueError, match=r"tau_max is 1\.0: give a value from 0.01 to 0.99"):
        ModelConfig(amortised=True, tau_max=1.0)
    assert ModelConfig(amortised=True, tau_max=0.8).amortised_to == 0.8
    assert ModelConfig(tau=0.9, tau_max=0.8).amortised_to is None


def test_a_configuration_of_before_there_were_amortised_models_is_read_as_it_was() -> None:
    stored = json.loads(RunConfig().to_json())
    del stored["model"]["amortised"], stored["model"]["tau_max"]
    config = RunConfig.from_json(json.dumps(stored))
    assert config == RunConfig()
    assert not config.model.amortised


def test_auto_is_resolved_by_modality() -> None:
    assert RunConfig(data=DataConfig(name="storybook")).network == "lstm"
    assert RunConfig(data=DataConfig(name="digits")).network == "conv"
    assert RunConfig(data=DataConfig(name="digits"), model=ModelConfig(network="mlp")).network == "mlp"


@given(
    tau=st.floats(0, 0.99),
    beta=st.integers(0, 5) | st.floats(0, 5),
    path=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    head=st.sampled_from(get_args(HeadName)),
    optimiser=st.sampled_from(get_args(OptimiserName)),
    amortised=st.booleans(),
)
@settings(max_examples=50, deadline=None)
def test_a_configuration_comes_back_from_its_json(
    tau: float, beta: float, path: str, head: HeadName, optimiser: OptimiserName, amortised: bool
) -> None:
    config = RunConfig(
        data=DataConfig(name="text", path=path),
        model=ModelConfig(tau=tau, head=head, amortised=amortised and head in SCALED, tau_max=0.99),
        training=TrainingConfig(beta=beta, optimiser=optimiser),
    )
    assert RunConfig.from_json(config.to_json()) == config


def test_fields_left_out_have_their_defaults_or_what_they_were_before_there_was_such_a_field() -> None:
    before = RunConfig(data=DataConfig(validation_share=0.0), model=ModelConfig(bidirectional=False, pooling="last"))
    assert RunConfig.from_json("{}") == before


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(ValueError, match=r"validation_share is 0\.5: with test_share 0\.5 nothing is left to train on"):
        DataConfig(test_share=0.5, validation_share=0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"modle": {}}', r"configuration has an unknown field 'modle': known are data, model, training"),
        ('{"model": {"taau": 1}}', r"model has an unknown field 'taau'"),
        ('{"model": []}', r"model is \[\]: expected a JSON object"),
        ("[]", r"expected a JSON object"),
        ("{", r"not JSON"),
        ("[" * 100_000, r"not JSON"),
        ('{"model": {"latent_dimensions": %s}}' % ("9" * 5000), r"not JSON"),
        ('{"model": {"gamma": 1e400}}', r"gamma is inf: give a finite number"),
        ('{"model": {"tau": NaN}}', r"tau is nan"),
        ('{"training": {"batch_size": 4}}', r"batch_size is 4"),
    ],
    ids=lambda value: f"{value:.24}",
)
def test_json_that_is_not_a_configuration_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RunConfig.from_json(text)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_has_a_sentence_with_its_unit_or_its_choices(section: type) -> None:
    hints, sentences = get_type_hints(section), field_help(section)
    assert list(sentences) == [field.name for field in dataclasses.fields(section)]
    for name, sentence in sentences.items():
        assert len(sentence) > 15
        if hints[name] in (int, float) and name != "seed":
            assert "(" in sentence, f"{name} names no unit"


def test_the_stored_form_is_readable_and_complete() -> None:
    stored = json.loads(RunConfig().to_json())
    assert set(stored) == {"data", "model", "training"}
    assert stored["model"]["tau"] == RunConfig().model.tau


@pytest.mark.parametrize(("network", "pooling"), [("auto", "last"), ("lstm", "last"), ("transformer", "mean")])
def test_a_file_from_before_there_was_a_choice_pools_as_its_network_did(network: str, pooling: str) -> None:
    config = RunConfig.from_json(json.dumps({"data": {"name": "storybook"}, "model": {"network": network}}))
    assert config.model.pooling == pooling
    assert config.network == "transformer" or not config.model.bidirectional


@pytest.mark.parametrize(("data", "network"), [("digits", "auto"), ("mnist", "mlp"), ("storybook", "transformer")])
def test_runs_whose_network_has_no_directions_are_equal_whatever_was_given_for_them(
    data: DataName, network: NetworkName
) -> None:
    new = RunConfig(data=DataConfig(name=data), model=ModelConfig(network=network))
    stored = json.loads(new.to_json())
    stored["model"]["bidirectional"] = False
    assert RunConfig.from_json(json.dumps(stored)) == new
    assert "--no-bidirectional" not in arguments(RunConfig.from_json(json.dumps(stored)))


def test_runs_of_pictures_are_equal_whatever_pooling_was_given_and_never_name_it() -> None:
    given = ModelConfig(bidirectional=False, pooling="last")
    config = RunConfig(data=DataConfig(name="digits"), model=given)
    assert config == RunConfig(data=DataConfig(name="digits"))
    assert arguments(config) == ["--data=digits"]
    assert arguments(RunConfig(model=given)) == ["--data=storybook", "--no-bidirectional", "--pooling=last"]
