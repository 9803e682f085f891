"""The HTML report in a real browser: what is drawn can be read, zoomed, switched and printed, and nothing is fetched."""

import json
import math
import re
import shutil
from itertools import pairwise

import pytest

from advisor.engine import diagnose
from advisor.readers import read_bytes
from advisor.report import html
from advisor.report.build import editions
from advisor.report.making import Maker, write_report
from advisor.report.material import Material, Order

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'finetune-advisor[browser]'")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
OVERFITTED = "sample_logs/faulty/validation-rise/trainer_state.json"
BEST = 0.6867069005966187
"""The lowest evaluation loss of that log, as it stands there, at step 64."""


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as running:
        try:
            found = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium that can be started: {error.message.splitlines()[0]}")
        yield found
        found.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open a file and return the page; at the end nothing was said on its console, and nothing was asked for but the file."""
    contexts, said, asked = [], [], []

    def open_page(path, width=1100, height=900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    open_page.said, open_page.asked = said, asked
    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("file://")] == []
    assert len(asked) == len(contexts)


@pytest.fixture(scope="module")
def report(root, tmp_path_factory):
    target = tmp_path_factory.mktemp("report") / "report.html"
    write_report(root / OVERFITTED, target, date="2026-11-24")
    return target


@pytest.fixture(scope="module")
def index(root, tmp_path_factory):
    """The index of three runs, and their reports beside it."""
    from click.testing import CliRunner

    from advisor.cli import main

    logs = [str(root / "sample_logs" / log) for log in ("healthy/sft-weather", "faulty/loss-explosion", "faulty/validation-rise")]
    target = tmp_path_factory.mktemp("index")
    assert CliRunner().invoke(main, ["report", *logs, "-o", str(target), "--lang", "en"]).exit_code == 0
    return target / "index.html"


def plot(page, name="loss", language="en"):
    return page.locator(f'main[data-language="{language}"] .plot[data-chart="{name}"]')


def to_x(page, plot, value, low=4, high=320):
    """The place on the screen of a value on the horizontal axis."""
    plot.scroll_into_view_if_needed()
    box = plot.locator(".u-over").bounding_box()
    return box["x"] + (value - low) / (high - low) * box["width"], box["y"] + box["height"] / 2


def shown_range(plot):
    return float(plot.get_attribute("data-from")), float(plot.get_attribute("data-to"))


def picture(plot):
    return plot.locator("canvas").evaluate("canvas => canvas.toDataURL()")


@pytest.mark.parametrize(
    "log", [OVERFITTED, "sample_logs/faulty/loss-explosion/run.jsonl", "sample_logs/faulty/non-finite-loss/run.jsonl",
            "sample_logs/healthy/grpo", "sample_logs/faulty/read-example-failed/console.log"],
)  # fmt: skip
def test_a_report_of_every_kind_opens_in_both_languages_without_a_word_on_the_console(root, opened, tmp_path, log):
    target = tmp_path / "report.html"
    write_report(root / log, target)
    page = opened(target)
    for language in ("zh", "en"):
        page.locator(f'button[data-language="{language}"]').click()
        assert plot(page, language=language).count() + plot(page, "reward", language).count() == 1
        assert page.locator(f'main[data-language="{language}"] canvas').first.is_visible()


def test_hovering_shows_the_values_as_they_were_logged(opened, report):
    page = opened(report)
    page.mouse.move(*to_x(page, plot(page), 64))
    legend = plot(page).locator(".u-legend").inner_text()
    assert str(BEST) in legend
    assert "(step 64)" in legend


def test_hovering_one_chart_shows_the_other_at_the_same_place(opened, report):
    page = opened(report)
    page.mouse.move(*to_x(page, plot(page), 64))
    assert "(step 64)" in plot(page, "gradient").locator(".u-legend").inner_text()


def test_dragging_zooms_both_charts_and_a_double_click_shows_all_again(opened, report):
    page = opened(report)
    (begin, y), (end, _) = to_x(page, plot(page), 40), to_x(page, plot(page), 120)
    before = picture(plot(page))
    page.mouse.move(begin, y)
    page.mouse.down()
    page.mouse.move(end, y, steps=5)
    page.mouse.up()
    for name in ("loss", "gradient"):
        low, high = shown_range(plot(page, name))
        assert (low, high) == (pytest.approx(40, abs=3), pytest.approx(120, abs=3))
    assert picture(plot(page)) != before
    page.mouse.dblclick((begin + end) / 2, y)
    assert shown_range(plot(page)) == shown_range(plot(page, "gradient")) == (4, 320)


def test_the_buttons_zoom_too(opened, report):
    page = opened(report)
    plot(page).get_by_role("button", name="Zoom in").click()
    low, high = shown_range(plot(page))
    assert high - low == pytest.approx(158)
    plot(page).get_by_role("button", name="Whole run").click()
    assert shown_range(plot(page)) == (4, 320)


@pytest.mark.parametrize("name", ["as logged", "smoothed", "logarithmic"])
def test_each_switch_changes_the_drawing_and_back(opened, report, name):
    page = opened(report)
    button = plot(page).get_by_role("button", name=name)
    before, pressed = picture(plot(page)), button.get_attribute("aria-pressed")
    button.click()
    assert button.get_attribute("aria-pressed") != pressed
    assert picture(plot(page)) != before
    button.click()
    page.wait_for_timeout(100)
    assert picture(plot(page)) == before


def test_the_language_switch_changes_the_text_the_curves_and_the_document(opened, report):
    page = opened(report)
    assert page.locator("main:visible h2").first.inner_text() == "Verdict"
    page.locator('button[data-language="zh"]').click()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert page.locator("main:visible").count() == 1
    assert "过拟合" in page.locator("main:visible .sentence").inner_text()
    assert "验证" in plot(page, language="zh").locator(".u-legend").inner_text()
    page.locator('button[data-language="en"]').click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert "evaluation" in plot(page).locator(".u-legend").inner_text()


def test_a_finding_shows_its_stretch_of_the_curve_and_the_chart_leads_back_to_it(opened, report):
    page = opened(report)
    page.locator("main:visible article[data-rule='OVERFIT-001'] .spot").click()
    low, high = shown_range(plot(page))
    assert 20 < low < 64
    assert high == 320
    page.locator("main:visible .spans a").first.click()
    assert page.evaluate("location.hash") == "#finding-OVERFIT-001-en"
    assert page.locator("#finding-OVERFIT-001-en").evaluate("e => e.getBoundingClientRect().top") < 900


def test_the_curves_can_be_read_by_keyboard(opened, report):
    page = opened(report)
    plot(page).focus()
    page.keyboard.press("ArrowRight")
    assert plot(page).get_by_role("status").inner_text().startswith("step 4: training loss 3.5421478748321533")
    page.keyboard.press("ArrowRight")
    assert plot(page).get_by_role("status").inner_text().startswith("step 8: training loss 2.470445156097412")
    page.keyboard.press("+")
    low, high = shown_range(plot(page))
    assert high - low < 316
    page.keyboard.press("0")
    assert shown_range(plot(page)) == (4, 320)


def test_every_drawn_point_stands_in_the_table_behind_the_chart(opened, report):
    page = opened(report)
    details = page.locator("main:visible details[data-table='loss']")
    details.locator("summary").click()
    details.locator("tbody tr").first.wait_for()
    assert details.locator("tbody tr").count() == 80
    rows = [row.split() for row in details.locator("tbody tr").all_inner_texts()]
    assert next(row for row in rows if row[0] == "64")[1::2] == ["0.6040467619895935", str(BEST)]


def test_a_tab_reaches_the_skip_link_the_switches_and_the_charts(opened, report):
    page = opened(report)
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className || document.activeElement.textContent"))
    assert reached[0] == "skip"
    assert reached[1:3] == ["English", "中文"]
    assert any("plot" in name for name in reached)


def test_the_page_has_one_main_landmark_named_controls_and_headings_in_order(opened, report):
    page = opened(report)
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("navigation").count() == 1
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button,a,summary,[role=region],figure')].filter(e => e.offsetParent &&"
        " !(e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby'))).map(e => e.outerHTML)"
    )
    assert unnamed == []
    levels = page.evaluate("[...document.querySelectorAll('main:not([hidden]) :is(h1,h2,h3,h4)')].map(e => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert [(a, b) for a, b in pairwise(levels) if b > a + 1] == []
    assert page.evaluate(
        "[...document.querySelectorAll('[id]')].length === new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("what", ["report", "index"])
def test_a_checker_of_accessibility_finds_nothing(browser, report, index, what, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install 'finetune-advisor[browser]'")
    # The checker is a script from outside, which the page's own policy would stop.
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto({"report": report, "index": index}[what].as_uri())
    for language in ("zh", "en"):
        page.locator(f'button[data-language="{language}"]').click()
        found = axe.Axe().run(page).response
        assert [(v["id"], [node["target"] for node in v["nodes"]]) for v in found["violations"]] == []
        assert len(found["passes"]) > 30
    context.close()


LOW_CONTRAST = """() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll('main:not([hidden]) *')) {
    if (!e.offsetParent || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) low.push([e.className, e.textContent.slice(0, 30), contrast]);
  }
  return low;
}"""
"""The texts whose contrast with their ground is below 4.5, as WCAG 2 computes it."""

OUTSIDE = """(width) => [...document.querySelectorAll('main:not([hidden]) *')].filter((e) => e.offsetParent
  && !e.closest('.scroll,.plot,.values,caption,h2') && e.getBoundingClientRect().right > width)
  .map((e) => e.outerHTML.slice(0, 80))"""


def test_on_a_phone_each_cell_of_a_table_says_what_it_is_and_nothing_has_to_be_scrolled_sideways(opened, report):
    page = opened(report, width=390, height=844)
    assert page.locator("main:visible .changes thead").bounding_box()["width"] <= 1
    said = page.locator("main:visible .changes td").first.evaluate("e => getComputedStyle(e, '::before').content")
    assert said == '"Old"'
    wide = page.evaluate(
        "[...document.querySelectorAll('main:not([hidden]) .scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    )
    assert wide == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast_in_light_and_in_dark(opened, report, scheme):
    page = opened(report, color_scheme=scheme)
    assert page.evaluate(LOW_CONTRAST) == []


def test_the_page_follows_the_system_and_can_be_switched_to_dark_by_hand(opened, report):
    page = opened(report, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light, drawn = page.evaluate(ground), picture(plot(page))
    page.locator("#theme").click()
    assert page.evaluate(ground) != light
    assert picture(plot(page)) != drawn
    assert opened(report, color_scheme="dark").evaluate(ground) == page.evaluate(ground)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [320, 768])
def test_no_text_leaves_a_narrow_page(opened, report, language, width):
    page = opened(report, width=width)
    page.locator(f'button[data-language="{language}"]').click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(OUTSIDE, width) == []


def test_on_paper_the_drawings_are_vectors_and_the_controls_are_gone(opened, report):
    page = opened(report)
    page.emulate_media(media="print")
    assert page.locator("main:visible svg.static").first.is_visible()
    assert not page.locator("main:visible canvas").first.is_visible()
    assert page.locator("button:visible").count() == 0
    assert page.pdf().startswith(b"%PDF")


def test_without_scripts_the_report_is_read_and_the_curves_are_seen(opened, report):
    page = opened(report, java_script_enabled=False)
    assert page.locator("main:visible svg.static").count() == 2
    assert page.locator("main:visible").count() == 1
    assert "Overfitting" in page.locator("main:visible .sentence").inner_text()
    assert page.locator("button:visible").count() == 0


def test_the_policy_stops_what_is_not_the_pages_own(opened, report):
    page, stopped = opened(report), []
    page.on("requestfailed", lambda request: stopped.append((request.url, request.failure)))
    page.evaluate("const s = document.createElement('script'); s.textContent = 'window.taken = 1'; document.body.append(s)")
    page.evaluate("const i = document.createElement('img'); i.src = 'https://example.invalid/x.png'; document.body.append(i)")
    page.wait_for_timeout(100)
    assert page.evaluate("window.taken") is None
    assert len(opened.said) >= 2
    assert [text for text in opened.said if "Content Security Policy" not in text] == []
    assert stopped == [("https://example.invalid/x.png", "csp")]
    opened.said.clear()
    opened.asked.remove("https://example.invalid/x.png")


def test_a_hostile_log_opens_no_dialog_and_shows_its_name_as_text(root, opened, tmp_path, rules):
    name = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    log = json.dumps({"event": "run", "schema": "advisor.log/1", "config": {name: name}}) + "\n"
    log += "\n".join(json.dumps({"step": i, "loss": 1 / i}) for i in range(1, 40)) + f"\nValueError: {name}\n"
    run = read_bytes(log.encode(), name)[0]
    material = Material(diagnose(run, [r for r in rules if r.subject == "run"]), Order(log=name, title=name))
    target = tmp_path / "report.html"
    target.write_bytes(html.render(editions(material, "en")))
    page = opened(target)
    assert page.title() == name
    assert page.locator("h1:visible").inner_text() == name
    assert page.locator("img").count() == 0


def test_a_million_points_are_drawn_at_once_and_the_spike_is_among_them(root, opened, tmp_path, rules):
    log = tmp_path / "long.jsonl"
    with log.open("w") as file:
        for i in range(1, 200_001):
            file.write(json.dumps({"step": i, "loss": 9.5 if i == 131_313 else round(1 + 0.1 * math.sin(i), 4)}) + "\n")
    target = tmp_path / "report.html"
    target.write_bytes(html.render(editions(Maker(rules).single(log), "en")))
    assert target.stat().st_size < 400_000
    page = opened(target)
    page.mouse.move(*to_x(page, plot(page), 131_313, 1, 200_000))
    page.locator("main:visible details[data-table='loss'] summary").click()
    page.locator("main:visible .values tr").first.wait_for()
    assert page.locator("main:visible .values tr", has_text="131313").inner_text().split()[:2] == ["131313", "9.5"]


def test_the_index_is_sorted_by_the_column_that_is_clicked(opened, index):
    page = opened(index)
    names = page.locator("main:visible tbody th a")
    assert names.all_inner_texts() == ["loss-explosion", "validation-rise", "sft-weather"]
    page.locator("main:visible th button", has_text=re.compile("^Best")).click()
    assert names.all_inner_texts() == ["sft-weather", "validation-rise", "loss-explosion"]
    assert page.locator("main:visible th[aria-sort='ascending']").inner_text().startswith("Best")
    page.locator("main:visible th button", has_text=re.compile("^Best")).click()
    assert names.all_inner_texts() == ["loss-explosion", "validation-rise", "sft-weather"]
    pages = names.evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert [(index.parent / name).exists() for name in pages] == [True] * 3
