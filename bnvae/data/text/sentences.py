"""Sentences of any origin, before they are tokens, and their way to a data set."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from tokenizers import Tokenizer

from bnvae.config.schema import DataConfig
from bnvae.data.dataset import Dataset, Split, TextShape
from bnvae.data.text.vocabulary import encode, train_tokenizer


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """The lines of one split."""

    lines: Sequence[str]
    labels: Sequence[int]
    """index into `Corpus.label_names`; -1 where unlabelled"""
    factors: dict[str, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A text data set before it is tokens."""

    training: Sentences
    validation: Sentences | None = None
    """None where none are held back for it"""
    test: Sentences
    label_names: tuple[str, ...] = ()
    factor_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    note: str = ""
    """what was left out of it, in words"""


def tokenised(corpus: Corpus, config: DataConfig, *, tokenizer: Tokenizer | None) -> Dataset:
    """The corpus as rows of token ids, all of one length.

    Without a tokenizer one is trained, on the training lines alone: a word that only the others have is unknown.
    """
    if tokenizer is None:
        tokenizer = train_tokenizer(corpus.training.lines, config.tokenizer, config.vocabulary_size)
    # Validation lines last: without them the rows are as wide as they were in earlier versions.
    parts = [corpus.training, corpus.test, *([corpus.validation] if corpus.validation else [])]
    rows = encode(tokenizer, [line for part in parts for line in part.lines], config.max_tokens)
    cut = torch.split(rows, [len(part.lines) for part in parts])
    training, test, *held = (_split(part, own.clone()) for part, own in zip(parts, cut, strict=True))
    return Dataset(
        name=config.name,
        shape=TextShape(vocabulary_size=tokenizer.get_vocab_size(), max_tokens=rows.shape[1]),
        training=training,
        validation=held[0] if held else test,
        test=test,
        label_names=corpus.label_names,
        factor_names=corpus.factor_names,
        tokenizer=tokenizer,
        note=corpus.note,
    )


def _split(sentences: Sentences, rows: torch.Tensor) -> Split:
    return Split(
        examples=rows,
        labels=torch.tensor(sentences.labels, dtype=torch.int64),
        factors={name: torch.tensor(values, dtype=torch.int64) for name, values in sentences.factors.items()},
    )
