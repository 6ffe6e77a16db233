"""A selection as a table for other programs."""

import csv
import io
from collections.abc import Sequence

from pages.shared.map import cache as map_cache
from pages.shared.map.panels import Chart

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table_of(chart: Chart, rows: Sequence[int]) -> bytes:
    """CSV in UTF-8: example, label, KL and distortion (nats), place on the map, mean and std of every dimension."""
    encoded, mapped = chart.encoded, map_cache.mapped(chart.run)
    dimensions = range(encoded.mean.shape[1])
    axes = ("x", "y", "z")[: chart.points.shape[1]]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        ["example", "label", "kl_nats", "distortion_nats", *(f"map_{axis}" for axis in axes)]
        + [f"mean_{d}" for d in dimensions]
        + [f"std_{d}" for d in dimensions]
    )
    for row in rows:
        label = int(encoded.labels[row])
        numbers = [*chart.points[row].tolist(), *encoded.mean[row].tolist(), *encoded.std[row].tolist()]
        writer.writerow(
            [row, _harmless(encoded.label_names[label]) if 0 <= label < len(encoded.label_names) else ""]
            + [f"{float(encoded.kl[row].sum()):.6g}", "" if mapped is None else f"{float(mapped.distortion[row]):.6g}"]
            + [f"{value:.6g}" for value in numbers]
        )
    return file.getvalue().encode()


def _harmless(name: str) -> str:
    """A name that a spreadsheet would take for a formula, as text: it may come from a stranger's data."""
    return f"'{name}" if name.startswith(FORMULA) else name
