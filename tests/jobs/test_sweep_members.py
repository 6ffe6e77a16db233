"""A sweep over tau or over methods: which runs it has, how it goes on, what it refuses."""

import dataclasses
import json
from typing import Any

import pytest

from bnvae.config.methods import METHODS, configured
from bnvae.config.schema import RunConfig
from bnvae.jobs.sweep_members import known_members, members, method_configs, method_members, seed_members
from bnvae.runs import RunStore
from bnvae.runs.groups import GROUP, differ_in_tau_alone, group_of, sweep_words


def with_model(config: RunConfig, **changes: Any) -> RunConfig:
    return dataclasses.replace(config, model=dataclasses.replace(config.model, **changes))


def test_a_sweep_has_a_run_for_each_tau_equal_but_for_it(store: RunStore, tiny: RunConfig) -> None:
    made = members(store, "s", tiny, [0.9, 0, 0.3])
    assert [run.id for run in made] == ["s-tau-0", "s-tau-0.3", "s-tau-0.9"]
    assert [run.config for run in made] == [with_model(tiny, tau=tau) for tau in (0, 0.3, 0.9)]
    assert {group_of(run) for run in made} == {"s"}


def test_a_sweep_given_again_has_the_runs_it_had_and_can_grow(store: RunStore, tiny: RunConfig) -> None:
    first = members(store, "s", tiny, [0.3, 0.9])
    marks = [(run.folder / "config.json").stat().st_mtime_ns for run in first]
    again = members(store, "s", tiny, [0.3, 0.5, 0.9])
    assert [run.id for run in again] == ["s-tau-0.3", "s-tau-0.5", "s-tau-0.9"]
    assert [(again[place].folder / "config.json").stat().st_mtime_ns for place in (0, 2)] == marks
    assert [run.id for run in known_members(store, "s")] == [run.id for run in again]


def test_a_sweep_over_pictures_goes_on_whatever_its_files_say_of_sentences(store: RunStore, tiny: RunConfig) -> None:
    (run,) = members(store, "s", tiny, [0.3])
    stored = json.loads((run.folder / "config.json").read_text())
    stored["model"] |= {"bidirectional": False, "pooling": "last"}  # the defaults of earlier versions
    (run.folder / "config.json").write_text(json.dumps(stored))
    assert [each.id for each in members(store, "s", tiny, [0.3, 0.5])] == ["s-tau-0.3", "s-tau-0.5"]


def test_groups_are_listed_in_the_order_of_tau_and_runs_alone_are_in_none(store: RunStore, tiny: RunConfig) -> None:
    members(store, "s", tiny, [0.9, 0.1])
    members(store, "t", tiny, [0.5])
    alone = store.create("alone", tiny)
    assert {group: [run.id for run in runs] for group, runs in store.groups().items()} == {
        "s": ["s-tau-0.1", "s-tau-0.9"],
        "t": ["t-tau-0.5"],
    }
    assert group_of(alone) is None


def test_a_renamed_run_stays_in_its_group(store: RunStore, tiny: RunConfig) -> None:
    members(store, "s", tiny, [0.1, 0.9])
    store.rename("s-tau-0.1", "low")
    assert [run.id for run in store.groups()["s"]] == ["low", "s-tau-0.9"]


@pytest.mark.parametrize("content", ["", "[]", '{"group": 5}', "{}", '{"group": ""}'])
def test_a_damaged_group_is_none(content: str, store: RunStore, tiny: RunConfig) -> None:
    (run,) = members(store, "s", tiny, [0.1])
    (run.folder / GROUP).write_text(content)
    assert group_of(run) is None
    assert store.groups() == {}


def test_a_broken_run_of_a_group_comes_last(store: RunStore, tiny: RunConfig) -> None:
    broken, _ = members(store, "s", tiny, [0.1, 0.9])
    (broken.folder / "config.json").write_text("{")
    assert [run.id for run in store.groups()["s"]] == ["s-tau-0.9", "s-tau-0.1"]


