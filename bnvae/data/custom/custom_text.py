"""A user's own sentences: a .txt with one a line, or a column of a .csv, .tsv or .jsonl; one file or one a split."""

import csv
import io
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bnvae.config.schema import DataConfig
from bnvae.data.custom.overlap import check_labels, kept_apart
from bnvae.data.custom.text_columns import LOOKED_AT, Columns, find_columns
from bnvae.data.custom.text_files import TextFile, text_files
from bnvae.data.limits import Progress, check_enough, training_count
from bnvae.data.random_subset import split
from bnvae.data.text.sentences import Corpus, Sentences
from bnvae.data.text.vocabulary import LONGEST_LINE

if TYPE_CHECKING:
    from _csv import Reader

MOST_LINES = 5_000_000
MOST_LABELS = 1_000
"""More different labels than this mean that the column holds something else."""

Pairs = list[tuple[str, str]]
"""sentences with their labels"""


def load_own_text(config: DataConfig, progress: Progress) -> Corpus:
    """The sentences at `path` and at the paths of splits; empty ones are left out.

    A split without a file of its own is a seeded share of the training file.

    Raises:
        ValueError: a file or one of its lines is not usable; the message names the line, column or byte.
        DownloadError: a path is an address from which nothing can be downloaded.
    """
    with text_files(config, progress) as files:
        assert files is not None
        progress("reading sentences", 0.0)
        read = _read(files, config)
    pairs, note = _apart(read, config) if len(read) > 1 else (read, "")
    found = pairs["training"]
    check_enough(len(found), path=config.path, what="lines with text")
    training, validation, test = split(
        len(found),
        test_share=0.0 if "test" in pairs else config.test_share,
        validation_share=0.0 if "validation" in pairs else config.validation_share,
        seed=config.seed,
    )
    training = training[: training_count(config, len(training))]  # already in random order
    parts = {
        "validation": [found[row] for row in validation.tolist()],
        "test": [found[row] for row in test.tolist()],
        **pairs,
        "training": [found[row] for row in training.tolist()],
    }
    label_names = _label_names(pairs, config)
    indices = {label: index for index, label in enumerate(label_names)} | {"": -1}
    told = {
        name: Sentences(lines=[line for line, _ in part], labels=[indices[label] for _, label in part])
        for name, part in parts.items()
    }
    return Corpus(
        training=told["training"],
        validation=told["validation"] if parts["validation"] else None,
        test=told["test"],
        label_names=label_names,
        note=note,
    )


def _label_names(pairs: dict[str, Pairs], config: DataConfig) -> tuple[str, ...]:
    names = tuple(sorted({label for part in pairs.values() for _, label in part if label}))
    if len(names) > MOST_LABELS:
        raise ValueError(
            f"label_column is {config.label_column!r}: it has {len(names)} different values, more than "
            f"{MOST_LABELS}; choose a column of categories, or none."
        )
    return names


def _read(files: dict[str, TextFile], config: DataConfig) -> dict[str, Pairs]:
    """The sentences of each file, none of them empty."""
    texts = {name: decoded(file.read(None), file.path, field=file.field) for name, file in files.items()}
    columns = columns_of(texts, files, config)
    found: dict[str, Pairs] = {}
    for name, text in texts.items():
        found[name] = [pair for pair in rows_of(text, files[name], config, columns[name]) if pair[0]]
        if not found[name] and len(texts) > 1:
            raise empty(files[name])
    return found


def empty(file: TextFile) -> ValueError:
    return ValueError(f"{file.field} is {file.path!r}: it holds no line with text; fill the file, or leave it out.")


def columns_of(
    texts: Mapping[str, str], files: Mapping[str, TextFile], config: DataConfig
) -> dict[str, Columns | None]:
    """The columns of the file of each split, None for a file that is no table.

    Raises:
        ValueError: a table lacks a column, or they differ in their columns.
    """
    found: dict[str, Columns | None] = {}
    first: tuple[str, Columns] | None = None
    for name in sorted(texts, key="training".__ne__):  # what the file for training is holds for the others
        found[name] = columns = _columns(texts[name], files[name], config, like=first[1] if first else None)
        if columns is None:
            continue
        first = first or (files[name].path, columns)
        if not columns.equal(first[1]):
            raise ValueError(
                f"{files[name].field} is {files[name].path!r}: it has the columns {columns.words}, and {first[0]!r} "
                f"has {first[1].words}; give all files of the splits the same columns."
            )
    return found


def _apart(pairs: dict[str, Pairs], config: DataConfig) -> tuple[dict[str, Pairs], str]:
    """Without sentences that stand in two files."""
    check_labels({name: [label for _, label in part] for name, part in pairs.items()}, path=config.path)
    lines = {name: [line for line, _ in part] for name, part in pairs.items()}
    kept, note = kept_apart(lines, path=config.path, shown=lines, what="sentences")
    return {name: [part[row] for row in kept[name].tolist()] for name, part in pairs.items()}, note


