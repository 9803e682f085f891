"""Make the fonts of the PDF report: subsets of Inter and Noto Sans SC, and the list of the characters they can show.

Run it only when the fonts change; its result is committed, so that nobody needs it to build or to install the project:

    pip install fonttools==4.68.0 fontpkg-inter==4.1.post1 justmytype-intl-cjk==0.1.0
    python tools/build_fonts.py

Both fonts stand under the SIL Open Font License 1.1, which allows subsets to travel with a program; the licences lie beside them.
The reserved name of Noto Sans SC is `Source`, Inter reserves none: the subsets may keep their names.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

ROOT = Path(__file__).parent.parent
FONTS = ROOT / "advisor" / "report" / "fonts"
WEIGHTS = {"Regular": 400, "Bold": 700}
FAMILIES = {
    "Inter": ("fontpkg_inter", "files/Inter[opsz,wght].ttf", "LICENSE"),
    "Noto Sans SC": ("justmytype_intl_cjk", "fonts/ofl/notosanssc/NotoSansSC[wght].ttf", "fonts/ofl/notosanssc/OFL.txt"),
}
"""Family → package on PyPI, variable font in it, its licence."""

LATIN = (
    *range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x370, 0x400), *range(0x400, 0x460), *range(0x2010, 0x2060),
    *range(0x2070, 0x20A0), 0x20AC, 0x2116, 0x2122, *range(0x2190, 0x2200), *range(0x2200, 0x2300), *range(0x2500, 0x2600),
    0x2605, 0x2606, 0x2713, 0x2715, 0x2717, 0xFFFD,
)  # fmt: skip
"""Latin, Greek, Cyrillic, punctuation, arrows, signs of mathematics, boxes and marks, as far as the fonts have them."""

LATER_HANZI = "昇喆堃镕璟翀珺曌瑄啰祎玥昉晞赟犇羴骉猋垚炁烜玹璠瑀瑢琤禛禤翛芃虓頔飏囧槑嘚咗嘅喺冇嚟"
"""Hanzi that came after GB 2312 (昇腾, names) or that chats are full of."""

FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "tnum", "case"]
"""Left out on purpose: `calt`, with which Inter makes an arrow of `->`: what a log says stands as it was written."""


def gb2312() -> Iterable[int]:
    """Yield the code points of GB 2312: 6,763 hanzi and 682 signs."""
    for first in range(0xA1, 0xF8):
        for second in range(0xA1, 0xFF):
            try:
                yield ord(bytes((first, second)).decode("gb2312"))
            except UnicodeDecodeError:
                continue


def of_the_project() -> Iterable[int]:
    """Yield the code points of the rule book and of the interface strings, so that each of their sentences can be shown."""
    for path in (*ROOT.glob("rules/**/*.toml"), *ROOT.glob("advisor/locale/*.toml")):
        yield from (ord(c) for c in path.read_text(encoding="utf-8") if c.isprintable())


def build(family: str, style: str, source: Path, characters: Iterable[int]) -> set[int]:
    """Write one static subset and return the code points it shows."""
    font = TTFont(source)
    limits = {"wght": WEIGHTS[style], **({"opsz": 14} if family == "Inter" else {})}
    font = instantiateVariableFont(font, limits)
    options = Options(
        layout_features=FEATURES, hinting=False, glyph_names=False, notdef_outline=True, drop_tables=["vhea", "vmtx", "BASE"]
    )
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=set(characters))
    subsetter.subset(font)
    rename(font, family, style)
    font.save(FONTS / f"{family.replace(' ', '')}-{style}.ttf", reorderTables=True)
    return set(font.getBestCmap())


def rename(font: TTFont, family: str, style: str) -> None:
    """Give the instance its family and style, by which typesetters find it."""
    names = font["name"]
    for number in (16, 17, 21, 22, 25):
        names.removeNames(nameID=number)
    for number, text in ((1, family), (2, style), (4, f"{family} {style}"), (6, f"{family.replace(' ', '')}-{style}")):
        names.removeNames(nameID=number)
        names.setName(text, number, 3, 1, 0x409)
    bold = style == "Bold"
    font["OS/2"].usWeightClass = WEIGHTS[style]
    font["OS/2"].fsSelection = (font["OS/2"].fsSelection & ~0b1100001) | (0b100000 if bold else 0b1000000)
    font["head"].macStyle = int(bold)
    font["head"].modified = font["head"].created


def main() -> None:
    """Write the fonts, their licences and the coverage."""
    FONTS.mkdir(parents=True, exist_ok=True)
    characters = {*LATIN, *gb2312(), *map(ord, LATER_HANZI), *of_the_project()}
    shown: set[int] = set()
    for family, (package, path, licence) in FAMILIES.items():
        by_style = [build(family, style, Path(str(files(package) / path)), characters) for style in WEIGHTS]
        assert by_style[0] == by_style[1], f"{family}: the two weights show different characters"
        shown |= by_style[0]
        shutil.copyfile(str(files(package) / licence), FONTS / f"OFL-{family.replace(' ', '')}.txt")
    bits = bytearray(0x10000 // 8)
    for character in shown:
        bits[character // 8] |= 1 << character % 8
    (FONTS / "coverage.bin").write_bytes(zlib.compress(bytes(bits), 9))


if __name__ == "__main__":
    main()
