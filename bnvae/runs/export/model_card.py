"""A reproduction card: all that somebody needs to repeat a run and to quote it, as one small .zip without weights."""

import csv
import dataclasses
import io
import json
import shlex
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bnvae.comparison.table_export import csv_text, latex_text
from bnvae.config.help_texts import arguments
from bnvae.config.schema import RunConfig
from bnvae.metrics.figures.figure_values import number
from bnvae.nn.posterior import fixed_floors
from bnvae.plotting.palette import DISTORTION_COLOUR, HEAD_COLOURS, RATE_COLOUR
from bnvae.plotting.print_figures import INK, Line, as_png, as_svg, bars_figure, lines_figure
from bnvae.runs.evaluation_state import kept_thorough, weights_digest
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError, read_json
from bnvae.training.records import EvaluationRecord, StepRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COPIED = (
    "config.json",
    "data.json",
    "description.json",
    "environment.json",
    "steering.json",
    "origin.json",
    "evaluation.json",
)
EPOCH = (1980, 1, 1, 0, 0, 0)
"""the same run gives the same bytes"""
PAPERS = {
    "gaussian": ("kingma2014", "Auto-Encoding Variational Bayes", "Kingma, Diederik P. and Welling, Max", "2014",
                 "arXiv:1312.6114"),
    "bn-mean": ("zhu2020", "A Batch Normalized Inference Network Keeps the KL Vanishing Away",
                "Zhu, Qile and Bi, Wei and Liu, Xiaojiang and Ma, Xiyao and Li, Xiaolin and Wu, Dapeng", "2020",
                "arXiv:2004.12585"),
    "su": ("su2020", "Variational autoencoders (5): VAE + BN = a better VAE (in Chinese)", "Su, Jianlin", "2020",
           "kexue.fm/archives/7381"),
}  # fmt: skip
PAPER_OF = {"gaussian": "gaussian", "bn-mean": "bn-mean"}
"""other heads are quoted by the article that they come from"""


TRAINED = "To repeat it, with the versions in environment.json"
BROUGHT = "It was trained elsewhere. Its archive, which python -m bnvae export writes, is taken in again by"


