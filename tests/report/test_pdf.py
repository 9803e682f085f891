"""The PDF: its text, its standards, what travels inside, and that hostile or extreme input still gives a decent page."""

import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

pdf = pytest.importorskip("advisor.report.pdf", reason="needs the extra `pdf`")
pdfium = pytest.importorskip("pypdfium2", reason="reads the text of a PDF back")

from advisor.report.build import build  # noqa: E402  after what may be skipped
from advisor.report.json import render as as_json  # noqa: E402
from advisor.report.material import Material, Order  # noqa: E402

LANGUAGES = ("en", "zh")
SAMPLES = (
    "faulty/validation-rise/trainer_state.json",
    "faulty/loss-explosion/run.jsonl",
    "faulty/non-finite-loss/console.log",
    "faulty/read-example-failed/console.log",
    "healthy/sft-weather/trainer_state.json",
    "healthy/grpo/trainer_state.json",
)
MOST_BYTES = 400_000
MADE = {}
ORDER = Order(title="a run", date="2026-11-24", date_kind="given", log="run.log", command="advisor report run.log", rules=3)


@pytest.fixture
def report(root, judged):
    """The report of a sample, of a log's text, or of a diagnosis."""

    def make(sample, language="en", **order):
        diagnosis = judged(root / "sample_logs" / sample)[0] if sample in SAMPLES else judged(sample)[0]
        return build(Material(diagnosis, replace(ORDER, **order)), language)

    return make


def made(said):
    """The PDF of a report, made once for all tests that look at the same one."""
    key = (said.source, said.points, said.title, said.language, said.verdict.sentence)
    if key not in MADE:
        MADE[key] = pdf.render([said])
    return MADE[key]


def pages(document):
    return [page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(document)]


def text(document):
    """The text of a PDF without blanks: where a line breaks is the page's business."""
    return re.sub(r"\s+", "", "".join(pages(document)))


def squeezed(words):
    return re.sub(r"\s+", "", words)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_verdict_every_rule_and_every_number_can_be_found_as_text(report, sample, language):
    said = report(sample, language)
    found = text(made(said))
    assert squeezed(said.verdict.sentence) in squeezed(pages(made(said))[0])
    wanted = [
        *(f.rule for f in said.findings),
        *(rule for checked in said.clean for rule in checked.rules),
        *(rule for unjudged in said.not_judged for rule in unjudged.rules),
        *(f.value for f in said.figures),
        *(f.message for f in said.findings),
        *(e.text for f in said.findings for e in f.evidence),
        *(part for c in said.changes for part in (c.parameter, c.old, c.new)),
        *(light.reason for light in said.lights),
    ]
    assert [words for words in wanted if squeezed(words) not in found] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_pdftotext_finds_the_verdict_and_every_rule(report, tmp_path, language):
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    said, target = report(SAMPLES[0], language), tmp_path / "report.pdf"
    target.write_bytes(made(said))
    found = squeezed(subprocess.run([program, str(target), "-"], capture_output=True, check=True).stdout.decode())
    assert squeezed(said.verdict.sentence) in found
    rules = {*(f.rule for f in said.findings), *(r for group in (*said.clean, *said.not_judged) for r in group.rules)}
    assert len(rules) > 100
    assert [rule for rule in rules if rule not in found] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_it_is_small_and_the_same_report_gives_the_same_bytes(report, sample, language):
    said = report(sample, language)
    assert made(said) == pdf.render([said])
    assert len(made(said)) < MOST_BYTES


def test_page_one_holds_the_verdict_the_figures_the_lights_and_the_curves(report):
    said = report(SAMPLES[1])
    first, second = pages(made(said))[:2]
    for words in (said.verdict.action.text, *(f.label for f in said.figures), *(light.label for light in said.lights)):
        assert squeezed(words) in squeezed(first)
    assert squeezed(said.labels["charts"]) in squeezed(first)
    assert squeezed(second).startswith(squeezed("a run" + said.date_text + said.labels["findings"]))


