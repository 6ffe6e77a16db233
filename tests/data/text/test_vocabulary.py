import time
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bnvae.config.schema import TokenizerName
from bnvae.data import END, PAD, START, UNKNOWN, decode, encode, train_tokenizer

LINES = ["the fox is calm .", "the fox isn't here , is it ?", "a fox !"]
POEM = ["秦川雄帝宅函谷壯皇居", "綺殿千尋起離宮百雉餘"]
KINDS = get_args(TokenizerName)


def test_a_row_is_start_tokens_end_and_padding() -> None:
    tokenizer = train_tokenizer(["b a", "a"], "words", 8)
    assert encode(tokenizer, ["a b", "a"], 8).tolist() == [[START, 4, 5, END], [START, 4, END, PAD]]


def test_special_tokens_have_the_first_ids_in_every_kind() -> None:
    for kind in KINDS:
        tokenizer = train_tokenizer(LINES, kind, 300)
        assert [tokenizer.id_to_token(index) for index in (PAD, START, END, UNKNOWN)] == [
            "[PAD]",
            "[START]",
            "[END]",
            "□",
        ]


def test_words_keep_their_apostrophes_and_punctuation_stands_alone() -> None:
    tokenizer = train_tokenizer(LINES, "words", 100)
    assert tokenizer.encode("the fox isn't here,is it?!", add_special_tokens=False).tokens == [
        "the", "fox", "isn't", "here", ",", "is", "it", "?", "!",
    ]  # fmt: skip


def test_the_signs_of_a_corpus_that_is_already_split_stay_whole() -> None:
    line = "`` i do n't like bob 's <unk> ... '' she said"
    tokenizer = train_tokenizer([line], "words", 100)
    assert tokenizer.encode(line, add_special_tokens=False).tokens == line.split()


def test_a_sentence_of_tokens_between_blanks_comes_back_as_it_was() -> None:
    tokenizer = train_tokenizer(LINES, "words", 100)
    assert decode(tokenizer, encode(tokenizer, LINES, 64)) == LINES


def test_every_chinese_character_is_a_token() -> None:
    tokenizer = train_tokenizer(POEM, "characters", 1_000)
    rows = encode(tokenizer, POEM, 64)
    assert rows.shape == (2, 12)
    assert decode(tokenizer, rows) == POEM


def test_byte_pairs_can_say_what_they_never_saw() -> None:
    tokenizer = train_tokenizer(LINES, "bpe", 300)
    unseen = "naïve 文 😀 it's"
    assert decode(tokenizer, encode(tokenizer, [unseen], 64)) == [unseen]


def test_an_unknown_word_is_shown_as_a_box() -> None:
    tokenizer = train_tokenizer(LINES, "words", 100)
    assert decode(tokenizer, encode(tokenizer, ["the dragon is calm"], 64)) == ["the □ is calm"]


def test_rare_words_give_way_to_frequent_ones() -> None:
    tokenizer = train_tokenizer(["a a a b b c"], "words", 6)
    assert tokenizer.get_vocab().keys() == {"[PAD]", "[START]", "[END]", "□", "a", "b"}


def test_what_follows_the_first_end_is_not_shown() -> None:
    tokenizer = train_tokenizer(["a b"], "words", 8)
    assert decode(tokenizer, torch.tensor([START, 4, END, 5, END])) == ["a"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_special_token_in_somebodys_text_is_plain_text(kind: TokenizerName) -> None:
    tokenizer = train_tokenizer(["so [END] it is [PAD]"], kind, 300)
    (row,) = encode(tokenizer, ["so [END] it is [PAD]"], 64)
    assert (row == END).sum() == 1
    assert "it" in decode(tokenizer, row)[0]


def test_long_sentences_are_cut_and_still_end() -> None:
    tokenizer = train_tokenizer(["a b c d e f"], "words", 20)
    rows = encode(tokenizer, ["a b c d e f"], 5)
    assert rows.shape == (1, 5)
    assert rows[0, -1] == END
    assert decode(tokenizer, rows) == ["a b c"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("line", ["x" * 100_000, "x " * 50_000, " " * 100_000 + "x", "文" * 100_000])
def test_endless_lines_take_no_time(kind: TokenizerName, line: str) -> None:
    start = time.perf_counter()
    tokenizer = train_tokenizer([line] * 3, kind, 300)
    assert encode(tokenizer, [line] * 3, 64).shape[1] <= 64
    assert time.perf_counter() - start < 3  # 0.05 s on an idle machine


def test_byte_pairs_need_room_for_all_bytes() -> None:
    with pytest.raises(ValueError, match=r"vocabulary_size is 100: .* at least 260"):
        train_tokenizer(LINES, "bpe", 100)


def test_no_lines_are_no_rows() -> None:
    assert encode(train_tokenizer(LINES, "words", 20), [], 8).shape == (0, 2)


def test_the_same_lines_give_the_same_vocabulary() -> None:
    first, second = (train_tokenizer(LINES, "bpe", 300).to_str() for _ in range(2))
    assert first == second


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_characters_lose_nothing_but_blanks(line: str) -> None:
    tokenizer = train_tokenizer([line], "characters", 1_000)
    assert decode(tokenizer, encode(tokenizer, [line], 64)) == [" ".join(line.split())]
