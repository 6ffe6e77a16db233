"""What is said and what it is said of stay together, and what a stranger wrote stays letters."""

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element


def page(kind: str, detail: str) -> None:
    from pages.shared.notices import say

    say(kind, "Ours, in **bold**:", detail)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["error", "warning", "info", "success"])
def test_a_sentence_and_its_detail_are_one_box_and_the_detail_is_plain_text(kind: str) -> None:
    hostile = "**a** <img src=x onerror=alert(1)> [b](http://c.example) :red[d]"
    shown = AppTest.from_function(page, args=(kind, hostile)).run()
    (box,) = shown.main.children.values()
    assert isinstance(box, Block)
    sentence, detail = box.children.values()
    assert isinstance(sentence, Element)
    assert isinstance(detail, Element)
    assert (sentence.type, sentence.value) == (kind, "Ours, in **bold**:")
    assert (detail.type, detail.value) == ("text", hostile)
