"""What a machine can see on the pages of a PDF report: a nearly empty last page, a heading left alone, text that lies over other
text or beyond the margin, a character without a glyph. The rest has to be looked at. Needs pypdfium2.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

MILLIMETRE = 72 / 25.4
SIDE, TOP, BOTTOM = 18 * MILLIMETRE, 19 * MILLIMETRE, 17 * MILLIMETRE
"""The margins of a page."""

LEAST_FILLED = 0.15
HEADING_SIZE = 9.3
"""Bold text of so many points is a heading."""

BOLD = 600
PAPER = 250
"""Grey from which on a point is paper."""

HAIR = 1.0
"""Points by which boxes of text may touch."""

TOFU = "\ufffd\0"


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of text on a line: its box in points from the lower left corner, and whether it is set as a heading."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    heading: bool

    @property
    def height(self) -> float:
        """The height of the box."""
        return self.top - self.bottom


def words_of(page: pypdfium2.PdfPage) -> list[Words]:
    """Return the pieces of text on a page, as PDFium finds them."""
    textpage = page.get_textpage()
    found = []
    for i in range(textpage.count_rects()):
        left, bottom, right, top = textpage.get_rect(i)
        first = pdfium.FPDFText_GetCharIndexAtPos(textpage, left + HAIR, (bottom + top) / 2, HAIR, HAIR)
        found.append(
            Words(textpage.get_text_bounded(left, bottom, right, top), left, bottom, right, top, _is_heading(textpage, first))
        )
    return found


def _is_heading(textpage: pypdfium2.PdfTextPage, index: int) -> bool:
    if index < 0:
        return False
    name, flags = ctypes.create_string_buffer(80), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(textpage, index, name, len(name), flags)
    bold = b"Bold" in name.value or pdfium.FPDFText_GetFontWeight(textpage, index) >= BOLD
    return bool(bold and pdfium.FPDFText_GetFontSize(textpage, index) >= HEADING_SIZE)


def lowest_ink(page: pypdfium2.PdfPage) -> float:
    """Return how far above the lower edge anything stands on a page, without its foot: text, a line, or a picture."""
    grey = np.asarray(page.render(scale=1.0).to_pil().convert("L"))
    inked = np.flatnonzero((grey < PAPER).any(axis=1))
    return float(min((grey.shape[0] - 1 - row for row in inked if grey.shape[0] - row > BOTTOM), default=page.get_height() - TOP))


def filled(page: pypdfium2.PdfPage) -> float:
    """Return down to where a page is filled, as a share of the room between its head and its foot."""
    height = float(page.get_height())
    return (height - TOP - lowest_ink(page)) / (height - TOP - BOTTOM)


def body(page: pypdfium2.PdfPage) -> list[Words]:
    """Return the text of a page without its head and its foot."""
    return [w for w in words_of(page) if w.bottom > BOTTOM - HAIR and w.top < page.get_height() - TOP + 2 * HAIR]


def overlapping(found: list[Words]) -> Iterator[tuple[Words, Words]]:
    """Yield pieces of text that lie over each other by more than a hair."""
    for i, a in enumerate(found):
        for b in found[:i]:
            wide = min(a.right, b.right) - max(a.left, b.left)
            high = min(a.top, b.top) - max(a.bottom, b.bottom)
            if wide > HAIR and high > HAIR:
                yield b, a


def pictures(document: bytes, dots_per_inch: float = 92.0) -> Iterator[Image.Image]:
    """Yield the pages of a PDF, two beside each other in a picture, large enough to be read."""
    pages = [page.render(scale=dots_per_inch / 72).to_pil().convert("RGB") for page in pypdfium2.PdfDocument(document)]
    for i in range(0, len(pages), 2):
        pair = pages[i : i + 2]
        sheet = Image.new("RGB", (sum(page.width for page in pair), pair[0].height), "white")
        for page in pair:
            sheet.paste(page, (0 if page is pair[0] else pair[0].width, 0))
        yield sheet


def complaints(document: bytes) -> Iterator[str]:
    """Yield what is wrong on the pages of a PDF, a line each."""
    pages = list(pypdfium2.PdfDocument(document))
    if len(pages) > 1 and (share := filled(pages[-1])) < LEAST_FILLED:
        yield f"page {len(pages)}: only {share:.0%} of the last page is filled"
    for number, page in enumerate(pages, 1):
        found = words_of(page)
        lowest = min(body(page), key=lambda w: w.bottom, default=None)
        if lowest and lowest.heading and lowest_ink(page) > lowest.bottom - lowest.height:
            yield f"page {number}: the heading {lowest.text!r} stands alone at the foot"
        for words in found:
            if words.left < SIDE - HAIR or words.right > page.get_width() - SIDE + HAIR:
                yield f"page {number}: {words.text!r} stands in the margin"
            if set(words.text) & set(TOFU):
                yield f"page {number}: {words.text!r} holds what no font can show"
        for a, b in overlapping(found):
            yield f"page {number}: {a.text!r} and {b.text!r} lie over each other"
        textpage = page.get_textpage()
        if any(pdfium.FPDFText_HasUnicodeMapError(textpage, i) > 0 for i in range(textpage.count_chars())):
            yield f"page {number}: a character has no text"
