"""The pictures of the charts: the same bytes each time, words that stay apart, and nothing of a user's settings in them."""

import io
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest

charts = pytest.importorskip("advisor.report.charts", reason="needs the extra `pdf`")

from advisor.locale import strings  # noqa: E402  after what may be skipped
from advisor.report.build import build  # noqa: E402
from advisor.report.material import Material, Order  # noqa: E402
from advisor.report.model import Mark, Span  # noqa: E402

LANGUAGES = ("en", "zh")
EDGE = 3
"""Pixels along the rim that must be blank: what reaches it is cut off."""


@pytest.fixture
def drawn(root, judged):
    def draw(sample, language="en"):
        diagnosis = judged(root / "sample_logs" / sample)[0]
        return build(Material(diagnosis, Order()), language).charts

    return draw


def png(chart, language="en"):
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(charts.picture(chart, "png", strings(language, "picture")))).convert("RGB"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "sample", ["faulty/loss-explosion/run.jsonl", "faulty/loss-rise/trainer_state.json", "healthy/grpo/trainer_state.json"]
)
def test_no_word_runs_over_the_rim(drawn, sample, language):
    for chart in drawn(sample, language):
        pixels = png(chart, language)
        sides = {"top": pixels[:EDGE], "foot": pixels[-EDGE:], "left": pixels[:, :EDGE], "right": pixels[:, -EDGE:]}
        assert [name for name, rim in sides.items() if rim.min() < 255] == []


@pytest.mark.parametrize("form", ["svg", "png"])
def test_the_same_chart_gives_the_same_bytes(drawn, form, monkeypatch):
    chart = drawn("faulty/validation-rise/trainer_state.json")[0]
    first = charts.picture(chart, form, strings("en", "picture"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    charts.picture(drawn("healthy/dpo/trainer_state.json")[0], form, strings("en", "picture"))
    assert charts.picture(chart, form, strings("en", "picture")) == first


def test_a_matplotlibrc_of_the_user_changes_nothing(drawn):
    import matplotlib as mpl

    chart = drawn("faulty/validation-rise/trainer_state.json")[0]
    plain = charts.picture(chart, "svg", strings("en", "picture"))
    with mpl.rc_context({"axes.facecolor": "pink", "font.size": 30.0, "text.usetex": True, "savefig.bbox": "tight"}):
        assert charts.picture(chart, "svg", strings("en", "picture")) == plain
        assert mpl.rcParams["font.size"] == 30.0


def test_svg_is_well_formed_and_needs_no_font_and_no_other_file(drawn):
    for chart in drawn("faulty/validation-rise/trainer_state.json", "zh"):
        root = ElementTree.fromstring(charts.picture(chart, "svg", strings("zh", "picture")))
        tags = {element.tag.rsplit("}", 1)[-1] for element in root.iter()}
        assert "text" not in tags
        assert not tags & {"image", "script", "style"} - {"style"}
        links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
        assert [link for link in links if not link.startswith("#")] == []


def _overlaps(figure):
    """Pairs of words in a drawn figure that cover each other."""
    renderer = figure.canvas.get_renderer()
    texts = [t for axes in figure.axes for t in axes.texts if t.get_text().strip()]
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in texts]
    return [(a, b) for i, (a, x) in enumerate(boxes) for b, y in boxes[:i] if x.overlaps(y)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("length", [1, 8, 40])
def test_words_do_not_cover_each_other(drawn, language, length):
    import matplotlib as mpl

    chart = drawn("faulty/loss-rise/trainer_state.json", language)[0]
    line = next(line for line in chart.lines if line.role == "points")
    marks = tuple(
        Mark("evidence", float(line.x[i]), float(line.y[i]), f"{line.name} {line.y[i]:.4g} " + "long " * length, series=line.name)
        for i in range(4)
    )
    span = Span("LONG-001", "warning", float(line.x[1]), float(line.x[-1]), "a finding with a title " * length, whole=False)
    crowded = replace(chart, marks=marks, spans=(span,) * 6)
    charts._load_fonts()
    with mpl.rc_context():
        mpl.rcParams.update(charts.settings())
        figure = charts._draw(crowded, strings(language, "picture"))
        assert _overlaps(figure) == []


@pytest.mark.parametrize("word", ["损失 $x_{1}$ 🚀\0", "$\\frac{1}{", "a\nb\nc", "x" * 300])
def test_a_label_is_never_read_as_mathematics_and_never_breaks_the_picture(drawn, word):
    chart = drawn("faulty/validation-rise/trainer_state.json")[0]
    lines = tuple(replace(line, label=word) for line in chart.lines)
    marks = tuple(replace(mark, label=word) for mark in chart.marks)
    pixels = png(replace(chart, lines=lines, marks=marks, left_label=word[:20], x_label=word[:20]))
    assert pixels[:, :EDGE].min() == 255
    assert pixels[:, -EDGE:].min() == 255


@pytest.mark.parametrize(("low", "high"), [(0.69, 0.6900001), (-3.0, -1.0), (1e-9, 2e-9), (0.0, 1e30)])
def test_ticks_are_numbers_that_differ(low, high):
    texts = charts._numbers(np.linspace(low, high, 5))
    assert len(set(texts)) == 5
    assert max(map(len, texts)) < 12
