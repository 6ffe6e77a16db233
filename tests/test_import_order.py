"""The order of the modules, read from the syntax trees: each imports only from those before it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "bnvae"
MODULES = sorted(PACKAGE.rglob("*.py"))

ORDER = (
    "config",
    "config_help",
    "titles",
    "methods",
    "palette",
    "steering",
    "pacing",
    "tau_features",
    "data",
    "networks",
    "moments",
    "scaler",
    "posterior",
    "objective",
    "diagnosis",
    "model",
    "foreign",
    "device",
    "batches",
    "evaluation",
    "information",
    "records",
    "optimiser",
    "training",
    "analysis",
    "runs",
    "turns",
    "showcase",
    "environment",
    "session",
    "examiner",
    "bringing",
    "sweep",
    "worker",
    "mapping",
    "pulse",
    "launcher",
    "recovery",
    "progress",
    "commands",
    "__main__",
)
BESIDE = {"figures": {"config", "palette", "posterior", "records"}}
"""modules outside the order, and all that they may import"""
OF_THE_ROOT = {"posterior", "moments", "objective", "scaler"}
"""what `import bnvae` offers"""


def part_of(path: Path) -> str:
    """`training` of bnvae/training.py, `runs` of bnvae/runs/store.py, "" of bnvae/__init__.py."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported(path: Path) -> set[str]:
    """Every module that a file names in an import, at its top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative imports hide the order"
            assert node.module is not None
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def parts_imported(path: Path) -> set[str]:
    parts = {name.split(".")[1] for name in imported(path) if name.startswith("bnvae.")}
    return parts & {*ORDER, *BESIDE}


def outside(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def test_every_module_has_its_place() -> None:
    assert {part_of(path) for path in MODULES} - {""} == {*ORDER, *BESIDE}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_import_only_from_those_before_them(path: Path) -> None:
    part, found = part_of(path), parts_imported(path)
    if part == "":
        assert found <= OF_THE_ROOT
    elif part in BESIDE:
        assert found <= BESIDE[part]
    else:
        place = ORDER.index(part)
        assert found <= set(ORDER[: place + 1]), f"{part} may import {', '.join(ORDER[:place])}"


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("streamlit", set()),
        ("plotly", {"figures"}),
        ("matplotlib", {"runs"}),
        ("tensorboard", set()),
        ("umap", {"analysis"}),
        ("rich", {"progress"}),
        ("argparse", {"commands", "__main__"}),
        ("subprocess", {"launcher"}),
        ("pickle", set()),
        ("joblib", set()),
        ("lightning", set()),
    ],
)
def test_a_library_is_used_in_its_one_place(library: str, allowed: set[str]) -> None:
    assert {part_of(path) for path in MODULES if library in outside(path)} <= allowed


def test_umap_and_its_compiler_are_imported_where_they_are_used_and_not_at_the_top() -> None:
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                named = {alias.name.split(".")[0] for alias in node.names}
            else:
                named = {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()
            assert not named & {"umap", "numba"}, f"{path.name} makes every page wait for {named}"


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_reads_pickles(path: Path) -> None:
    for call in calls(path):
        name = ast.unparse(call.func)
        if name == "torch.load" and path.name == "state_dict.py":  # tensors alone, of a user's own file
            assert "weights_only=True" in ast.unparse(call)
            continue
        assert name not in ("torch.load", "torch.save", "joblib.load"), f"{path.name}: {name} pickles"
        if name in ("np.load", "numpy.load"):
            assert "allow_pickle=False" in ast.unparse(call)


WRITES = ("open", "write_text", "write_bytes", "mkdir", "unlink", "rename", "rmtree", "mkdtemp", "mkstemp", "touch")


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if part_of(path) not in ("data", "runs", "turns", "launcher", "worker", "__main__")],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_only_data_and_runs_touch_the_disk(path: Path) -> None:
    touched = [name for call in calls(path) if (name := ast.unparse(call.func).split(".")[-1]) in WRITES]
    assert not touched
