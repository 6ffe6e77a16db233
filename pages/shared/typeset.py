"""Words as a vocabulary keeps them, set as a reader expects them: no blank before a comma or inside quotation marks."""

import re

_CLINGS_LEFT = re.compile(r" +(?=(?:[,.;:!?)\]]|n't\b|'(?:s|re|ve|ll|d|m)\b))")
_CLINGS_RIGHT = re.compile(r"(?<=[(\[]) +")
_QUOTED = re.compile(r'" *([^"]*?) *"')


def typeset(sentence: str) -> str:
    """A sentence whose tokens were joined by blanks, without the blanks that print does not have."""
    sentence = _QUOTED.sub(r'"\1"', sentence)
    return _CLINGS_RIGHT.sub("", _CLINGS_LEFT.sub("", sentence))
