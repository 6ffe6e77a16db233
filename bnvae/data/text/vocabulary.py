"""Vocabularies: how sentences become rows of token ids, and how rows become sentences again."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from bnvae.config.schema import TokenizerName
from bnvae.data.dataset import END, PAD, START, UNKNOWN

SPECIAL_TOKENS = ("[PAD]", "[START]", "[END]", "□")
"""By id. The last one, UNKNOWN, is also how an unknown token is shown."""

LONGEST_LINE = 8_192
"""Of a longer line only the beginning is read: 16 for each of the at most 512 tokens (characters)."""

_WORDS = r"<\w+>|\w+(?:['’\-]\w+)*|'\w+|``|''|\.\.\.|[^\w\s]"
"""Words with inner apostrophes or hyphens (it's, half-done) and single punctuation marks. The signs of corpora that are
already split (<unk>, n't, 's, ``, '') stay whole, so that their published token counts hold."""
_BYTES = 256
_LINES_AT_ONCE = 10_000


def empty_tokenizer(kind: TokenizerName) -> Tokenizer:
    """A tokenizer of this kind that knows nothing but the special tokens."""
    return build_tokenizer(kind, {token: index for index, token in enumerate(SPECIAL_TOKENS)}, [])


def build_tokenizer(kind: TokenizerName, vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    """A tokenizer of this kind with these tokens; only `bpe` has merges."""
    unknown = SPECIAL_TOKENS[UNKNOWN]
    if kind == "bpe":
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token=unknown))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    else:
        tokenizer = Tokenizer(models.WordLevel(vocab=vocabulary, unk_token=unknown))
        if kind == "words":
            tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True)
        else:
            tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
            tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    tokenizer.encode_special_tokens = True  # somebody's line may contain "[END]": there it is plain text
    return tokenizer


def train_tokenizer(lines: Iterable[str], kind: TokenizerName, vocabulary_size: int) -> Tokenizer:
    """A vocabulary of the most frequent tokens of the lines, special tokens included in its size.

    Raises:
        ValueError: `vocabulary_size` has no room for the 256 bytes that every `bpe` vocabulary begins with.
    """
    tokenizer = empty_tokenizer(kind)
    trainer: trainers.BpeTrainer | trainers.WordLevelTrainer
    if kind == "bpe":
        smallest = _BYTES + len(SPECIAL_TOKENS)
        if vocabulary_size < smallest:
            raise ValueError(f"vocabulary_size is {vocabulary_size}: tokenizer 'bpe' needs at least {smallest}.")
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary_size,
            special_tokens=list(SPECIAL_TOKENS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    else:
        trainer = trainers.WordLevelTrainer(
            vocab_size=vocabulary_size, special_tokens=list(SPECIAL_TOKENS), show_progress=False
        )
    tokenizer.train_from_iterator(map(_shortened, lines), trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, lines: Sequence[str], max_tokens: int) -> Int[Tensor, "N L"]:
    """Rows of START, tokens, END, then PAD, int32; L is the longest row's length, at most `max_tokens`."""
    assert max_tokens >= 2
    kept = [ids for chunk in _chunks(lines) for ids in _ids(tokenizer, chunk, most=max_tokens - 2)]
    longest = max(map(len, kept), default=0)
    rows = np.full((len(kept), longest + 2), PAD, dtype=np.int32)
    rows[:, 0] = START
    for row, ids in zip(rows, kept, strict=True):
        row[1 : len(ids) + 1] = ids
        row[len(ids) + 1] = END
    return torch.from_numpy(rows)


def decode(tokenizer: Tokenizer, rows: Int[Tensor, "N L"] | Int[Tensor, "L"]) -> list[str]:
    """One sentence a row, up to its END, without special tokens but for "□" where a token was unknown.

    Words are joined by blanks, characters by nothing, byte-pair pieces as they were split. A single row is a list of
    one sentence.
    """
    table = rows.tolist() if rows.ndim == 2 else [rows.tolist()]
    return [tokenizer.decode(list(_spoken(row)), skip_special_tokens=False) for row in table]


def _ids(tokenizer: Tokenizer, lines: list[str], *, most: int) -> list[np.ndarray[tuple[int], np.dtype[np.int32]]]:
    encodings = tokenizer.encode_batch_fast([_shortened(line) for line in lines], add_special_tokens=False)
    return [np.array(encoding.ids[:most], dtype=np.int32) for encoding in encodings]


def _spoken(row: list[int]) -> Iterator[int]:
    for token in row:
        if token == END:
            return
        if token not in (PAD, START):
            yield token


def _shortened(line: str) -> str:
    """The beginning of a line with its runs of blanks as single blanks."""
    return " ".join(line[:LONGEST_LINE].split())


def _chunks(lines: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(lines), _LINES_AT_ONCE):
        yield list(lines[start : start + _LINES_AT_ONCE])
