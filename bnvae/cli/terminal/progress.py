"""What a terminal shows: a live bar with the KL while training, tables of figures and of runs."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, final

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from bnvae.comparison.columns import Entry, shown_columns
from bnvae.comparison.ranking import marks
from bnvae.comparison.table_export import LEVEL, difference_rows, legend
from bnvae.config.schema import SCALED
from bnvae.metrics.figures.figure_units import UNITS
from bnvae.runs.progress.status import Status
from bnvae.runs.run import Run
from bnvae.training.records import EvaluationRecord, Record

BAR_LEVELS = " ▁▂▃▄▅▆▇█"
WIDEST_BARS = 32
WIDEST_TABLE = 1_000
NUMBERS_WHOLE_FROM = 72
"""columns of a terminal; in a narrower one numbers wrap as well, for there they would push their names out"""
KL_OF_FULL_BAR = 1.0
"""nats at which a dimension's bar is full"""


def kl_sparkline(kl: list[float]) -> str:
    """One character a dimension, from blank (0 nats) to full (1 nat or more); only the first 32 dimensions."""
    top = len(BAR_LEVELS) - 1
    levels = (min(top, max(0, round(value / KL_OF_FULL_BAR * top))) for value in kl[:WIDEST_BARS])
    return "".join(BAR_LEVELS[level] for level in levels) + ("…" if len(kl) > WIDEST_BARS else "")


@final
class NoProgress:
    """Says nothing: for workers, whose words go into the run's folder."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None: ...

    def report(self, run: Run, record: Record, status: Status) -> None: ...


@final
class _TwoLines(Progress):
    """A task's figures in a line below its bar, where 80 columns hold them; what a terminal cannot hold is cut."""

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.tasks:
            yield self.make_tasks_table([task])
            yield Text(f"  {task.description}", no_wrap=True, overflow="ellipsis")


@final
class TerminalProgress:
    """Two lines a run that are rewritten, and one that stays for each evaluation."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._console = Console()
        self._progress = _TwoLines(
            TextColumn("{task.fields[run]}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            console=self._console,
            expand=True,
        )
        self._tasks = {run.id: self._progress.add_task("loading", total=None, run=run.id) for run in runs}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def report(self, run: Run, record: Record, status: Status) -> None:
        dimensions = len(record.kl_per_dimension)
        if isinstance(record, EvaluationRecord):
            self._console.print(
                f"{run.id} step {record.step}: {run.card.watched} −ELBO "
                f"{record.distortion + record.rate:.2f} = distortion {record.distortion:.2f} + rate {record.rate:.2f} "
                f"nats, {record.active_units} of {dimensions} active{_use_of_code(record)}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
        self._progress.update(
            self._tasks[run.id],
            completed=record.step,
            total=status.total_steps or None,
            description=(
                f"−ELBO {record.distortion + record.rate:7.2f}  KL {record.rate:6.2f} nats  "
                f"{record.active_units}/{dimensions} active  {kl_sparkline(record.kl_per_dimension)}"
            ),
        )


def _use_of_code(record: EvaluationRecord) -> str:
    """What an evaluation found of what the code tells, as the end of a line; empty where it was not taken."""
    parts = []
    if record.mutual_information is not None:
        parts.append(
            f"mutual information {record.mutual_information:.2f} of at most {record.most_information or 0:.2f}"
        )
    if record.permuted_rise is not None:
        parts.append(f"rise if z is permuted {record.permuted_rise:.2f} nats")
    return "".join(f", {part}" for part in parts)


@contextmanager
def evaluation_progress(*, hidden: bool) -> Iterator[Callable[[str, float], None]]:
    """A bar on stderr, so that figures on stdout stay alone."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden) as progress:
        task = progress.add_task("loading", total=1.0)

        def report(what: str, share: float) -> None:
            progress.update(task, description=what, completed=share)

        yield report


ERROR = "_standard_error"
"""behind a figure's name: the name of its error"""


def print_evaluation(run_id: str, figures: dict[str, Any], console: Console | None = None) -> None:
    """The figures that are one number with their units, a column a split; then the thorough ones, if there are any.

    Into a file or a pipe goes the table, however wide.
    """
    console = console or Console()
    # Arrays have test examples alone.
    splits = [split for split in ("test", "validation", "training") if figures.get(split)]
    whole = not console.is_terminal or console.width >= NUMBERS_WHOLE_FROM
    quick = {split if len(splits) > 1 else "": figures[split] for split in splits}
    tables = [_figures(run_id, quick, whole=whole)]
    if thorough := figures.get("thorough"):
        tables.append(_figures(f"{run_id}: thorough figures of test examples", {"": thorough}, whole=whole))
    if bought := figures.get("buys"):
        tables.append(_figures(f"{run_id}: what the code buys", {"": bought}, whole=whole))
        tables += [_probes(run_id, probe) for probe in bought["labels_needed"].values()]
    for table in tables:
        _onto(console, table).print(table)


def _onto(console: Console, table: Table) -> Console:
    """The console if it is a terminal; else, for a file or a pipe has no width, one as wide as the table."""
    return console if console.is_terminal else Console(file=console.file, width=_widest(table, console))


def _widest(table: Table, console: Console) -> int:
    """The width (columns) that a table has where nothing in it is wrapped."""
    return Measurement.get(console, console.options.update(max_width=WIDEST_TABLE), table).maximum


