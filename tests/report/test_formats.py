"""The formats say the same: the same rules and numbers in each, and nothing from a log is markup in any."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from advisor.engine import diagnose
from advisor.readers import read_bytes, read_path
from advisor.report import github, html, markdown
from advisor.report import json as as_json
from advisor.report.build import editions
from advisor.report.html.markup import el, text
from advisor.report.making import Maker
from advisor.report.material import Material, Order
from advisor.report.visible import visible

RUNS = (
    "faulty/validation-rise",
    "faulty/loss-explosion",
    "faulty/non-finite-loss/run.jsonl",
    "healthy/grpo",
    "healthy/sft-weather",
)
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`|*_[x](javascript:alert(1)) & &amp; \u202egpj.exe @everyone "
    "::error::x %0A ${7*7} {{7*7}} 🚀 𠮷\x07"
)


@pytest.fixture(scope="module")
def of_runs(rules):
    return [rule for rule in rules if rule.subject == "run"]


@pytest.fixture(scope="module")
def made(root, of_runs):
    def of(log):
        path = root / "sample_logs" / log
        run = read_path(path if path.is_file() or any(path.rglob("trainer_state.json")) else next(path.glob("*.*")))[0]
        return editions(Material(diagnose(run, of_runs), Order(log=log, title=log.split("/")[1])), "en")

    return of


@pytest.fixture(scope="module")
def hostile(of_runs):
    """A run whose name, settings and errors are as hostile as they can be."""
    config = {"model": HOSTILE, f"evil{HOSTILE}": HOSTILE, "num_train_epochs": 3, "seed": 1}
    head = [{"event": "run", "schema": "advisor.log/1", "config": config}]
    rows = [{"step": i, "loss": 2.0 / i + 0.1} for i in range(1, 60)]
    log = "\n".join(map(json.dumps, head + rows)) + f"\nTraceback (most recent call last):\nValueError: {HOSTILE}\n"
    run = read_bytes(log.encode(), HOSTILE)[0]
    return editions(
        Material(diagnose(run, of_runs), Order(log=HOSTILE, title=HOSTILE, command=f"advisor report '{HOSTILE}'")), "en"
    )


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and the text outside scripts, by language."""

    def __init__(self, document):
        super().__init__(convert_charrefs=True)
        self.elements, self.text, self.scripts, self.language, self._within = [], {}, [], "", []
        self.feed(document.decode())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag == "main":
            self.language = attributes["data-language"]
        if tag not in ("meta", "br", "link", "input"):
            self._within.append(tag)

    def handle_endtag(self, tag):
        assert self._within.pop() == tag

    def handle_data(self, data):
        if self._within[-1:] == ["script"]:
            self.scripts.append(data)
        elif "style" not in self._within:
            self.text[self.language] = self.text.get(self.language, "") + data + " "


def numbers_of(document):
    """Every number that the JSON says of figures, findings and changes, as it is shown."""
    shown = [figure["value"] for figure in document["figures"]]
    shown += [change[key] for change in document["changes"] for key in ("old", "new")]
    shown += re.findall(r"\d[\d.]*\d", " ".join(f["message"] for f in document["findings"]))
    return shown


def unescaped(markdown_text):
    return re.sub(r"\\([\\`*_\[\]<>|#&])", r"\1", markdown_text)


@pytest.mark.parametrize("log", RUNS)
def test_json_html_and_markdown_say_the_same_rules_and_numbers(made, log):
    reports = made(log)
    document = json.loads(as_json.render(reports))
    page = Page(html.render(reports))
    flat = unescaped(markdown.render(reports).decode())
    rules = {f["rule"] for f in document["findings"]}
    assert {a["data-rule"] for tag, a in page.elements if tag == "article" and "data-rule" in a} == rules
    assert {rule for rule in rules if rule not in flat} == set()
    for sentence in (
        document["verdict"]["sentence"],
        document["verdict"]["action"]["text"],
        *(f["message"] for f in document["findings"]),
    ):
        assert sentence in page.text["en"]
        assert sentence in flat
    for number in numbers_of(document):
        assert number in page.text["en"]
        assert number in flat


