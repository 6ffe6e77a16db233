"""What a data set is called where people read it: a user's own by its file or folder, never by where that lies."""

import re
from pathlib import PureWindowsPath
from urllib.parse import unquote

from bnvae.config import DataConfig, RunConfig

LONGEST_BEGIN, LONGEST_END = 24, 15
"""letters of a long name's two ends that are kept: files of one series differ at the one or the other"""
LONGEST_SHORT = 24
"""letters that a run's name takes from its data: the head behind them should not be cut off"""


def data_title(config: RunConfig) -> str:
    """What a run is of: "mnist", of a user's own data "birds.zip (images)", of arrays their file."""
    data, file = config.data, file_title(config.data.path)
    if not file:
        return data.name
    return file if config.source == "arrays" else f"{file} ({data.name})"


def file_title(path: str) -> str:
    """The last part of a path or address, a long one cut in its middle; empty where it is no file's, or a home's."""
    if "://" in path:
        # By hand: `urlsplit` refuses some, and what stands in a stranger's run has to be called something.
        host_and_path = re.split("[?#]", path.partition("://")[2])[0]
        path = unquote(host_and_path.partition("/")[2])
    # As Windows has it, on any machine: a run may come from another, and its "\\" are no part of a file's name.
    name = PureWindowsPath(path).name
    # Neither what commands a terminal, nor what turns the direction of reading, nor half a letter, which none can show.
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if name.startswith("~") or name in ("", ".", ".."):
        return ""
    return name if len(name) <= LONGEST_BEGIN + LONGEST_END else f"{name[:LONGEST_BEGIN]}…{name[-LONGEST_END:]}"


def short_title(data: DataConfig) -> str:
    """What the names of runs on these data begin with: "mnist", of "birds.zip" "birds"."""
    stem = PureWindowsPath(file_title(data.path)).stem
    # In the letters that every file system has.
    return re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-")[:LONGEST_SHORT].rstrip("-") or data.name
