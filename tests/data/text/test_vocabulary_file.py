import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from bnvae.config.schema import TokenizerName
from bnvae.data import decode, encode, tokenizer_from_json, tokenizer_to_json, train_tokenizer

LINES = ["the fox isn't here , is it ?", "文 a fox !"]
KINDS = get_args(TokenizerName)


def _stored(kind: TokenizerName = "words") -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(tokenizer_to_json(train_tokenizer(LINES, kind, 300)))
    return stored


@pytest.mark.parametrize("kind", KINDS)
def test_a_vocabulary_read_back_works_as_before(kind: TokenizerName) -> None:
    tokenizer = train_tokenizer(LINES, kind, 300)
    again = tokenizer_from_json(tokenizer_to_json(tokenizer))
    probe = [*LINES, "[END] the unseen 😀"]
    assert encode(again, probe, 64).tolist() == encode(tokenizer, probe, 64).tolist()
    assert decode(again, encode(again, LINES, 64)) == LINES
    assert tokenizer_to_json(again) == tokenizer_to_json(tokenizer)


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Sets the last of `path` at the place that the others lead to."""
    *parents, name, value = path

    def change(stored: dict[str, Any]) -> None:
        inner: Any = stored
        for parent in parents:
            inner = inner[parent]
        inner[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("model", "type", "Unigram"), "none of the ways"),
        (_set("model", "unk_token", "the"), "none of the ways"),
        (_set("normalizer", {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}), "none of the ways"),
        (_set("pre_tokenizer", "pattern", {"Regex": "(a+)+$"}), "none of the ways"),
        (_set("decoder", {"type": "Fuse"}), "none of the ways"),
        (_set("post_processor", {"type": "ByteLevel"}), "none of the ways"),
        (_set("padding", {"strategy": {"Fixed": 10**12}}), "none of the ways"),
        (_set("added_tokens", []), "none of the ways"),
        (_set("model", "vocab", []), "not a table"),
        (_set("model", "vocab", {"a": 0}), "not a table"),
        (_set("model", "vocab", "the", 10**9), "has id 1000000000"),
        (_set("model", "vocab", "the", -1), "has id -1"),
        (_set("model", "vocab", "the", 1.0), "has id 1.0"),
        (_set("model", "vocab", "the", True), "has id True"),
        (_set("model", "vocab", "the", 5.5), "has id 5.5"),
        (_set("model", "vocab", "the", 0), "each once"),
        (_set("model", None), "no 'model'"),
    ],
)
def test_a_foreign_tokenizer_is_refused(change: Callable[[dict[str, Any]], None], message: str) -> None:
    stored = _stored()
    change(stored)
    with pytest.raises(ValueError, match=message):
        tokenizer_from_json(json.dumps(stored))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "[" * 100_000, '{"model": ' * 50_000])
def test_what_is_no_tokenizer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"tokenizer's file is refused"):
        tokenizer_from_json(text)


def test_a_huge_file_is_refused_unread() -> None:
    with pytest.raises(ValueError, match="more than 20000000"):
        tokenizer_from_json(" " * 20_000_001)


def test_a_huge_vocabulary_is_refused() -> None:
    stored = _stored()
    stored["model"]["vocab"] = {str(index): index for index in range(100_001)}
    with pytest.raises(ValueError, match="100000 tokens"):
        tokenizer_from_json(json.dumps(stored))


def test_special_tokens_must_have_the_first_ids() -> None:
    stored = _stored()
    vocabulary = stored["model"]["vocab"]
    vocabulary["[PAD]"], vocabulary["the"] = vocabulary["the"], vocabulary["[PAD]"]
    with pytest.raises(ValueError, match="first tokens"):
        tokenizer_from_json(json.dumps(stored))


def test_half_a_character_is_no_token() -> None:
    stored = _stored()
    stored["model"]["vocab"]["\ud800"] = len(stored["model"]["vocab"])
    with pytest.raises(ValueError, match="not Unicode"):
        tokenizer_from_json(json.dumps(stored))


def test_a_character_vocabulary_has_single_characters() -> None:
    stored = _stored("characters")
    stored["model"]["vocab"]["ab"] = len(stored["model"]["vocab"])
    with pytest.raises(ValueError, match="one character"):
        tokenizer_from_json(json.dumps(stored))


@pytest.mark.parametrize("merges", [None, [["t"]], [["t", 1]], ["t h"], [["zz", "q"]], [["t", "h"]] * 1_000])
def test_merges_must_be_pairs_of_known_tokens(merges: object) -> None:
    stored = _stored("bpe")
    stored["model"]["merges"] = merges
    with pytest.raises(ValueError, match=r"merge"):
        tokenizer_from_json(json.dumps(stored))
