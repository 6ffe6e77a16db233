"""Sentences as rows of token ids."""
