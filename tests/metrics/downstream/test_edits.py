"""Edits of planted codes, whose decoder is a rule: what an edit changes is counted by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from bnvae.config.schema import DataConfig, ModelConfig
from bnvae.data import load_dataset
from bnvae.metrics.downstream.edits import EDITED_CAUSES, Edits, Read, edits, edits_of_codes
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import recompute_statistics

VALUES = 4


def causes(count: int, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randint(VALUES, (count,), generator=generator) for name in ("who", "place")}


def one_hot(of: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([torch.nn.functional.one_hot(values, VALUES) for values in of.values()], 1).float()


def likeliest(codes: Tensor) -> Sequence[Mapping[str, int]]:
    """A decoder that reads both causes from parts of the code of their own."""
    who, place = codes[:, :VALUES].argmax(1), codes[:, VALUES:].argmax(1)
    return [{"who": int(a), "place": int(b)} for a, b in zip(who, place, strict=True)]


def of_codes(codes: Tensor, read: Read = likeliest, **options: Any) -> Edits:
    return edits_of_codes(
        codes,
        causes(400, 0),
        one_hot(causes(2_000, 1)),
        causes(2_000, 1),
        read,
        **options,
    )


def test_a_code_with_a_place_for_each_cause_changes_what_was_asked_for_and_nothing_else() -> None:
    found = of_codes(one_hot(causes(400, 0)))
    assert (found.all.took, found.all.took_before, found.all.others_changed) == (1, 0, 0)
    assert found.all.sentences == 400
    assert set(found.causes) == {"who", "place"}


def test_a_decoder_that_ignores_its_code_changes_nothing_and_takes_by_chance() -> None:
    found = of_codes(one_hot(causes(400, 0)), lambda codes: [{"who": 2, "place": 3}] * len(codes))
    own = causes(400, 0)["who"]
    # Asked for a value other than the own one at random: 1 in 3 of those whose own is not the one that is always told.
    assert found.causes["who"].took == pytest.approx((own != 2).double().mean().item() / 3, abs=0.07)
    assert found.causes["who"].took == found.causes["who"].took_before
    assert found.all.others_changed == 0


def test_a_decoder_that_confounds_two_causes_is_seen_by_what_else_changes() -> None:
    def confounded(codes: Tensor) -> Sequence[Mapping[str, int]]:
        return [{"who": one["who"], "place": one["who"]} for one in likeliest(codes)]

    found = of_codes(one_hot(causes(400, 0)), confounded)
    assert (found.causes["who"].took, found.causes["who"].others_changed) == (1, 1)
    assert found.causes["place"].others_changed == 0
    assert found.all.others_changed == pytest.approx(0.5)


def test_a_cause_that_follows_is_not_counted_and_one_that_is_lost_is() -> None:
    def forgetful(codes: Tensor) -> Sequence[Mapping[str, int]]:
        told = [dict(one) for one in likeliest(codes)]
        for one, code in zip(told, codes, strict=True):
            if float(code.sum()) > 2.5:
                del one["place"]
        return told

    codes = one_hot(causes(400, 0))
    training = one_hot(causes(2_000, 1))
    training[:, 0] += causes(2_000, 1)["who"]  # towards a larger "who" the code grows, and the place gets lost
    arguments = (causes(400, 0), training, causes(2_000, 1), forgetful)
    lost = edits_of_codes(codes, *arguments).causes["who"].others_changed
    assert 0.3 < lost < 0.7
    assert edits_of_codes(codes, *arguments, follows={"who": ["place"]}).causes["who"].others_changed == 0


def test_a_value_that_is_never_wanted_is_neither_left_nor_reached() -> None:
    found = of_codes(one_hot(causes(400, 0)), never={"place": 3})
    assert found.causes["place"].sentences == int((causes(400, 0)["place"] != 3).sum())
    assert found.all.sentences == 400


def test_errors_over_sentences_are_those_of_a_share() -> None:
    found = of_codes(one_hot(causes(400, 0)), lambda codes: [{"who": 2, "place": 3}] * len(codes)).causes["who"]
    assert found.took_standard_error == pytest.approx((found.took * (1 - found.took) / 399) ** 0.5)


def test_causes_that_never_differ_leave_nothing_to_change() -> None:
    same = {"who": torch.zeros(50, dtype=torch.long)}
    with pytest.raises(ValueError, match="each has one value, so there is nothing to change"):
        edits_of_codes(torch.zeros(50, 8), same, torch.zeros(50, 8), same, likeliest)


def test_sentences_of_an_untrained_model_take_no_edit_but_by_chance() -> None:
    dataset = load_dataset(DataConfig(name="storybook", training_examples=300))
    config = ModelConfig(head="gaussian", latent_dimensions=4, hidden_units=8, embedding_units=4)
    model = VAE.build("lstm", config, dataset.shape, seed=0)
    recompute_statistics(model, dataset.training.examples)
    found = edits(model, dataset)
    assert set(found.causes) == set(EDITED_CAUSES)
    assert found.all.took == pytest.approx(found.all.took_before, abs=0.05)


def test_only_data_whose_words_tell_causes_can_be_edited() -> None:
    dataset = load_dataset(DataConfig(name="digits"))
    model = VAE.build("mlp", ModelConfig(latent_dimensions=4), dataset.shape, seed=0)
    with pytest.raises(ValueError, match="data is 'digits': causes can be read from the sentences of 'storybook' only"):
        edits(model, dataset)