def rows_of(text: str, file: TextFile, config: DataConfig, columns: Columns | None) -> Iterator[tuple[str, str]]:
    """Sentence and label of each line of a file, also of lines without a sentence."""
    if columns is not None:
        return _table(text, file, config, columns)
    return (_json_lines if file.suffix == ".jsonl" else _plain)(text, file, config)


def decoded(content: bytes, path: str, *, field: str = "path") -> str:
    """Raises ValueError where it is no UTF-8 text, or one of too many lines."""
    where = f"{field} is {path!r}"
    if (at := content.find(b"\0")) >= 0:
        raise ValueError(f"{where}: byte {at} is NUL, so it is no text; save the file as UTF-8 text.")
    if (lines := content.count(b"\n")) > MOST_LINES:
        raise ValueError(f"{where}: it has {lines} lines, more than {MOST_LINES}; give a smaller file.")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{where}: byte {error.start}, on line {line}, is not UTF-8; save the file as UTF-8 text."
        ) from None


def _plain(text: str, file: TextFile, config: DataConfig) -> Iterator[tuple[str, str]]:
    if config.label_column:
        raise ValueError(f"label_column is {config.label_column!r}: a .txt has no columns; leave it empty.")
    for line in io.StringIO(text):  # splits at \n only; str.splitlines would at eight other characters too
        yield _tidy(line), ""


def _table(text: str, file: TextFile, config: DataConfig, columns: Columns) -> Iterator[tuple[str, str]]:
    rows = _rows(text, file, config)
    try:
        if columns.names is not None:
            next(rows)
        for row in rows:
            if not row:
                continue
            if len(row) <= max(columns.text, columns.label or 0):
                raise ValueError(
                    f"{file.field} is {file.path!r}: line {rows.line_num} has {len(row)} cells where the "
                    f"{'first row' if columns.names is None else 'header'} has {columns.count}; complete it, or check "
                    "the quotes before it."
                )
            yield _tidy(row[columns.text]), "" if columns.label is None else row[columns.label].strip()
    except csv.Error as error:
        raise _unreadable(file, rows.line_num, error) from None


def _columns(text: str, file: TextFile, config: DataConfig, *, like: Columns | None) -> Columns | None:
    if file.suffix not in DELIMITERS:
        return None
    rows = _rows(text, file, config)
    try:
        beginning = list(itertools.islice(rows, LOOKED_AT))
    except csv.Error as error:
        raise _unreadable(file, rows.line_num, error) from None
    # A few rows for testing need not have a label twice: where no header is named, all files are as the first.
    if like is not None and like.names is None and beginning and len(beginning[0]) == like.count:
        return like
    return find_columns(beginning, config, tabs=DELIMITERS[file.suffix] == "\t")


def _rows(text: str, file: TextFile, config: DataConfig) -> "Reader":
    """Rows of cells. In a table of tabs without a header quotes are letters like others, as in published ones."""
    delimiter = DELIMITERS[file.suffix]
    header = [cell.strip().strip('"') for cell in text.partition("\n")[0].split(delimiter)]
    plain = delimiter == "\t" and config.column not in header
    lines = io.StringIO(text, newline="")
    if plain:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter)


def _unreadable(file: TextFile, line: int, error: csv.Error) -> ValueError:
    return ValueError(f"{file.field} is {file.path!r}: line {line} cannot be read ({error}); check its quotes.")


def _json_lines(text: str, file: TextFile, config: DataConfig) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        where = f"{file.field} is {file.path!r}: line {number}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{where} is not JSON ({error}); write one object a line.") from None
        if not isinstance(entry, dict):
            raise ValueError(f"{where} is not an object; write one object a line.")
        sentence = entry[_known(entry, config.column, "column", where)]
        if not isinstance(sentence, str):
            raise ValueError(f"{where}: {config.column!r} is not a text; give the sentence in quotes.")
        if "\0" in sentence or any("\ud800" <= letter <= "\udfff" for letter in sentence):
            raise ValueError(f"{where}: {config.column!r} holds a NUL or half a character; take it out.")
        label = entry[_known(entry, config.label_column, "label_column", where)] if config.label_column else ""
        yield _tidy(sentence), _label(label)


def _known(entry: dict[str, object], wanted: str, field: str, where: str) -> str:
    if wanted not in entry:
        raise ValueError(f"{field} is {wanted!r}: {where} has the columns {', '.join(map(repr, list(entry)[:50]))}.")
    return wanted


def _label(value: object) -> str:
    return "" if value is None else str(value).strip().encode(errors="replace").decode()[:200]


def _tidy(line: str) -> str:
    return " ".join(line[:LONGEST_LINE].split())


DELIMITERS = {".csv": ",", ".tsv": "\t"}
