"""A vocabulary as JSON. What a stranger's file says is checked here; nothing of it reaches the tokenizer unchecked."""

import json
from typing import Any, get_args

from tokenizers import Tokenizer

from bnvae.config.schema import TokenizerName
from bnvae.data.text.vocabulary import SPECIAL_TOKENS, build_tokenizer, empty_tokenizer

LARGEST_FILE = 20_000_000
"""Longer texts are refused before they are parsed (characters)."""
LARGEST_VOCABULARY = 100_000
"""Tokens; the limit of `vocabulary_size`."""

_BEHAVIOUR = ("normalizer", "pre_tokenizer", "decoder", "post_processor", "truncation", "padding", "added_tokens")


def tokenizer_to_json(tokenizer: Tokenizer) -> str:
    """The vocabulary in the format of the `tokenizers` library, as `tokenizer_from_json` accepts it."""
    return str(tokenizer.to_str())


def tokenizer_from_json(text: str) -> Tokenizer:
    """The vocabulary in a text written by `tokenizer_to_json`.

    It is built anew from its tokens and merges; all else in the text must be what this project writes.

    Raises:
        ValueError: the text is not JSON or describes another tokenizer than one of this project's three kinds.
    """
    if len(text) > LARGEST_FILE:
        raise _refused(f"it has {len(text)} characters, more than {LARGEST_FILE}")
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(f"it is not JSON ({error})") from None
    if not isinstance(stored, dict) or not isinstance(stored.get("model"), dict):
        raise _refused("it has no 'model'")
    kind = _kind(stored)
    vocabulary = _vocabulary(stored["model"].get("vocab"), kind)
    merges = _merges(stored["model"].get("merges"), vocabulary) if kind == "bpe" else []
    return build_tokenizer(kind, vocabulary, merges)


def _kind(stored: dict[str, Any]) -> TokenizerName:
    for kind in get_args(TokenizerName):
        ours = json.loads(empty_tokenizer(kind).to_str())
        if all(stored.get(part) == ours[part] for part in _BEHAVIOUR) and _options(stored) == _options(ours):
            return kind  # type: ignore[no-any-return]  # get_args forgets the type
    raise _refused(f"it splits text in none of the ways {', '.join(get_args(TokenizerName))}")


def _options(stored: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stored["model"].items() if name not in ("vocab", "merges")}


def _vocabulary(stored: object, kind: TokenizerName) -> dict[str, int]:
    if not isinstance(stored, dict) or not len(SPECIAL_TOKENS) <= len(stored) <= LARGEST_VOCABULARY:
        raise _refused(f"its vocabulary is not a table of {len(SPECIAL_TOKENS)} to {LARGEST_VOCABULARY} tokens")
    by_id: list[str | None] = [None] * len(stored)
    for token, index in stored.items():
        if type(index) is not int or not 0 <= index < len(by_id) or by_id[index] is not None:
            raise _refused(f"token {token!r} has id {index!r}; ids must be 0 to {len(by_id) - 1}, each once")
        _check_token(token, single=kind == "characters" and index >= len(SPECIAL_TOKENS))
        by_id[index] = token
    if tuple(by_id[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
        raise _refused(f"its first tokens are {by_id[: len(SPECIAL_TOKENS)]}; expected {list(SPECIAL_TOKENS)}")
    return stored


def _check_token(token: str, *, single: bool) -> None:
    try:
        token.encode()
    except UnicodeEncodeError:
        raise _refused(f"token {token!r} is not Unicode text") from None
    if not token or (single and len(token) > 1):
        raise _refused(f"token {token!r} is not {'one character' if single else 'a text'}")


def _merges(stored: object, vocabulary: dict[str, int]) -> list[tuple[str, str]]:
    if not isinstance(stored, list) or len(stored) > len(vocabulary):
        raise _refused("its merges are not a list with at most one merge a token")
    merges = []
    for pair in stored:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(piece, str) for piece in pair)):
            raise _refused(f"merge {pair!r} is not a pair of tokens")
        left, right = pair
        if not {left, right, left + right} <= vocabulary.keys():
            raise _refused(f"merge {pair!r} is of or into a token that the vocabulary lacks")
        merges.append((left, right))
    return merges


def _refused(reason: str) -> ValueError:
    return ValueError(f"the tokenizer's file is refused: {reason}. Use a tokenizer.json written by this project.")