@pytest.mark.parametrize(
    ("changes", "taus", "message"),
    [
        ({"head": "gaussian"}, [0.1], "a sweep needs one tau for each run, and head 'gaussian' has none: choose bn-sc"),
        ({"amortised": True}, [0.1], "a sweep needs one tau for each run, and amortised has none"),
        ({}, [], "tau is missing: give each value once"),
        ({}, [0.1, 0.5, 0.1], "tau is 0.1, 0.5, 0.1: give each value once"),
        ({}, [0.1, 1.0], "tau is 1.0: give 0 <= tau < 1"),
    ],
)
def test_what_is_no_sweep_is_refused_and_nothing_is_made(
    changes: dict[str, Any], taus: list[float], message: str, store: RunStore, tiny: RunConfig
) -> None:
    with pytest.raises(ValueError) as refusal:
        members(store, "s", with_model(tiny, **changes), taus)
    assert message in str(refusal.value)
    assert store.runs() == []


def test_a_run_with_other_settings_in_the_way_is_refused_and_nothing_is_made(store: RunStore, tiny: RunConfig) -> None:
    members(store, "s", tiny, [0.5])
    with pytest.raises(ValueError, match=r"run 's-tau-0.5' is there with other settings"):
        members(store, "s", with_model(tiny, hidden_units=8), [0.1, 0.5])
    store.create("s-tau-0.3", with_model(tiny, tau=0.3))  # equal settings, but of no group
    with pytest.raises(ValueError, match=r"run 's-tau-0.3' is there with other settings"):
        members(store, "s", tiny, [0.1, 0.3])
    assert "s-tau-0.1" not in store


def test_a_sweep_that_was_never_begun_is_refused(store: RunStore) -> None:
    with pytest.raises(ValueError, match="run is 's': there is no sweep of that name"):
        known_members(store, "s")


def test_the_group_is_one_word_in_a_file(store: RunStore, tiny: RunConfig) -> None:
    (run,) = members(store, "s", tiny, [0.1])
    assert json.loads((run.folder / GROUP).read_text()) == {"group": "s"}


def test_a_sweep_over_methods_has_a_run_for_each_in_the_methods_order(store: RunStore, tiny: RunConfig) -> None:
    made = method_members(store, "m", tiny, ["rms-scaler", "none", "linear"])
    assert [run.id for run in made] == ["m-none", "m-linear", "m-rms-scaler"]
    assert [run.config for run in made] == [configured(tiny, name) for name in ("none", "linear", "rms-scaler")]
    assert [run.id for run in known_members(store, "m")] == [run.id for run in made]


def test_a_ladder_has_four_strengths_of_each_method_and_no_run_twice(tiny: RunConfig) -> None:
    """Plain, beta 0.2 and beta 0.4 are places on one ladder: all methods are eight ladders of four rungs.

    One more where the base's gamma or tau is on none: here both are 0.5, which is.
    """
    configs = method_configs("m", tiny, list(METHODS), ladder=True)
    assert len(configs) == 32
    assert len({config.to_json() for config in configs.values()}) == 32
    assert list(configs)[:10] == [f"m-{name}" for name in METHODS]
    assert "m-beta-at-0.7" in configs
    assert "m-beta-at-1" not in configs
    assert "m-beta-at-1" in method_configs("m", tiny, ["beta-0.4"], ladder=True)
    assert configs["m-ln-mean-at-0.7"] == configured(tiny, "ln-mean", 0.7)


def test_a_sweep_over_tau_is_told_from_one_over_methods(store: RunStore, tiny: RunConfig) -> None:
    members(store, "t", tiny, [0.1, 0.9])
    method_members(store, "m", tiny, ["rms-scaler", "bn-scaler"])
    method_members(store, "n", tiny, ["none"])
    assert {group: differ_in_tau_alone(runs) for group, runs in store.groups().items()} == {
        "t": True,
        "m": False,
        "n": False,
    }