@pytest.mark.parametrize("language", [0, 1], ids=["en", "zh"])
@pytest.mark.parametrize("log", RUNS)
def test_json_and_pdf_say_the_same_rules_and_numbers(made, log, language):
    pdf = pytest.importorskip("advisor.report.pdf", reason="needs the extra `pdf`")
    pdfium = pytest.importorskip("pypdfium2", reason="reads the text of a PDF back")
    reports = made(log)[language:]
    document = json.loads(as_json.render(reports))
    pages = pdfium.PdfDocument(pdf.render(reports))
    flat = re.sub(r"\s+", "", "".join(page.get_textpage().get_text_bounded() for page in pages))
    headings = " ".join(bookmark.get_title() for bookmark in pages.get_toc())
    assert re.findall(r"[A-Z]+-\d{3}", headings) == [f["rule"] for f in document["findings"]]
    sentences = [
        document["verdict"]["sentence"],
        document["verdict"]["action"]["text"],
        *(f["message"] for f in document["findings"]),
    ]
    assert [said for said in (*sentences, *numbers_of(document)) if re.sub(r"\s+", "", said) not in flat] == []


@pytest.mark.parametrize("log", RUNS)
def test_the_page_holds_the_whole_report_in_the_other_language_too(made, log):
    english, chinese = made(log)
    page = Page(html.render((english, chinese)))
    assert chinese.verdict.sentence in page.text["zh"]
    assert {f.message for f in chinese.findings if f.message not in page.text["zh"]} == set()
    shown = [(a["data-language"], "hidden" in a) for tag, a in page.elements if tag == "main"]
    assert shown == [("en", False), ("zh", True)]


def test_the_numbers_of_the_drawing_are_those_of_the_json(made):
    reports = made("faulty/validation-rise")
    data = json.loads(Page(html.render(reports)).scripts[0])
    document = json.loads(as_json.render(reports))
    for drawn, chart in zip(data["charts"], document["charts"], strict=True):
        assert [(n["name"], n["x"], n["y"]) for n in drawn["lines"]] == [(n["name"], n["x"], n["y"]) for n in chart["lines"]]
        assert [(s["rule"], s["begin"], s["end"]) for s in drawn["spans"]] == [
            (s["rule"], s["begin"], s["end"]) for s in chart["spans"]
        ]


def test_nothing_of_a_hostile_log_is_an_element_or_an_attribute_of_the_page(hostile, made):
    page = Page(html.render(hostile))
    usual = {tag for tag, _ in Page(html.render(made("faulty/loss-explosion"))).elements}
    assert {tag for tag, _ in page.elements} <= usual | {"h4"}
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    assert [
        a["href"] for _, a in page.elements if a.get("href", "#").partition(":")[0] not in ("https", "http", a.get("href", "#"))
    ] == []
    assert "<script>alert(1)</script>" in page.text["en"]
    assert "\u202e" not in html.render(hostile).decode()


def test_only_the_scripts_and_the_style_of_the_page_may_run_and_nothing_may_be_loaded(made, hostile):
    for reports in (made("faulty/validation-rise"), hostile):
        document = html.render(reports).decode()
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', document)[1].replace("&#x27;", "'")
        blocks = re.findall(r"<(script|style)>(.*?)</\1>", document, re.DOTALL)
        hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for _, body in blocks}
        assert set(re.findall(r"'sha256-[^']*'", policy)) == hashes
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert re.findall(r'(?:src|srcset|data|action|poster)="(?!#)', document) == []
        assert "style=" not in document


