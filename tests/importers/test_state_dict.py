"""State dicts of torch.save: tensors alone are read, and nothing is run."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bnvae.importers.state_dict import read_state_dict
from tests.importers.foreign_vae import saved


def test_the_tensors_are_read_also_out_of_a_larger_checkpoint(tmp_path: Path) -> None:
    state = nn.Linear(3, 2).state_dict()
    plain, larger = tmp_path / "state.pt", tmp_path / "checkpoint.ckpt"
    plain.write_bytes(saved(state))
    larger.write_bytes(saved({"epoch": 3, "model": state}))

    assert torch.equal(read_state_dict(plain)["weight"], state["weight"])
    assert set(read_state_dict(larger, "model")) == {"weight", "bias"}
    with pytest.raises(ValueError, match=r"'epoch', 'model' is no tensor.*--entry"):
        read_state_dict(larger)
    with pytest.raises(ValueError, match="entry is 'state_dict': the file holds 'epoch', 'model'"):
        read_state_dict(larger, "state_dict")


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("write", [saved, pickle.dumps], ids=["torch", "pickle"])
def test_code_in_a_file_is_never_run(tmp_path: Path, write: Any) -> None:
    trap, file = tmp_path / "sprung", tmp_path / "state.pt"
    file.write_bytes(write({"weight": Trap(str(trap))}))

    with pytest.raises(ValueError, match=r"cannot be read as tensors alone.*Save it with torch.save"):
        read_state_dict(file)

    assert not trap.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"no checkpoint"], ids=repr)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as tensors alone"):
        read_state_dict(tmp_path / "state.pt")


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(saved(torch.ones(2)))
    with pytest.raises(ValueError, match="it holds no state dict, but Tensor"):
        read_state_dict(tmp_path / "state.pt")
    with pytest.raises(ValueError, match="there is no such file"):
        read_state_dict(tmp_path / "nobody.pt")
