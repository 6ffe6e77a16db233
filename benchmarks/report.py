"""What every measurement prints: the machine, a Markdown table, and medians with their spread."""

import datetime
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch


def machine() -> str:
    """One line that says where a figure comes from, and how busy that machine was."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{datetime.date.today().isoformat()}: {os.cpu_count()} cores of {_processor()}, Python "
        f"{platform.python_version()}, torch {torch.__version__}, {torch.get_num_threads()} threads{load}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in found.items()}
    return f"{named.get('model name', platform.machine())} (family {named.get('cpu family')}, {named.get('model')})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def publish(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"\n### {title}\n\n{table(header, rows)}\n\n{machine()}\n", flush=True)


def with_spread(values: Sequence[float], unit: str = "", *, digits: int = 3) -> str:
    """Median, and the smallest and largest: `12.1 (11.8 to 13.0) s`."""
    middle, low, high = (f"{value:.{digits}g}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low} to {high}) {unit}".strip()


def thousands(value: float) -> str:
    """Three significant digits with separators: 12345 is 12,300."""
    return f"{float(f'{value:.3g}'):,.0f}"
