"""What is uploaded is known by its kind: an archive of a run, weights with their description, or arrays."""

import io
import json
import zipfile

import pytest
import torch
from safetensors.torch import save

from bnvae.importers import upload
from bnvae.importers.upload import bring_in
from bnvae.runs import RunStore
from bnvae.runs.export.archive import export_run
from tests.importers.foreign_vae import DESCRIPTION, ForeignVAE
from tests.importers.test_arrays import packed

DESCRIBED = json.dumps(DESCRIPTION).encode()


@pytest.fixture(scope="module")
def weights() -> bytes:
    torch.manual_seed(0)
    return save(ForeignVAE().state_dict())


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def test_each_kind_becomes_a_run_under_a_free_name(store: RunStore, weights: bytes) -> None:
    pair = [("My model.safetensors", weights), ("vae.json", DESCRIBED)]

    names = [
        bring_in(store, pair).id,
        bring_in(store, pair[::-1]).id,
        bring_in(store, [("any.zip", zipped(net__safetensors=weights, net__json=DESCRIBED))]).id,
        bring_in(store, [("codes.npz", packed())]).id,
        bring_in(store, [("codes.npz", packed())], "chosen").id,
        bring_in(store, [("codes.zip", export_run(store.get("codes")))]).id,
    ]

    assert names == ["My-model", "My-model-2", "net", "codes", "chosen", "codes-2"]
    assert store.get("net").evaluation() == store.get("My-model").evaluation()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([], "nothing: give one .zip of a run, one .npz"),
        ([("state.pt", b"")], "state.pt: give one .zip"),
        ([("a.safetensors", b"")], "a.safetensors: give one .zip"),
        ([("a.npz", b""), ("b.npz", b"")], "a.npz, b.npz: give one"),
        ([("a.npz", b"PK")], "this is no .npz, or a damaged one"),
        ([("a.zip", b"PK")], "this is no .zip, or a damaged one"),
        ([("a.safetensors", b"x" * 20), ("a.json", DESCRIBED)], "no safetensors"),
        ([("a.safetensors", b""), ("a.json", b"\xff")], "the description is not UTF-8"),
        ([("a.safetensors", b""), ("a.json", b" " * 2**21)], "the description has 2,097,152 bytes"),
        ([("a.zip", zipped(a__txt=b"x"))], "expected one folder with a run's files"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_anything_else_is_refused_and_nothing_is_kept(
    store: RunStore, files: list[tuple[str, bytes]], reason: str
) -> None:
    with pytest.raises(ValueError) as refusal:  # the whole reason is looked at below
        bring_in(store, files)

    assert reason in str(refusal.value)
    assert not store.root.exists() or not store.runs()


def test_what_is_too_large_is_refused_before_it_is_read(
    store: RunStore, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "LARGEST_EXPANDED_BYTES", len(weights))
    with pytest.raises(ValueError, match=r"the \.zip expands to"):
        bring_in(store, [("a.zip", zipped(a__safetensors=weights, a__json=DESCRIBED))])
    monkeypatch.setattr(upload, "LARGEST_ARCHIVE_BYTES", 100)
    with pytest.raises(ValueError, match="at most 100 are taken"):
        bring_in(store, [("a.safetensors", weights), ("a.json", DESCRIBED)])