def test_a_sweep_over_methods_goes_on_with_its_ladder(store: RunStore, tiny: RunConfig) -> None:
    first = method_members(store, "m", tiny, ["none", "bn-mean"])
    again = method_members(store, "m", tiny, ["none", "bn-mean"], ladder=True)
    assert [run.id for run in again[:2]] == [run.id for run in first]
    assert [run.id for run in known_members(store, "m")] == [
        *("m-none", "m-bn-mean"),
        *("m-bn-mean-at-0.3", "m-bn-mean-at-0.7", "m-bn-mean-at-1"),
        *("m-beta-at-0.2", "m-beta-at-0.4", "m-beta-at-0.7"),
    ]


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ([], "methods is empty: give each of them once, or all"),
        (["none", "none"], "methods is none, none: give each of them once, or all"),
        (["none", "dropout"], "method is 'dropout': choose of none, "),
        (["gaussian/../x"], "method is 'gaussian/../x'"),
    ],
)
def test_a_sweep_over_no_methods_is_refused_and_nothing_is_made(
    methods: list[str], message: str, store: RunStore, tiny: RunConfig
) -> None:
    with pytest.raises(ValueError) as refusal:
        method_members(store, "m", tiny, methods)
    assert message in str(refusal.value)
    assert store.runs() == []


def test_a_name_too_long_for_one_of_its_runs_is_refused_before_any_is_made(store: RunStore, tiny: RunConfig) -> None:
    with pytest.raises(ValueError, match="run is"):
        method_members(store, "n" * 58, tiny, ["none", "bn-mean"])  # n...-none alone would be short enough
    assert store.runs() == []


def with_seed(config: RunConfig, seed: int) -> RunConfig:
    return dataclasses.replace(config, training=dataclasses.replace(config.training, seed=seed))


def test_a_sweep_over_tau_and_seeds_has_a_run_for_each_of_both(store: RunStore, tiny: RunConfig) -> None:
    made = members(store, "s", tiny, [0.9, 0.3], seeds=[1, 0])
    assert [run.id for run in made] == ["s-tau-0.3-seed-0", "s-tau-0.3-seed-1", "s-tau-0.9-seed-0", "s-tau-0.9-seed-1"]
    assert made[1].config == with_seed(with_model(tiny, tau=0.3), 1)
    assert [run.id for run in known_members(store, "s")] == [run.id for run in made]
    assert sweep_words(made) == "one run for each τ and seed"
    assert differ_in_tau_alone(made)


def test_a_sweep_over_seeds_alone_is_none_over_tau(store: RunStore, tiny: RunConfig) -> None:
    made = seed_members(store, "s", tiny, [2, 0, 1])
    assert [run.id for run in made] == ["s-seed-0", "s-seed-1", "s-seed-2"]
    assert [run.config for run in made] == [with_seed(tiny, seed) for seed in (0, 1, 2)]
    assert sweep_words(made) == "one run for each seed"
    assert not differ_in_tau_alone(made)


def test_a_sweep_over_methods_and_seeds_keeps_the_methods_order(store: RunStore, tiny: RunConfig) -> None:
    made = method_members(store, "m", tiny, ["rms-scaler", "none"], seeds=[0, 5])
    wanted = ["m-none-seed-0", "m-none-seed-5", "m-rms-scaler-seed-0", "m-rms-scaler-seed-5"]
    assert [run.id for run in made] == wanted
    assert [run.id for run in known_members(store, "m")] == wanted
    assert sweep_words(made) == "one run for each method and seed"
    assert sweep_words(made[::2]) == "one run for each method"


def test_one_seed_is_a_setting_and_leaves_the_names(store: RunStore, tiny: RunConfig) -> None:
    (run,) = members(store, "s", tiny, [0.3], seeds=[4])
    assert (run.id, run.config.training.seed) == ("s-tau-0.3", 4)


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ([0, 1, 0], "seed is 0, 1, 0: give each value once"),
        ([3], "seed is 3: give at least two"),
        ([], "seed is missing: give at least two"),
        ([0, -1], "seed is -1"),
    ],
)
def test_seeds_named_twice_or_alone_are_refused_and_nothing_is_made(
    seeds: list[int], message: str, store: RunStore, tiny: RunConfig
) -> None:
    with pytest.raises(ValueError) as refusal:
        seed_members(store, "s", tiny, seeds)
    assert message in str(refusal.value)
    if len(set(seeds)) < len(seeds):
        with pytest.raises(ValueError, match="give each value once"):
            members(store, "s", tiny, [0.1], seeds=seeds)
        with pytest.raises(ValueError, match="give each value once"):
            method_members(store, "s", tiny, ["none"], seeds=seeds)
    assert store.runs() == []
