"""The checks of pages find what they are there for, and nothing on a good page."""

import pytest

typst = pytest.importorskip("typst", reason="sets the pages that are looked at")

HEAD = """#set page(paper: "a4", margin: (x: 18mm, top: 19mm, bottom: 17mm))
#set text(font: "Inter", size: 9pt)
#let heading(words) = text(12.5pt, weight: "bold", words)
"""
GOOD = "#heading[Findings]\n\n" + "#lorem(90)\n\n" * 6


@pytest.fixture
def said(root, complaints):
    """What is said of the pages of a document."""
    return lambda body: complaints(typst.compile((HEAD + body).encode(), font_paths=[str(root / "advisor/report/fonts")]))


def test_nothing_is_said_of_good_pages(said):
    assert said(GOOD) == []


def test_a_last_page_with_a_line_on_it_is_named(said):
    assert said(f"{GOOD} #pagebreak() the last words") == ["page 2: only 1% of the last page is filled"]


def test_a_heading_with_nothing_under_it_is_named_and_one_with_a_picture_is_not(said):
    assert said(f"{GOOD} #v(1fr) #heading[Curves]") == ["page 1: the heading 'Curves' stands alone at the foot"]
    assert said(f"{GOOD} #heading[Curves] #rect(width: 5cm, height: 2cm)") == []


def test_text_over_text_and_text_in_the_margin_are_named(said):
    assert any("lie over each other" in line for line in said(f"#place(dy: 1pt)[covered words] {GOOD}"))
    assert any("in the margin" in line for line in said(f"{GOOD} #place(bottom + left, dx: 16.5cm)[text that ends beyond it]"))


def test_a_character_without_a_glyph_is_named(said):
    assert any("no font can show" in line for line in said(f"{GOOD} \ufffd"))