def test_nothing_of_a_hostile_log_is_markup_in_markdown(hostile):
    document = markdown.render(hostile).decode()
    outside = re.sub(r"```.*?```|`[^`\n]*`", "", document, flags=re.DOTALL)
    assert re.findall(r"(?<!\\)<(?!details|/details|summary|/summary|br>|!-- -->|https?://)", outside) == []
    assert "](javascript:" not in re.sub(r"\\.", "", outside)
    assert re.search(r"(?<![\w.])@everyone", outside) is None
    for table in re.findall(r"(?:^\|.*\n)+", outside, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
    assert outside.count("<details>") == outside.count("</details>")


def test_an_annotation_is_one_line_whatever_a_log_says(hostile):
    lines = github.render(hostile).decode().splitlines()
    assert len(lines) >= len(hostile[0].findings)
    for line in lines:
        found = re.fullmatch(r"::(error|warning|notice) file=[^,:]*(,line=\d+)?(,col=\d+)?,title=[^,:]*::.*", line)
        assert found, line


def test_an_annotation_names_the_file_the_line_and_the_rule(made):
    first = github.render(made("faulty/validation-rise")).decode().splitlines()[0]
    assert first.startswith(
        "::warning file=faulty/validation-rise,line=180,title=OVERFIT-001 Evaluation loss rises after its best point::"
    )
    assert "88.1%25 above its best" in first
    assert "num_train_epochs 40 → 8" in first


def test_what_github_would_drop_is_named_in_the_last_annotation_of_its_level(made):
    report = made("faulty/validation-rise")[0]
    warning, note = report.findings[:2]
    many = [replace(warning, rule=f"MANY-{i:03}") for i in range(25)]
    lines = github.render([replace(report, findings=(note, *many))]).decode().splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::warning"] * 10 + ["::notice"]
    assert "title=+16::" in lines[9]
    assert [f.rule for f in many if f.rule not in "".join(lines)] == []
    ten = github.render([replace(report, findings=tuple(many[:10]))]).decode().splitlines()
    assert ["title=MANY" in line for line in ten] == [True] * 10


def test_a_healthy_run_is_annotated_with_its_verdict(made):
    assert (
        github.render(made("healthy/sft-weather"))
        .decode()
        .startswith("::notice file=healthy/sft-weather,title=sft-weather::Healthy")
    )


def test_a_reports_json_is_strict_and_a_reader_can_rely_on_its_schema(made):
    document = json.loads(as_json.render(made("faulty/non-finite-loss/run.jsonl")), parse_constant=pytest.fail)
    assert document["schema"] == "advisor.report/1"
    assert document["figures"][1]["numbers"]["value"] is None


def test_elements_escape_what_is_put_into_them():
    assert el("p", "<b>", title='"x"') == '<p title="&quot;x&quot;">&lt;b&gt;</p>'
    assert el("p", el("b", "a & b"), hidden=True, id=None) == "<p hidden><b>a &amp; b</b></p>"
    assert text(["a", None, el("br")]) == "a<br>"


def test_marks_that_turn_text_around_are_replaced():
    assert visible("run \u202efdp.exe\x00 中文 🚀\n") == "run \ufffdfdp.exe\ufffd 中文 🚀\n"
    assert visible("\ud800") == "\ufffd"


def test_hundreds_of_findings_make_a_page_that_opens_with_the_gravest(root, of_runs, tmp_path):
    rule = (root / "rules/overfitting/validation-rise.toml").read_text()
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(300):
        (folder / f"copy-{n}.toml").write_text(rule.replace('id = "OVERFIT-001"', f'id = "COPY-{n:03}"'))
    from advisor.rulebook import load

    maker = Maker(load((folder,), subject="run"))
    reports = editions(maker.single(root / "sample_logs/faulty/validation-rise"), "en")
    assert len(reports[0].findings) > 300
    page = Page(html.render(reports))
    articles = [a for tag, a in page.elements if tag == "article" and "data-rule" in a]
    assert len(articles) == 2 * len(reports[0].findings)
    assert len(reports[0].charts[0].spans) <= 6
    assert len(markdown.render(reports)) < 250_000


def test_a_name_of_forty_characters_stands_whole_in_every_format(of_runs):
    name = "a_parameter_name_of_forty_characters_xyz"
    assert len(name) == 40
    config = json.dumps({"event": "run", "schema": "advisor.log/1", "config": {name: 1, "seed": 1, "num_train_epochs": 1, "x": 2}})
    log = config + "\n" + "\n".join(json.dumps({"step": i, "loss": 1 / i}) for i in range(1, 40))
    reports = editions(Material(diagnose(read_bytes(log.encode(), "run.jsonl")[0], of_runs)), "en")
    assert name in Page(html.render(reports)).text["en"]
    assert name in markdown.render(reports).decode()
