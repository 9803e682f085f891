"""The bundled fonts show everything that the project itself can say."""

import tomllib

import pytest

from advisor.report.glyphs import STAND_IN, showable, shows

RULES = "rules/**/*.toml"
STRINGS = "advisor/locale/*.toml"


def _sentences(value, languages):
    """Yield the strings of a rule's words; of a file of interface strings, all."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _sentences(inner, None)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "cases":  # what a rule is tried on may be garbled on purpose
                yield from _sentences(inner, languages)


@pytest.mark.parametrize("pattern", [RULES, STRINGS])
def test_every_sentence_of_the_rule_book_and_of_the_interface_can_be_shown(root, pattern):
    paths = sorted(root.glob(pattern))
    assert paths
    lacking = {}
    for path in paths:
        for sentence in _sentences(tomllib.loads(path.read_text(encoding="utf-8")), None):
            replaced = set()
            showable(sentence, replaced)
            if replaced:
                lacking[f"{path.name}: {sentence[:60]}"] = replaced
    assert lacking == {}


def test_the_stand_in_itself_has_a_glyph():
    assert shows(STAND_IN)


@pytest.mark.parametrize(
    ("text", "shown", "replaced"),
    [
        ("run 🚀 7", "run □ 7", {"🚀"}),
        ("a\0b\x1b[31m", "ab[31m", {"\0", "\x1b"}),
        ("\u202egpj.exe", "gpj.exe", {"\u202e"}),
        ("עברית", "□" * 5, set("עברית")),
        ("微调 run_名字", "微调 run_名字", set()),
        ("e\u0301", "é", set()),
        ("tab\there\r\n", "tab here \n", set()),
        ('#panic("x") *b* $x$ @ref \\ <a>', '#panic("x") *b* $x$ @ref \\ <a>', set()),
    ],
)
def test_what_the_fonts_lack_is_replaced_and_named(text, shown, replaced):
    seen = set()
    assert showable(text, seen) == shown
    assert seen == replaced


def test_the_coverage_is_that_of_the_fonts(root):
    ttf = pytest.importorskip("fontTools.ttLib", reason="fontTools is only needed to make the fonts")
    folder = root / "advisor" / "report" / "fonts"
    for style in ("Regular", "Bold"):
        covered = set()
        for family in ("Inter", "NotoSansSC"):
            font = ttf.TTFont(folder / f"{family}-{style}.ttf")
            assert font["OS/2"].usWeightClass == {"Regular": 400, "Bold": 700}[style]
            covered |= set(font.getBestCmap())
        assert {code for code in range(0x10000) if shows(chr(code))} == covered