def _figures(title: str, columns: dict[str, dict[str, Any]], *, whole: bool) -> Table:
    """A row for each figure that the first column has and that is one number, with its unit."""
    table = Table(box=SIMPLE_HEAD, title=escape(title), title_justify="left")
    for name in ("figure", "unit"):
        table.add_column(name, overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", overflow="fold", no_wrap=whole)
    for name, value in next(iter(columns.values())).items():
        if isinstance(value, (int, float)) and not name.endswith(ERROR):
            cells = (_cell(figures, name) for figures in columns.values())
            table.add_row(name.replace("_", " "), UNITS.get(name, ""), *cells)
    return table


def _probes(run_id: str, probe: dict[str, Any]) -> Table:
    """A row for each number of labels: the accuracies of each kind of input, ± their spread over draws of labels."""
    kinds = {"codes": "one draw of z", "means": "posterior means", "baseline": probe["baseline_input"]}
    title = (
        f"{run_id}: share of test examples whose {probe['factor']} is classified correctly "
        f"(majority {probe['majority']:.3f})"
    )
    table = Table(box=SIMPLE_HEAD, title=escape(title), title_justify="left")
    for name in ("labels", *kinds.values()):
        table.add_column(name, justify="right")
    for place, count in enumerate(probe["labels"]):
        cells = (f"{probe[kind]['accuracy'][place]:.3f} ± {probe[kind]['spread'][place]:.3f}" for kind in kinds)
        table.add_row(f"{count:,}", *cells)
    return table


def _cell(figures: dict[str, Any], name: str) -> str:
    """A figure, its standard error behind ±."""
    value, error = figures.get(name, ""), figures.get(name + ERROR)
    words = f"{value:.4f}" if isinstance(value, float) else str(value)
    return words if error is None else f"{words} ± {error:.4f}"


def print_comparison(entries: Sequence[Entry], console: Console | None = None) -> None:
    """A table of runs beside each other, one of differences from the first, and the sentences that belong to them.

    Raises:
        ValueError: none of the runs has a figure.
    """
    console, columns = console or Console(), shown_columns(entries)
    if not columns:
        raise ValueError(
            f"run is {', '.join(entry.run for entry in entries)}: none of them has been evaluated yet. Evaluate them: "
            f"python -m bnvae evaluate {entries[0].parts[0].run}"
        )
    table = _compared("figures of test examples", [entry.run for entry in entries])
    table.add_row("", "", *(escape(f"{entry.recipe}\n{entry.group}") for entry in entries), end_section=True)
    signs = {"best": "★ ", "level": f"{LEVEL} "}
    for column in columns:
        given = marks(entries, column)
        cells = [f"{signs.get(given.get(entry.run, ''), '')}{entry.written(column)}" for entry in entries]
        table.add_row(column.title, column.unit, *cells)
    _onto(console, table).print(table)
    apart, rows = difference_rows(entries)
    if rows:
        table = _compared("differences", [f"{run}\nminus {first}" for run, first, *_ in rows])
        for place, column in enumerate(apart, start=2):
            table.add_row(column.title, column.unit, *(row[place] for row in rows))
        _onto(console, table).print(table)
    for words in legend(entries, best="★"):
        _print_line(console, words)


def _compared(title: str, runs: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    for name in ("figure", "unit"):
        table.add_column(name, overflow="fold")
    for run in runs:
        table.add_column(escape(run), justify="right", overflow="fold")
    return table


def _head(config: dict[str, Any]) -> str:
    """The head's name, as flags have it; of what was trained elsewhere also that."""
    if config["source"] == "arrays":
        return "posteriors alone"
    head = str(config["model"]["head"])
    return head if config["source"] == "training" else f"{head}, trained elsewhere"


def _tau(model: dict[str, Any]) -> str:
    if model["head"] not in SCALED:
        return ""
    return f"0 to {model['tau_max']:g}" if model["amortised"] else json.dumps(model["tau"])


COLUMNS_OF_RUNS = ("run", "state", "data", "head", "tau", "ELBO", "rate", "active units")


def print_runs(entries: list[dict[str, Any]], console: Console | None = None) -> None:
    """The runs as `worker.describe` gives them: a table where the terminal holds it, else two lines each.

    No name is ever cut; into a file or a pipe goes the table, however wide.
    """
    console = console or Console()
    rows = [_row(entry) for entry in entries if "error" not in entry]
    table = Table(
        box=SIMPLE_HEAD,
        title="runs (figures on test examples; ELBO and rate in nats per example)",
        title_justify="left",
    )
    for name in COLUMNS_OF_RUNS:
        table.add_column(name, justify="right" if name in COLUMNS_OF_RUNS[4:] else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, row))
    if rows and (not console.is_terminal or _widest(table, console) <= console.width):
        _onto(console, table).print(table)
    else:
        for name, *values in rows:
            said = [f"{words} {value}" for words, value in zip(COLUMNS_OF_RUNS[4:], values[3:], strict=True) if value]
            _print_line(console, f"{name}\n  {' · '.join([*values[:3], *said])}")
    for entry in entries:
        if "error" in entry:
            _print_line(console, f"{entry['run']}: broken: {entry['error']}")
        elif entry["status"]["state"] == "failed":
            _print_line(console, f"{entry['run']}: failed: {entry['status']['message']}")
        if "doubt" in entry:
            _print_line(console, f"{entry['run']}: its curves are in doubt: {entry['doubt']}")
    if not entries:
        _print_line(console, "There are no runs yet. Train one: python -m bnvae train --help")


def _row(entry: dict[str, Any]) -> list[str]:
    model, test = entry["config"]["model"], entry.get("test") or {}
    return [
        entry["run"],
        entry["status"]["state"],
        entry["data"],
        _head(entry["config"]),
        _tau(model),
        *(f"{test[name]:.2f}" if isinstance(test.get(name), (int, float)) else "" for name in ("elbo", "rate")),
        str(test.get("active_units", "")),
    ]


def _print_line(console: Console, words: str) -> None:
    console.print(words, soft_wrap=True, markup=False, highlight=False)
