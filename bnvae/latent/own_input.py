"""A visitor's own drawing, picture or sentence, made what a run's encoder reads."""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Int, UInt8
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from bnvae.config.schema import DataConfig, DataName
from bnvae.data.dataset import END, START, UNKNOWN, ImageShape
from bnvae.data.images.decode_image import decode_picture
from bnvae.data.text.vocabulary import LONGEST_LINE
from bnvae.metrics.word_diff import Marked

BOX_SHARES: dict[DataName, float] = {"mnist": 20 / 28, "digits": 1.0}
"""Of the picture's side: the box that a digit is scaled to fill, as the makers of these data did. MNIST then puts the
centre of mass in the middle (LeCun et al. 1998). Other data's pictures are taken whole."""
FAINTEST_INK = 24
"""Grey levels below this (of 255) are paper."""
MOST_PICTURE_BYTES = 16 << 20
READ_SIDE = 256
"""A picture with a digit on it is read at this size before the digit is cut out (pixels)."""
GREY_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601 luma, as Pillow's conversion to grey"""


@final
@dataclass(frozen=True)
class OwnSentence:
    """A sentence as a run's vocabulary reads it."""

    tokens: Int[Tensor, "1 L"]
    words: Marked
    """what was read, in parts, each with whether it is unknown to the vocabulary"""
    known: int
    unknown: int
    """tokens that were read and are not in the vocabulary"""
    left_out: int
    """tokens after the longest sentence that the model can read; at least so many of a very long line"""


def own_drawing(ink: UInt8[np.ndarray, "S S"], shape: ImageShape, data: DataConfig) -> UInt8[Tensor, "1 C H W"]:
    """A drawing, white ink on black, as an example of the run's data: digits are scaled and centred as theirs were.

    Raises:
        ValueError: nothing is drawn.
    """
    if ink.max(initial=0) < FAINTEST_INK:
        raise ValueError("The drawing is empty: draw something.")
    grey = torch.from_numpy(ink.astype(np.float32))
    if (share := BOX_SHARES.get(data.name)) is not None:
        grey = _boxed(grey, shape.height, share)
    grey = _resized(grey, shape.height, shape.width)
    return _as_example(grey.expand(shape.channels, -1, -1), data)


def own_picture(content: bytes, name: str, shape: ImageShape, data: DataConfig) -> UInt8[Tensor, "1 C H W"]:
    """An uploaded picture as an example of the run's data: its middle square, or the digit found on it.

    Raises:
        ValueError: it is too large, not a picture, damaged, or has no digit on it where digits are read.
    """
    if len(content) > MOST_PICTURE_BYTES:
        raise ValueError(f"The picture has {len(content) >> 20} MiB: choose one of at most {MOST_PICTURE_BYTES >> 20}.")
    boxed = data.name in BOX_SHARES
    try:
        colours = decode_picture(content, name=name, side=READ_SIDE if boxed else shape.height)
    except ValueError as error:
        # The loader's remedy is for a data set.
        raise ValueError(f"{str(error).rpartition(':')[0]}: choose another picture.") from None
    if boxed:
        return own_drawing(_ink_of(colours @ GREY_WEIGHTS), shape, data)
    pixels = colours.transpose(2, 0, 1) if shape.channels == 3 else (colours @ GREY_WEIGHTS)[None]
    return _as_example(_resized(torch.from_numpy(pixels.astype(np.float32)), shape.height, shape.width), data)


def own_sentence(line: str, tokenizer: Tokenizer, data: DataConfig, max_tokens: int) -> OwnSentence:
    """A sentence as a row of tokens; a word that is known in lower case only is read so.

    Raises:
        ValueError: there is not a single word in it.
    """
    # A browser may send half of a surrogate pair, which no tokenizer takes.
    text = " ".join(line[:LONGEST_LINE].encode("utf-8", "replace").decode().split())
    if data.tokenizer == "words":
        text = _lower_where_known(text, tokenizer)
    encoding = tokenizer.encode(text, add_special_tokens=False)
    most = max_tokens - 2
    ids, spans = encoding.ids[:most], encoding.offsets[:most]
    if not ids:
        raise ValueError("The sentence is empty: type some words.")
    words: Marked = []
    end = 0
    for token, (start, stop) in zip(ids, spans, strict=True):
        if start > end:
            words.append((text[end:start], False))
        if stop > end:
            words.append((text[max(start, end) : stop], token == UNKNOWN))
            end = stop
    unknown = ids.count(UNKNOWN)
    return OwnSentence(
        tokens=torch.tensor([[START, *ids, END]], dtype=torch.int32),
        words=words,
        known=len(ids) - unknown,
        unknown=unknown,
        left_out=len(encoding.ids) - len(ids),
    )


def _boxed(ink: Tensor, side: int, share: float) -> Tensor:
    """The ink alone, scaled so that its longer side fills the box, with its centre of mass in the middle of `side`."""
    rows, columns = (ink >= FAINTEST_INK).any(1).nonzero().flatten(), (ink >= FAINTEST_INK).any(0).nonzero().flatten()
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = side * share / max(cut.shape)
    height, width = (max(1, round(length * scale)) for length in cut.shape)
    small = _resized(cut, height, width)
    mass = small.sum()
    placed = torch.zeros(side, side)
    corner = []
    for axis, length in enumerate((height, width)):
        centre = float((small.sum(1 - axis) * (torch.arange(length) + 0.5)).sum() / mass)
        # The digit stays whole, however far from its middle its mass is.
        corner.append(min(max(0, round(side / 2 - centre)), side - length))
    placed[corner[0] : corner[0] + height, corner[1] : corner[1] + width] = small
    return placed


def _resized(grey: Tensor, height: int, width: int) -> Tensor:
    """Pixels as a mean of those that they cover, (H, W) or (C, H, W)."""
    if grey.shape[-2:] == (height, width):
        return grey
    layers = grey.reshape(1, -1, *grey.shape[-2:])
    resized = functional.interpolate(layers, size=(height, width), mode="bilinear", antialias=True)
    return resized.reshape(*grey.shape[:-2], height, width)


def _ink_of(grey: np.ndarray) -> UInt8[np.ndarray, "S S"]:
    """What stands out from the paper, white on black, whichever of the two is brighter on the picture."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = np.median(border)
    away = np.abs(grey - paper)
    # Shadows and the paper's grain are fainter than a fifth of the darkest stroke.
    stretched = np.clip((away / max(away.max(), 1) - 0.2) / 0.6, 0, 1)
    ink: UInt8[np.ndarray, "S S"] = (255 * stretched * (away.max() >= FAINTEST_INK)).astype(np.uint8)
    return ink


def _as_example(pixels: Tensor, data: DataConfig) -> UInt8[Tensor, "1 C H W"]:
    rounded = pixels.round().clamp(0, 255).to(torch.uint8)
    if data.binarise:
        rounded = (rounded >= 128).to(torch.uint8) * 255
    return rounded[None].contiguous()


def _lower_where_known(text: str, tokenizer: Tokenizer) -> str:
    encoding = tokenizer.encode(text, add_special_tokens=False)
    letters = list(text)
    for token, (start, stop) in zip(encoding.ids, encoding.offsets, strict=True):
        lower = text[start:stop].lower()
        if token == UNKNOWN and len(lower) == stop - start and tokenizer.token_to_id(lower) is not None:
            letters[start:stop] = lower
    return "".join(letters)
