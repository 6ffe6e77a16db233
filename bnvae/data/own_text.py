"""A user's own sentences: a .txt with one a line, or a column of a .csv, .tsv or .jsonl."""

import csv
import io
import json
from collections.abc import Callable, Iterator

from bnvae.config import DataConfig
from bnvae.data.limits import Progress, check_enough, training_count
from bnvae.data.own_file import own_file
from bnvae.data.random_rows import split
from bnvae.data.sentences import Corpus, Sentences
from bnvae.data.vocabulary import LONGEST_LINE

MOST_BYTES = 512 << 20
MOST_LINES = 5_000_000
MOST_LABELS = 1_000
"""More different labels than this mean that the column holds something else."""


def load_own_text(config: DataConfig, progress: Progress) -> Corpus:
    """The sentences at `path`; empty ones are left out.

    Raises:
        ValueError: the file or one of its lines is not usable; the message names the line, column or byte.
        DownloadError: the path is an address from which nothing can be downloaded.
    """
    file = own_file(config.path, suffixes=tuple(READERS), most_bytes=MOST_BYTES, progress=progress)
    progress("reading sentences", 0.0)
    pairs = READERS[file.suffix.lower()](decoded(file.read_bytes(), config.path), config)
    found = [(line, label) for line, label in pairs if line]
    check_enough(len(found), path=config.path, what="lines with text")
    label_names = tuple(sorted({label for _, label in found if label}))
    if len(label_names) > MOST_LABELS:
        raise ValueError(
            f"label_column is {config.label_column!r}: it has {len(label_names)} different values, more than "
            f"{MOST_LABELS}; choose a column of categories, or none."
        )
    indices = {label: index for index, label in enumerate(label_names)} | {"": -1}
    training, validation, test = split(
        len(found), test_share=config.test_share, validation_share=config.validation_share, seed=config.seed
    )
    training = training[: training_count(config, len(training))]  # already in random order

    def sentences(rows: list[int]) -> Sentences:
        return Sentences(lines=[found[row][0] for row in rows], labels=[indices[found[row][1]] for row in rows])

    return Corpus(
        training=sentences(training.tolist()),
        validation=sentences(validation.tolist()) if len(validation) else None,
        test=sentences(test.tolist()),
        label_names=label_names,
    )


def decoded(content: bytes, path: str) -> str:
    """Raises ValueError where it is no UTF-8 text, or one of too many lines."""
    if (at := content.find(b"\0")) >= 0:
        raise ValueError(f"path is {path!r}: byte {at} is NUL, so it is no text; save the file as UTF-8 text.")
    if (lines := content.count(b"\n")) > MOST_LINES:
        raise ValueError(f"path is {path!r}: it has {lines} lines, more than {MOST_LINES}; give a smaller file.")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"path is {path!r}: byte {error.start}, on line {line}, is not UTF-8; save the file as UTF-8 text."
        ) from None


def _plain(text: str, config: DataConfig) -> Iterator[tuple[str, str]]:
    if config.label_column:
        raise ValueError(f"label_column is {config.label_column!r}: a .txt has no columns; leave it empty.")
    for line in io.StringIO(text):  # splits at \n only; str.splitlines would at eight other characters too
        yield _tidy(line), ""


def _comma_separated(text: str, config: DataConfig) -> Iterator[tuple[str, str]]:
    return _table(text, config, delimiter=",")


def _tab_separated(text: str, config: DataConfig) -> Iterator[tuple[str, str]]:
    return _table(text, config, delimiter="\t")


def _table(text: str, config: DataConfig, *, delimiter: str) -> Iterator[tuple[str, str]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(rows, [])]
        text_at = _position(header, config.column, "column")
        label_at = _position(header, config.label_column, "label_column") if config.label_column else None
        for row in rows:
            if not row:
                continue
            if len(row) <= max(text_at, label_at or 0):
                raise ValueError(
                    f"path is {config.path!r}: line {rows.line_num} has {len(row)} cells where the header has "
                    f"{len(header)}; complete it, or check the quotes before it."
                )
            yield _tidy(row[text_at]), "" if label_at is None else row[label_at].strip()
    except csv.Error as error:
        raise ValueError(
            f"path is {config.path!r}: line {rows.line_num} cannot be read ({error}); check its quotes."
        ) from None


def _position(header: list[str], wanted: str, field: str) -> int:
    if wanted not in header:
        raise ValueError(f"{field} is {wanted!r}: the file has the columns {', '.join(map(repr, header[:50]))}.")
    return header.index(wanted)


def _json_lines(text: str, config: DataConfig) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        where = f"path is {config.path!r}: line {number}"
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


READERS: dict[str, Callable[[str, DataConfig], Iterator[tuple[str, str]]]] = {
    ".txt": _plain,
    ".csv": _comma_separated,
    ".tsv": _tab_separated,
    ".jsonl": _json_lines,
}