def test_the_json_report_travels_inside_byte_for_byte(report):
    pikepdf = pytest.importorskip("pikepdf", reason="reads attachments")
    import io

    said = report(SAMPLES[0], "zh")
    with pikepdf.open(io.BytesIO(made(said))) as document:
        inside = document.attachments["report.json"].get_file()
        assert inside.read_bytes() == as_json([said])
        assert inside.mime_type == "application/json"
        assert [f["rule"] for f in json.loads(inside.read_bytes())["findings"]] == [f.rule for f in said.findings]


def test_every_label_that_the_page_asks_for_exists(report, root):
    asked = set(re.findall(r"\bl\.(?!at\()(\w+)", (root / "advisor/report/template.typ").read_text(encoding="utf-8")))
    assert len(asked) > 30
    assert asked - report(SAMPLES[0]).labels.keys() == set()


DATA = """{"messages":[{"role":"user","content":"What is the capital?"},{"role":"assistant","content":"Paris."}]}
{"messages":[{"role":"user","content":"What is the capital?"},{"role":"assistant","content":"Paris."}]}
{"messages":[{"role":"user","content":"Of Italy?"},{"role":"assistant","content":""}]}
{"messages":[{"role":"user","content":"broken"
{"messages":[{"role":"user","content":"a café"},{"role":"assistant","content":"CafÃ© Ã¼ber â€œquotesâ€ 🎉"}]}
"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_training_data_and_an_earlier_run_have_their_place(root, tmp_path, language):
    from click.testing import CliRunner

    from advisor.cli import main

    data, target = tmp_path / "train.jsonl", tmp_path / "report.pdf"
    data.write_text(DATA, encoding="utf-8")
    logs = root / "sample_logs" / "faulty"
    arguments = [
        "report", str(logs / "read-example-failed/console.log"), "--data", str(data), "--lang", language,
        "--compare-to", str(logs / "loss-rise/console.log"),
    ]  # fmt: skip
    done = CliRunner().invoke(main, [*arguments, "-o", str(target)], catch_exceptions=False)
    assert done.exit_code == 0
    said = json.loads(CliRunner().invoke(main, [*arguments, "--format", "json"], catch_exceptions=False).stdout)
    found = text(target.read_bytes())
    wanted = [
        said["data"]["sentence"],
        said["comparison"]["sentence"],
        *(cell for row in said["comparison"]["rows"] for cell in row),
        *(f["finding"]["rule"] for f in said["data"]["findings"]),
        *(f["finding"]["message"] for f in said["data"]["findings"]),
        *(e["where"] for f in said["data"]["findings"] for e in f["examples"]),
    ]
    assert len(wanted) > 10
    assert [words for words in wanted if squeezed(words) not in found] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sample", SAMPLES[:2])
def test_a_checker_of_accessibility_finds_nothing(report, tmp_path, sample, language):
    pdfua = pytest.importorskip("pdfua", reason="checks PDF/UA")
    target = tmp_path / "report.pdf"
    target.write_bytes(made(report(sample, language)))
    assert [(f.rule_id, f.message) for f in pdfua.validate(str(target)).findings] == []


def test_it_says_which_standards_it_keeps_and_whose_language_it_is(report):
    pikepdf = pytest.importorskip("pikepdf", reason="reads metadata")
    import io

    with pikepdf.open(io.BytesIO(made(report(SAMPLES[0], "zh")))) as document:
        metadata = document.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"], metadata["pdfuaid:part"]) == ("3", "A", "1")
        assert str(document.Root.Lang).lower().startswith("zh")
        assert document.docinfo["/Title"] == "a run"
        assert "20261124" in str(document.docinfo["/CreationDate"])


def test_every_font_is_embedded_as_a_subset(report):
    pikepdf = pytest.importorskip("pikepdf", reason="reads fonts")
    import io

    with pikepdf.open(io.BytesIO(made(report(SAMPLES[0], "zh")))) as document:
        described = [o for o in document.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"]
        names = {str(o["/FontName"]) for o in described}
        assert all("/FontFile2" in o or "/FontFile3" in o for o in described)
        assert all(re.match(r"/[A-Z]{6}\+", name) for name in names)
        bundled = {f"{family}-{style}" for family in ("Inter", "NotoSansSC") for style in ("Regular", "Bold")}
        assert {name.split("+")[1] for name in names} <= bundled | {"DejaVuSansMono"}


HOSTILE = '#panic("x") *b* $x$ @ref \\ <a> [link](javascript:1) #import "/etc/passwd" {{7*7}} %s {0} </script>'


@pytest.mark.parametrize("language", LANGUAGES)
def test_markup_in_a_name_stands_as_it_was_written(report, language):
    found = text(pdf.render([report(SAMPLES[0], language, title=HOSTILE, log=HOSTILE)]))
    assert squeezed(HOSTILE) in found


def test_what_the_fonts_lack_is_replaced_and_said(report):
    found = text(pdf.render([report(SAMPLES[0], title="run 🚀\0 עברית \u202egpj \ud800 e\u0301")]))
    assert squeezed("run □ □□□□□ gpj □ é") in found
    assert "U+1F680ROCKET" in found
    assert "8charactershavenoglyph" not in found  # a character that comes twice counts once
    assert "9charactershavenoglyph" in found


def test_nothing_is_said_of_replaced_characters_where_there_are_none(report):
    assert "noglyph" not in text(made(report(SAMPLES[0])))


def test_where_typst_refuses_the_standards_a_report_is_made_without_and_says_so(report, monkeypatch):
    # A character that the coverage promises and the fonts lack: the way in which a wrong list of glyphs would show.
    monkeypatch.setattr("advisor.report.glyphs.shows", lambda character: True)
    found = text(pdf.render([report(SAMPLES[0], title="run 🚀")]))
    assert "NotbyPDF/A-3aandPDF/UA-1" in found or "nottaggedbyPDF/A-3aandPDF/UA-1" in found


STRESS = {
    "one point": '{"step": 1, "loss": 2.5}\n',
    "no evaluation": "".join(f'{{"step": {i}, "loss": {2 + 1 / (i + 1)}}}\n' for i in range(60)),
    "nothing but evaluations": "".join(f'{{"step": {i}, "eval_loss": {2 + 1 / (i + 1)}}}\n' for i in range(12)),
    "all the same": "".join(f'{{"step": {i}, "loss": 0.0}}\n' for i in range(40)),
    "not one number": "".join(f'{{"step": {i}, "loss": NaN}}\n' for i in range(40)),
    "huge and tiny": "".join(f'{{"step": {i * 10**9}, "loss": {10.0 ** (i % 9 * 30 - 120)}}}\n' for i in range(50)),
    "below zero": "".join(f'{{"step": {i}, "loss": {-5 - i}, "grad_norm": 0}}\n' for i in range(50)),
    "infinite": '{"step": 1, "loss": Infinity}\n{"step": 2, "loss": 3}\n{"step": 3, "loss": -Infinity}\n',
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("log", STRESS.values(), ids=STRESS)
def test_a_meagre_or_strange_log_gives_a_page_all_the_same(report, complaints, log, language):
    said = report(log, language)
    document = pdf.render([said])
    assert squeezed(said.verdict.sentence) in text(document)
    assert complaints(document) == []


def test_hundreds_of_findings_with_long_names_stay_within_the_page(report, complaints):
    said = report(SAMPLES[0])
    finding, change = said.findings[0], said.changes[0]
    name = "per_device_gradient_accumulation_of_the_adapter_layers"
    many = tuple(replace(finding, rule=f"MANY-{i:03}", parameters=(name,)) for i in range(300))
    changes = tuple(
        replace(change, parameter=f"{name}_{i}", old="9" * (10 + i % 60), new="/a/very/long/path" * (1 + i % 5)) for i in range(100)
    )
    long = pdf.render([replace(said, findings=many, changes=changes, title="x" * 300)])
    found = text(long)
    assert [f.rule for f in many if f.rule not in found] == []
    assert [c.parameter for c in changes if c.parameter not in found] == []
    assert complaints(long) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_no_page_has_text_over_text_a_heading_left_alone_or_hardly_a_line(report, complaints, sample, language):
    assert complaints(made(report(sample, language))) == []


# The least room between two ends of a report that a few lines more push onto a new page.
@pytest.mark.parametrize("more", range(0, 60, 4))
def test_a_last_page_is_never_turned_for_a_few_lines(report, complaints, more):
    said = report(SAMPLES[0])
    longer = replace(said, notes=tuple(f"a note that takes a line of the page, number {i}" for i in range(more)))
    assert complaints(pdf.render([longer])) == []
