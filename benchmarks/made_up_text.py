"""Sentences that mean nothing, in the sizes of published ones: enough to measure speed by."""

import torch

from bnvae.data.dataset import END, PAD, START, Dataset, Split, TextShape


def made_up_text(*, vocabulary: int, sentences: int, mean_length: float, spread: float, longest: int) -> Dataset:
    """Sentences of such lengths (normal, in tokens, cut at 3 and at the longest), their tokens drawn by Zipf's law.

    A thirteenth as many again are the test set.
    """
    held_back = sentences // 13
    count = sentences + held_back
    generator = torch.Generator().manual_seed(0)
    frequencies = 1 / torch.arange(1, vocabulary - END)
    rows = torch.multinomial(frequencies, count * longest, replacement=True, generator=generator).view(-1, longest)
    rows = rows.int() + END + 1
    drawn = mean_length + spread * torch.randn(count, generator=generator)
    lengths = drawn.round().clamp(3, longest - 2).long()
    rows[:, 0] = START
    rows.scatter_(1, lengths[:, None], END)
    rows.masked_fill_(torch.arange(longest) > lengths[:, None], PAD)
    labels = torch.full((count,), -1)
    test = Split(examples=rows[:held_back], labels=labels[:held_back])
    return Dataset(
        name="made-up",
        shape=TextShape(vocabulary_size=vocabulary, max_tokens=longest),
        training=Split(examples=rows[held_back:], labels=labels[held_back:]),
        validation=test,
        test=test,
    )
