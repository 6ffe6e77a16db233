"""The races that are bundled: played without a training, so their runs have to be there and comparable."""

import dataclasses

import pytest

from bnvae.config.schema import ModelConfig
from bnvae.runs import RunStore
from pages.shared.train.lessons import RECORDED
from tests.pages.reading import ROOT


@pytest.mark.parametrize("ids", RECORDED.values(), ids=len)
def test_runs_of_a_recorded_race_differ_in_their_head_alone_and_have_a_history(ids: tuple[str, ...]) -> None:
    runs = [RunStore(ROOT / "checkpoints").get(run_id) for run_id in ids]
    of_head = {name: getattr(ModelConfig(), name) for name in ("head", "tau", "gamma")}
    same = {
        dataclasses.replace(run.config, model=dataclasses.replace(run.config.model, **of_head)).to_json()
        for run in runs
    }
    assert len(same) == 1
    assert len({run.config.model.head for run in runs}) == len(runs)
    assert {run.history().steps[-1].step for run in runs} == {5_000}


def test_all_five_heads_are_in_a_recorded_race() -> None:
    store = RunStore(ROOT / "checkpoints")
    heads = {store.get(run_id).config.model.head for ids in RECORDED.values() for run_id in ids}
    assert heads == {"gaussian", "bn-mean", "ln-mean", "bn-scaler", "rms-scaler"}
