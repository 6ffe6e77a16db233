"""Every remedy against collapse on real sentences: what does a used code buy, and what does it cost?

    python -m benchmarks.real_data --data snli --folder DIRECTORY [--seeds 0 1 2] [--rate 6]

`snli`: 10,000 English sentences to learn from, 1,000 others for validation, 1,000 others to measure by, the 2,000 most
frequent words. `tang`: the same numbers of couplets of ten characters, the 2,000 most frequent characters. The rest is
the token "unknown", predicted like any other. The files are read from `snli/` and `tang_couplets/` in BNVAE_DATA.

All methods of `bnvae.config.methods` start from the same encoder and decoder, an LSTM of 64 units with z of 32
dimensions, and see the same batches for as many epochs; nothing is chosen by test figures. Beside them stands the
language model without z (`without_code`). At equal rate: methods with a strength are trained at several of them, and
for each seed their test figures are interpolated to where the validation rate is the one asked for.

A training takes half a minute of processor time and leaves one JSON file in DIRECTORY. Given again, the command makes
what is missing, seed by seed, and prints the tables of all that is there.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import torch

from benchmarks.real_data.tables import publish_at_rate, publish_methods
from benchmarks.real_data.training import EPOCHS, LANGUAGE_MODEL, Case, DataSet, configuration, figures, load
from bnvae.runs.storage.atomic_files import write_json

CASES: tuple[Case, ...] = (
    (LANGUAGE_MODEL, None),
    ("none", 1.0),
    ("rms-scaler", 0.1),
    ("rms-scaler", 0.3),
    ("bn-scaler", 0.1),
    ("bn-scaler", 0.3),
    ("bn-mean", 0.5),
    ("bn-mean", 0.7),
    ("ln-mean", 0.5),
    ("ln-mean", 0.7),
    ("free-bits", 0.1),
    ("free-bits", 0.25),
    ("beta-0.4", 0.4),
    ("beta-0.2", 0.2),
    ("beta-0.2", 0.1),
    ("linear", 1.0),
    ("cyclical", 1.0),
)


def make(data: DataSet, seeds: Iterable[int], folder: Path) -> None:
    """Train and measure what the folder has not yet."""
    names = {
        (seed, case): folder / f"{data}-{seed}-{case[0].replace(' ', '-')}-{case[1]}.json"
        for seed in seeds
        for case in CASES
    }
    missing = {which: path for which, path in names.items() if not path.exists()}
    if not missing:
        return
    dataset = load(data)
    for (seed, case), path in missing.items():
        found = figures(case, configuration(data, seed=seed), dataset)
        write_json(path, dict(found))
        print(json.dumps(found), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=list(EPOCHS), required=True)
    parser.add_argument("--folder", type=Path, required=True, help="one JSON file for each training")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="none: only print what is there")
    parser.add_argument("--rate", type=float, default=6.0, help="at which methods are compared (nats)")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    make(chosen.data, chosen.seeds, chosen.folder)
    made = [json.loads(path.read_text()) for path in sorted(chosen.folder.glob(f"{chosen.data}-*.json"))]
    publish_methods(chosen.data, made, CASES)
    publish_at_rate(chosen.data, made, chosen.rate)


if __name__ == "__main__":
    main()
