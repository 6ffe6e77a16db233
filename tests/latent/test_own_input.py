"""A visitor's drawing, picture or sentence becomes an example of a run, whatever it is."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from bnvae.config.schema import DataConfig, DataName, TokenizerName
from bnvae.data.dataset import END, START, UNKNOWN, ImageShape
from bnvae.data.text.vocabulary import decode, encode, train_tokenizer
from bnvae.latent.own_input import own_drawing, own_picture, own_sentence

MNIST = ImageShape(channels=1, height=28, width=28)
LINES = ["the fox baked a honey cake at noon .", "the owl read a letter by the river ."]


def of(name: DataName, **fields: bool | TokenizerName) -> DataConfig:
    return DataConfig(name=name, path="own" if name in ("images", "text") else "", **fields)  # type: ignore[arg-type]


def drawing(top: int, left: int, height: int, width: int) -> np.ndarray:
    ink = np.zeros((140, 140), dtype=np.uint8)
    ink[top : top + height, left : left + width] = 255
    return ink


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


@pytest.mark.parametrize(("top", "left", "height", "width"), [(0, 0, 40, 20), (90, 100, 40, 20), (5, 60, 130, 65)])
def test_a_digit_fills_mnists_box_in_the_middle_wherever_and_however_large_it_was_drawn(
    top: int, left: int, height: int, width: int
) -> None:
    example = own_drawing(drawing(top, left, height, width), MNIST, of("mnist"))
    assert example.shape == (1, 1, 28, 28)
    assert example.dtype == torch.uint8
    expected = torch.zeros(28, 28, dtype=torch.uint8)
    expected[4:24, 9:19] = 255  # 20 x 10 pixels around the middle of 28 x 28
    assert torch.equal(example[0, 0], expected)


def test_the_centre_of_mass_and_not_the_box_is_in_the_middle() -> None:
    ink = drawing(20, 40, 100, 10) | drawing(100, 40, 20, 60)  # an L: its mass is low and to the left
    example = own_drawing(ink, MNIST, of("mnist"))[0, 0].double()
    places = torch.arange(28) + 0.5
    for axis in (0, 1):
        assert float((example.sum(1 - axis) * places).sum() / example.sum()) == pytest.approx(14, abs=0.5)
    assert not bool(example[:, 14].any()) or float(example[:, :14].sum()) > float(example[:, 14:].sum())


def test_a_published_digit_drawn_again_comes_back_nearly_as_it_was(real_digit: np.ndarray) -> None:
    again = own_drawing(np.kron(real_digit, np.ones((5, 5), np.uint8)), MNIST, of("mnist"))[0, 0].numpy()
    # It was made this way: only the resampling differs, and the box may be a pixel off.
    assert np.abs(again.astype(float) - real_digit).mean() < 12


@pytest.fixture
def real_digit() -> np.ndarray:
    """A two as MNIST would hold it: 20 pixels high, its mass in the middle."""
    from sklearn.datasets import load_digits

    small = load_digits().images[2] * 255 / 16
    tall = Image.fromarray(small.astype(np.uint8)).resize((20, 20), Image.Resampling.BILINEAR)
    placed = np.zeros((28, 28), dtype=np.uint8)
    placed[4:24, 4:24] = np.asarray(tall)
    return placed


def test_other_data_take_the_drawing_whole_in_their_own_shape() -> None:
    shape = ImageShape(channels=3, height=64, width=64)
    example = own_drawing(drawing(0, 0, 70, 70), shape, of("shapes"))
    assert example.shape == (1, 3, 64, 64)
    assert bool((example[0, :, :31, :31] == 255).all())
    assert not bool(example[0, :, 34:, 34:].any())


def test_a_binarised_run_reads_black_and_white() -> None:
    example = own_drawing(drawing(30, 40, 77, 33), MNIST, of("mnist", binarise=True))
    assert set(example.flatten().tolist()) == {0, 255}


def test_an_empty_drawing_is_refused() -> None:
    with pytest.raises(ValueError, match="empty: draw something"):
        own_drawing(np.zeros((140, 140), dtype=np.uint8), MNIST, of("mnist"))


def test_ink_on_paper_reads_as_white_on_black_like_the_same_drawing() -> None:
    ink = drawing(20, 50, 90, 45)
    paper = np.full((300, 300, 3), 230, dtype=np.uint8)
    paper[50:230, 100:190] = (20, 30, 90)
    found = own_picture(png(paper), "a.png", MNIST, of("mnist")).double()
    # The picture is scaled once more, which softens the outline: 2 of 255 grey levels on average.
    assert float((found - own_drawing(ink, MNIST, of("mnist"))).abs().mean()) < 2


def test_a_colour_run_takes_the_middle_square_of_a_picture() -> None:
    wide = np.zeros((64, 128, 3), dtype=np.uint8)
    wide[:, 32:96] = (10, 200, 30)
    example = own_picture(png(wide), "a.png", ImageShape(channels=3, height=32, width=32), of("images"))
    assert example[0, :, 16, 16].tolist() == [10, 200, 30]
    assert bool((example[0, 1].int() - 200).abs().max() < 15)  # the resampling rings at the cut


def test_a_picture_of_20000_by_20000_pixels_is_refused_without_being_decoded() -> None:
    header = png(np.zeros((1, 1), dtype=np.uint8))
    size = (20_000).to_bytes(4, "big") * 2
    import zlib

    chunk = b"IHDR" + size + header[24:29]
    huge = header[:12] + chunk + zlib.crc32(chunk).to_bytes(4, "big") + header[33:]
    with pytest.raises(ValueError, match="more than 64000000 pixels: choose another picture"):
        own_picture(huge, "huge.png", MNIST, of("mnist"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "not a picture"), (b"<svg onload=alert(1)>", "not a picture"), (b"\x89PNG\r\n\x1a\n", "a.png")],
)
def test_what_is_no_picture_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        own_picture(content, "a.png", MNIST, of("mnist"))


def test_a_file_too_large_is_refused_by_its_size() -> None:
    with pytest.raises(ValueError, match="has 17 MiB: choose one of at most 16"):
        own_picture(bytes(17 << 20), "a.png", MNIST, of("mnist"))


def test_a_picture_without_a_digit_is_refused_where_digits_are_read() -> None:
    with pytest.raises(ValueError, match="empty"):
        own_picture(png(np.full((30, 30), 128, dtype=np.uint8)), "a.png", MNIST, of("mnist"))


def test_a_sentence_of_known_words_is_the_row_that_the_loader_makes() -> None:
    tokenizer = train_tokenizer(LINES, "words", 100)
    read = own_sentence(LINES[0], tokenizer, of("storybook"), 24)
    assert torch.equal(read.tokens, encode(tokenizer, [LINES[0]], 24))
    assert (read.known, read.unknown, read.left_out) == (9, 0, 0)


def test_unknown_words_are_marked_where_they_stand_and_capitals_are_forgiven() -> None:
    tokenizer = train_tokenizer(LINES, "words", 100)
    read = own_sentence("The fox  hacked A computer.", tokenizer, of("storybook"), 24)
    assert "".join(text for text, _ in read.words) == "the fox hacked a computer."
    assert [text for text, unknown in read.words if unknown] == ["hacked", "computer"]
    assert (read.known, read.unknown) == (4, 2)
    assert decode(tokenizer, read.tokens) == ["the fox □ a □ ."]


def test_a_word_that_reads_like_a_special_token_is_text() -> None:
    tokenizer = train_tokenizer(LINES, "words", 100)
    read = own_sentence("[END] the [PAD] fox", tokenizer, of("storybook"), 24)
    assert END not in read.tokens[0, 1:-1]
    assert "".join(text for text, _ in read.words) == "[END] the [PAD] fox"


def test_a_sentence_of_10000_words_is_read_up_to_the_models_longest() -> None:
    tokenizer = train_tokenizer(LINES, "words", 100)
    read = own_sentence("fox " * 10_000, tokenizer, of("storybook"), 24)
    assert read.tokens.shape == (1, 24)
    assert read.tokens[0, 0] == START
    assert read.tokens[0, -1] == END
    assert read.known == 22
    assert read.left_out == 8192 // 4 - 22  # of a longer line only so many letters are read


def test_another_script_is_unknown_and_hostile_text_is_text() -> None:
    tokenizer = train_tokenizer(LINES, "words", 100)
    read = own_sentence("今天 天气 很好", tokenizer, of("storybook"), 24)
    assert (read.known, read.unknown) == (0, 3)
    hostile = '<img src=x onerror="alert(1)"> **bold** \ud800 \x00'
    read = own_sentence(hostile, tokenizer, of("storybook"), 64)
    assert '<img src=x onerror="alert(1)"> **bold**' in "".join(text for text, _ in read.words)
    assert UNKNOWN in read.tokens


@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_every_kind_of_vocabulary_keeps_the_sentence_whole(kind: TokenizerName) -> None:
    tokenizer = train_tokenizer(LINES, kind, 400)
    line = "The fox ate 🙂 naïve 今"
    read = own_sentence(line, tokenizer, of("text", tokenizer=kind), 64)
    assert "".join(text for text, _ in read.words) == line
    assert read.unknown == (0 if kind == "bpe" else sum(letter not in " ".join(LINES) for letter in line))


@pytest.mark.parametrize("line", ["", "   ", "\n\t"])
def test_an_empty_sentence_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="empty: type some words"):
        own_sentence(line, train_tokenizer(LINES, "words", 100), of("storybook"), 24)
