"""Data sets of pictures and sentences: made here, published, or a user's own."""

from bnvae.data.dataset import END, PAD, START, UNKNOWN, Dataset, ImageShape, Split, TextShape
from bnvae.data.download.fetch import DownloadError, cache_folder
from bnvae.data.loading import DATASETS, load_dataset
from bnvae.data.text.vocabulary import decode, encode, train_tokenizer
from bnvae.data.text.vocabulary_file import tokenizer_from_json, tokenizer_to_json

__all__ = [
    "DATASETS",
    "END",
    "PAD",
    "START",
    "UNKNOWN",
    "Dataset",
    "DownloadError",
    "ImageShape",
    "Split",
    "TextShape",
    "cache_folder",
    "decode",
    "encode",
    "load_dataset",
    "tokenizer_from_json",
    "tokenizer_to_json",
    "train_tokenizer",
]
