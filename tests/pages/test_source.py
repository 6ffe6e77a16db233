"""What the pages' source must keep: thin, quick to import, and no text from data in markdown or HTML."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.reading import ROOT

PAGES = sorted((ROOT / "pages").glob("*.py"))
SHARED = sorted((ROOT / "pages" / "shared").rglob("*.py"))
INTERPRETED = {"markdown", "caption", "write", "html", "info", "warning", "error", "success", "title", "header",
               "subheader", "toast", "latex", "metric", "expander", "popover"}  # fmt: skip
"""Streamlit functions that read their first argument as markdown or HTML."""
SLOW = ("umap", "sklearn", "torchvision", "scipy", "numba")
OUR_OWN_WORDS = {
    "STYLE",
    "NOTICE_STYLE",
    "verdict_words",
    "ACTIVE_UNITS",
    "forced",
    "_why_not",
    "_too_many_words",
    "label",
    "title",
    "question",
    "absence",
    "counts",
}
"""Names whose text is written in the source, or made of numbers and such text."""


@pytest.mark.parametrize("file", [*PAGES, ROOT / "app.py"], ids=lambda file: file.name)
def test_a_page_is_thin_and_does_no_arithmetic(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 100
    reckoned = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.BinOp)]
    assert all(isinstance(node.op, ast.BitOr) for node in reckoned)  # dictionaries and types are joined by it


@pytest.mark.parametrize("file", [*PAGES, ROOT / "app.py"], ids=lambda file: file.name)
def test_a_page_has_no_words_that_streamlit_would_draw_unasked(file: Path) -> None:
    """A string that stands alone in a page's own file, as under a constant, is shown to the visitor."""
    statements = ast.parse(file.read_text(encoding="utf-8")).body[1:]
    assert not [
        node.lineno for node in statements if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]


@pytest.mark.parametrize("file", [*PAGES, *SHARED], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_only_words_of_the_source_are_read_as_markdown(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in INTERPRETED:
            for argument in node.args[:1]:
                assert _is_ours(argument), f"line {node.lineno}: {ast.unparse(node)}: use st.text"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            assert _is_ours(node.args[1]), (
                f"line {node.lineno}: {ast.unparse(node)}: the words are not ours, give them as the detail"
            )
        for keyword in getattr(node, "keywords", []):
            assert keyword.arg != "unsafe_allow_html", ast.unparse(node)


@pytest.mark.parametrize("file", [*PAGES, *SHARED], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_fragment_is_there_for_its_clock_alone(file: Path) -> None:
    """What can be pressed in one breaks the page where the press meets a run of the whole script."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert "st.fragment" not in [ast.unparse(decorator) for decorator in node.decorator_list], node.name
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "st.fragment":
            assert "run_every" in [keyword.arg for keyword in node.keywords], f"line {node.lineno}"


@pytest.mark.parametrize("file", [*PAGES, *SHARED], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_clock_draws_no_button(file: Path) -> None:
    """Neither itself nor in a function of its file: the page's next run would throw a waiting press away."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    clocks = [
        node.name
        for node in functions.values()
        if any(ast.unparse(decorator).startswith("st.fragment") for decorator in node.decorator_list)
    ]
    for name in clocks:
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called.rpartition(".")[2] not in ("press", "pressed", "button"), f"{name}, line {node.lineno}"
                if called in functions and called not in clocks:
                    clocks.append(called)


@pytest.mark.parametrize("file", [*PAGES, *SHARED], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_a_press_does_hangs_on_no_line_that_may_not_be_come_to(file: Path) -> None:
    """The answer of a button is asked for by `pressed` alone; elsewhere a button stands as a statement of its own."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "button":
            assert id(node) in alone, f"line {node.lineno}: use pressed, or press"


def _is_ours(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.JoinedStr):
        return all(_is_ours(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in OUR_OWN_WORDS
    return isinstance(node, ast.Name) and node.id in OUR_OWN_WORDS


def test_no_page_waits_for_a_slow_import() -> None:
    modules = ", ".join(".".join(file.relative_to(ROOT).with_suffix("").parts) for file in SHARED)
    program = (
        f"import sys, {modules}, bnvae.runs.export.archive\nprint([name for name in {SLOW} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opening_the_pages_imports_nothing_slow(tmp_path: Path) -> None:
    program = """
import sys
from streamlit.testing.v1 import AppTest
for name in ("app.py", "pages/overview.py", "pages/train.py", "pages/samples.py", "pages/runs.py"):
    assert not AppTest.from_file(name, default_timeout=60).run().exception
print([name for name in ("umap", "sklearn", "torchvision") if name in sys.modules])
"""
    environment = {"BNVAE_CHECKPOINTS": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"
