"""The layout of the package, read from the syntax trees: which folder may import which, and what stands in one."""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "bnvae"
MODULES = sorted(PACKAGE.rglob("*.py"))

ORDER = (
    "config",
    "data",
    "nn",
    "training",
    "metrics",
    "latent",
    "comparison",
    "plotting",
    "runs",
    "jobs",
    "importers",
    "cli",
    "__main__",
)
"""The folders of the package: each imports from itself and from those before it."""
OF_THE_ROOT = {"nn"}
"""what `import bnvae` offers"""
MOST_CHILDREN = 12


def part_of(path: Path) -> str:
    """`runs` of bnvae/runs/store.py, `__main__` of bnvae/__main__.py, "" of bnvae/__init__.py."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def place_of(path: Path) -> str:
    """A module's path below the package without its ending, as `nn/foreign/network`."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path) for path in MODULES}


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
    return parts & {*ORDER}


def outside(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def edges(names: set[str], own: str) -> set[str]:
    """The package's modules that are really meant: `a.b` of `from a import b` where b is a module, else `a`."""
    meant = {name for name in names if name in NAMES}
    packages = {name for name in meant if any(other.startswith(f"{name}.") for other in meant)}
    return meant - packages - {own}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Nodes that import each other in a circle; empty if there are none."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            if found := walk(other, [*path, node]):
                return found
        done.add(node)
        return []

    return next((found for node in sorted(graph) if (found := walk(node, []))), [])


def test_every_folder_has_its_place_in_the_order() -> None:
    assert {part_of(path) for path in MODULES} - {""} == {*ORDER}


@pytest.mark.parametrize("path", MODULES, ids=place_of)
def test_modules_import_only_from_folders_before_them(path: Path) -> None:
    part, found = part_of(path), parts_imported(path)
    if part == "":
        assert found <= OF_THE_ROOT
    else:
        place = ORDER.index(part)
        assert found <= set(ORDER[: place + 1]), f"{part} may import {', '.join(ORDER[:place])}"


def test_no_files_import_each_other_in_a_circle() -> None:
    assert not circle({module_name(path): edges(imported(path), module_name(path)) for path in MODULES})


def test_no_folders_within_a_folder_import_each_other_in_a_circle() -> None:
    """In `runs/`, say, `storage` comes before `progress`; a file beside the folders counts as one of them."""
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        own = module_name(path)
        if path.name == "__init__.py":
            continue  # a folder's `__init__` may offer what stands anywhere in it
        for other in edges(imported(path), own):
            mine, theirs = own.split(".")[:3], other.split(".")[:3]
            if mine[1] == theirs[1] and mine != theirs and len(theirs) == 3:
                graph.setdefault(".".join(mine), set()).add(".".join(theirs))
    assert not circle(graph)


def test_the_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c", "a"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in MODULES}), ids=lambda folder: str(folder.relative_to(ROOT))
)
def test_a_folder_can_be_read_at_one_glance(folder: Path) -> None:
    children = [
        child.name
        for child in folder.iterdir()
        if child.name not in ("__init__.py", "__main__.py", "__pycache__", "py.typed")
    ]
    assert len(children) <= MOST_CHILDREN, ", ".join(sorted(children))


def test_every_folder_says_in_one_line_what_it_is_for() -> None:
    for folder in {path.parent for path in MODULES}:
        words = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
        assert words, f"{folder.relative_to(ROOT)}/__init__.py has no docstring"


def test_no_two_modules_have_one_name() -> None:
    """A name says where to look."""
    names = Counter(path.stem for path in MODULES if path.name != "__init__.py")
    assert not [name for name, count in names.items() if count > 1]


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("streamlit", set()),
        ("plotly", {"plotting/plotly_figures"}),
        ("matplotlib", {"plotting/print_figures", "runs/export/model_card"}),
        ("tensorboard", set()),
        (
            "umap",
            {"latent/projection/fit_projection", "latent/projection/fuzzy_graph", "latent/projection/umap_layout"},
        ),
        ("rich", {"cli/terminal/progress"}),
        ("subprocess", {"jobs/launch"}),
        ("pickle", set()),
        ("joblib", set()),
        ("lightning", set()),
    ],
)
def test_a_library_is_used_in_its_one_place(library: str, allowed: set[str]) -> None:
    assert {place_of(path) for path in MODULES if library in outside(path)} <= allowed


def test_the_command_line_alone_parses_arguments() -> None:
    assert {part_of(path) for path in MODULES if "argparse" in outside(path)} <= {"cli", "__main__"}


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


@pytest.mark.parametrize("path", MODULES, ids=place_of)
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
WRITING_JOBS = ("jobs/heartbeat", "jobs/waiting_line", "jobs/launch", "jobs/train_runs")
"""the sign of life, tickets of the waiting line, pid and log of a process, and the run's own files"""


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in MODULES
        if part_of(path) not in ("data", "runs", "__main__") and place_of(path) not in WRITING_JOBS
    ],
    ids=place_of,
)
def test_only_data_and_runs_touch_the_disk(path: Path) -> None:
    touched = [name for call in calls(path) if (name := ast.unparse(call.func).split(".")[-1]) in WRITES]
    assert not touched
