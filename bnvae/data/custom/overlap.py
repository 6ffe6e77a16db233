"""Examples that stand in two of a user's own files: a few are dropped from the split that is seen first."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

MOST_SHARED = 0.1
"""of the examples of a split held back (fraction): above it the files are not splits of one data set

Corpora repeat themselves: of SNLI's 10,000 test sentences 3 stand among as many validation sentences, of MNIST's test
pictures none among those for training. A file that was given twice, or that holds another one, shares all of it.
"""
_LAST_SEEN = ("test", "validation", "training")
_SHOWN_LETTERS = 60


def kept_apart(
    keys: Mapping[str, Sequence[Hashable]], *, path: str, shown: Mapping[str, Sequence[str]], what: str
) -> tuple[dict[str, NDArray[np.int64]], str]:
    """The rows of each split that are kept, and a note on those that are not; examples with equal keys are the same.

    What is tested is neither validated nor trained on, what is validated is not trained on: the repeated example stays
    in the split that is looked at last, so that a published test file is tested whole.

    Raises:
        ValueError: two splits have too many examples in common; the message says how many, and shows one.
    """
    kept, notes = {}, []
    later: dict[str, set[Hashable]] = {}
    for split in (one for one in _LAST_SEEN if one in keys):
        for other, held in later.items():
            again = [row for row, key in enumerate(keys[split]) if key in held]
            shared = {keys[split][row] for row in again}
            if len(shared) > MOST_SHARED * len(held):
                raise ValueError(
                    f"path is {path!r}: {len(shared):,} of the {len(held):,} different {what} for {other} stand among "
                    f"those for {split} too, as {shown[split][again[0]][:_SHOWN_LETTERS]!r}; give files of different "
                    f"{what} (up to {MOST_SHARED:.0%} are dropped from {split})."
                )
        held_back = set().union(*later.values())
        rows = [row for row, key in enumerate(keys[split]) if key not in held_back]
        kept[split] = np.array(rows, dtype=np.int64)
        if dropped := len(keys[split]) - len(rows):
            notes.append(f"{dropped:,} {what} for {split} are left out, as they stand among those held back too.")
        later[split] = set(keys[split])
    return kept, " ".join(notes)


def check_labels(labels: Mapping[str, Sequence[str]], *, path: str) -> None:
    """Refuses labels of held-back examples that no training example has; an empty one is no label.

    Raises:
        ValueError: there are such labels; the message names one of them.
    """
    trained = {label for label in labels["training"] if label}
    for split, those in labels.items():
        if unknown := sorted({label for label in those if label} - trained):
            known = ", ".join(map(repr, sorted(trained)[:10])) or "none"
            raise ValueError(
                f"path is {path!r}: label {unknown[0][:_SHOWN_LETTERS]!r}"
                + (f" and {len(unknown) - 1} more" if len(unknown) > 1 else "")
                + f" for {split} is not among the labels for training ({known}); give splits of the same labels."
            )
