"""What `auto` means on a machine, decided by what it is."""

import dataclasses

import pytest
import torch

from bnvae.config.schema import RunConfig, TrainingConfig
from bnvae.jobs.sweep_members import members
from bnvae.runs import RunStore
from bnvae.runs.branch import fork_run
from bnvae.runs.storage.atomic_files import write_json
from bnvae.training.device import resolve_precision, with_precision

CPU = torch.device("cpu")


def of(monkeypatch: pytest.MonkeyPatch, **capabilities: bool) -> torch.dtype:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    return resolve_precision("auto", CPU)


def test_a_processor_multiplies_in_bf16_only_with_matrix_units(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of(monkeypatch, amx_bf16=True, avx512_bf16=True) == torch.bfloat16
    assert of(monkeypatch, amx_bf16=False, avx512_bf16=True) == torch.float32
    assert of(monkeypatch, bf16=True) == torch.float32
    assert of(monkeypatch) == torch.float32


def test_this_version_of_torch_says_whether_a_processor_has_matrix_units() -> None:
    capabilities = torch.cpu.get_capabilities()
    if capabilities["architecture"] == "x86_64":
        assert isinstance(capabilities["amx_bf16"], bool)


def test_no_clock_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> float:
        raise AssertionError("timed")

    for clock in ("perf_counter", "monotonic", "process_time", "time"):
        monkeypatch.setattr(f"time.{clock}", refuse)
    assert resolve_precision("auto", CPU) in (torch.float32, torch.bfloat16)


@pytest.mark.parametrize(("has_units", "chosen"), [(True, "bf16"), (False, "fp32")])
def test_a_new_run_names_the_precision_that_was_chosen(
    has_units: bool, chosen: str, store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bnvae.training.device.has_bf16_units", lambda device: has_units)
    assert store.create("a", with_auto(tiny)).config.training.precision == chosen


def test_what_was_chosen_by_hand_stays(tiny: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnvae.training.device.has_bf16_units", lambda device: True)
    assert with_precision(tiny.training) == tiny.training


def test_a_device_that_is_not_here_leaves_the_choice_to_the_training() -> None:
    wanted = TrainingConfig(device="cuda" if not torch.cuda.is_available() else "mps")
    assert with_precision(wanted) == wanted


def with_auto(config: RunConfig) -> RunConfig:
    return dataclasses.replace(config, training=dataclasses.replace(config.training, precision="auto"))


@pytest.mark.parametrize("began", ["float32", "bfloat16"])
def test_a_sweep_of_an_earlier_version_knows_its_members(began: str, store: RunStore, tiny: RunConfig) -> None:
    auto = with_auto(tiny)
    (run,) = members(store, "s", auto, [0.5])
    run.folder.joinpath("config.json").write_text(auto.to_json())
    write_json(run.folder / "environment.json", {"precision": began})
    assert [each.id for each in members(store, "s", auto, [0.5])] == [run.id]
    if began == "float32":
        assert [each.id for each in members(store, "s", tiny, [0.5])] == [run.id]
        return
    with pytest.raises(ValueError, match="with other settings"):
        members(store, "s", tiny, [0.5])


def test_a_sweep_that_goes_on_elsewhere_knows_its_members(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = members(store, "s", with_auto(tiny), [0.5])
    assert [each.id for each in members(store, "s", with_auto(tiny), [0.5])] == [run.id]


def test_a_branch_keeps_the_precision_that_its_origin_began_with(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bnvae.jobs.train_runs import train_run

    monkeypatch.setattr("bnvae.training.device.has_bf16_units", lambda device: False)
    run = store.create("a", with_auto(tiny))
    train_run(run)
    run.folder.joinpath("config.json").write_text(with_auto(tiny).to_json())
    monkeypatch.setattr("bnvae.training.device.has_bf16_units", lambda device: True)
    assert fork_run(store, run, "b", {}, more_epochs=1).config.training.precision == "fp32"