def reproduction_card(run: Run) -> bytes:
    """The card as the bytes of a .zip with one folder.

    Raises:
        ValueError: the run is broken, or has not begun.
    """
    parts = dict(_parts(run))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(parts.items()):
            entry = zipfile.ZipInfo(f"{run.id}-card/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def command_line(run_id: str, config: RunConfig) -> str:
    """What a terminal has to be told to train the run again: every setting that is not the default.

    What was trained elsewhere can only be brought in again.
    """
    if config.is_brought:
        return shlex.join(["python", "-m", "bnvae", "import", f"{run_id}.zip"])
    return shlex.join(["python", "-m", "bnvae", "train", *arguments(config), "--run", run_id])


def _parts(run: Run) -> Iterator[tuple[str, str | bytes]]:
    config, card, history = run.config, run.card, run.history()
    for name in COPIED:
        path = run.folder / name
        if path.is_file() and not path.is_symlink():
            yield name, json.dumps(read_json(path), indent=1, ensure_ascii=False) + "\n"
    digest = weights_digest(run) if run.has_weights else ""
    evaluation, thorough = run.evaluation() or {}, kept_thorough(run) if digest else None
    command = command_line(run.id, config)
    yield "command.txt", command + "\n"
    yield "numbers.csv", _numbers(evaluation, thorough)
    yield "history.csv", _history(history.steps)
    yield "evaluations.csv", _evaluations(history.evaluations)
    yield "citation.bib", _citation(run, config, digest)
    yield "README.md", _read_me(run, command, card.digest, digest)
    yield from _figures(run, config, evaluation, history.steps)


def _numbers(evaluation: dict[str, Any], thorough: dict[str, Any] | None) -> str:
    rows = [("figure", "of", "value")]
    for split in ("test", "validation", "training"):
        rows += [(name, split, value) for name, value in _flat(evaluation.get(split) or {})]
    rows += [(name, "test, thorough", value) for name, value in _flat(thorough or {})]
    return _csv(rows)


def _flat(figures: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Every number with its path."""
    if isinstance(figures, dict):
        for name, value in figures.items():
            yield from _flat(value, f"{where}.{name}" if where else str(name))
    elif isinstance(figures, list):
        for index, value in enumerate(figures):
            yield from _flat(value, f"{where}[{index}]")
    elif figures is not None:
        yield where, str(figures)


def _history(steps: list[StepRecord]) -> str:
    head = ("step", "epoch", "loss", "kl_weight", "distortion", "rate", "active_units")
    return _csv([head, *(tuple(str(getattr(record, name)) for name in head) for record in steps)])


def _evaluations(evaluations: list[EvaluationRecord]) -> str:
    """A row for each evaluation; what older ones did not take is left empty."""
    shared = ("step", "epoch", "distortion", "rate", "active_units", "examples")
    told = (each.name for each in dataclasses.fields(EvaluationRecord) if each.name.startswith(("mutual", "permuted")))
    head = (*shared, *told)
    found = [[getattr(record, name) for name in head] for record in evaluations]
    return _csv([head, *(["" if value is None else str(value) for value in row] for row in found)])


def _csv(rows: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([csv_text(cell) if not _is_number(cell) else cell for cell in row] for row in rows)
    return buffer.getvalue()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _citation(run: Run, config: RunConfig, digest: str) -> str:
    try:
        version = str(read_json(run.folder / "environment.json").get("bnvae", ""))
    except BrokenRunError:
        version = ""
    key, title, author, year, where = PAPERS[PAPER_OF.get(config.model.head, "su")]
    note = latex_text(f"run {run.id}, seed {config.training.seed}, weights sha256 {digest or 'none'}")
    return (
        f"@software{{bnvae,\n  title = {{bnvae: latent spaces with and without collapse}},\n"
        f"  version = {{{latex_text(version)}}},\n  note = {{{note}}}\n}}\n\n"
        f"@misc{{{key},\n  title = {{{title}}},\n  author = {{{author}}},\n  year = {{{year}}},\n"
        f"  howpublished = {{{where}}}\n}}\n"
    )


def _read_me(run: Run, command: str, data: str, weights: str) -> str:
    changes = "It was changed while it trained: steering.json has each change and its step.\n\n"
    return (
        f"# Run {run.id}\n\n"
        f"{BROUGHT if run.is_brought else TRAINED}:\n\n    {command}\n\n"
        + (changes if run.desk.changes() else "")
        + f"- data: sha256 {data} (examples, labels, vocabulary)\n"
        + f"- weights: sha256 {weights or 'none yet'}\n"
        + "- numbers.csv: every figure, in nats per example unless its name says otherwise\n"
        + "- history.csv: means over training batches, nats per example\n"
        + f"- evaluations.csv: means over {run.card.watched} examples during training, nats per example\n"
        + "- evaluation.json: the same figures as the program reads them\n"
        + "- figures/: vector graphics, and pictures of the same\n\n"
        + "Equal configurations on equal machines and versions give equal bytes; elsewhere expect equal figures within "
        + "the spread of seeds.\n"
    )


def _figures(
    run: Run, config: RunConfig, evaluation: dict[str, Any], steps: list[StepRecord]
) -> Iterator[tuple[str, bytes]]:
    for name, figure in _drawn(run, config, evaluation, steps):
        yield f"figures/{name}.svg", as_svg(figure)
        yield f"figures/{name}.png", as_png(figure)


def _drawn(
    run: Run, config: RunConfig, evaluation: dict[str, Any], steps: list[StepRecord]
) -> "Iterator[tuple[str, Figure]]":
    model = config.model
    kl = (evaluation.get("test") or {}).get("kl_per_dimension") or (steps[-1].kl_per_dimension if steps else [])
    tau = number(evaluation, "test", "tau")  # a run may have been steered away from its configuration's
    at = tau if tau is not None and 0 <= tau < 1 else model.tau
    floor = fixed_floors(model.head, model.latent_dimensions, tau=at, gamma=model.gamma)[0]
    if kl and all(isinstance(value, (int, float)) for value in kl):
        yield (
            "kl",
            bars_figure(
                kl,
                title=f"{run.id}: KL of each dimension",
                y_label="KL, nats per example",
                colour=HEAD_COLOURS[model.head],
                floor=floor,
                floor_label=f"floor {floor:.3f} nats",
            ),
        )
    if steps:
        x = [float(record.step) for record in steps]
        yield (
            "elbo",
            lines_figure(
                [
                    Line(name="−ELBO", x=x, y=[-record.elbo for record in steps], colour=INK),
                    Line(name="distortion", x=x, y=[r.distortion for r in steps], colour=DISTORTION_COLOUR),
                    Line(name="rate", x=x, y=[r.rate for r in steps], colour=RATE_COLOUR),
                ],
                title=f"{run.id}: training",
                x_label="step",
                y_label="nats per example",
            ),
        )
