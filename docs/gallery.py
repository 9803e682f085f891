"""Writes docs/gallery: the report of every sample log in both languages, to be looked at.

    python docs/gallery.py [--pages FOLDER]

For each sample: page one as a picture and the whole report as Markdown; for some also the PDF and the HTML. For the samples of
formats, mostly short, the Markdown. The same reports give the same files.
With --pages nothing is written there: the PDF of every report goes into FOLDER, its pages two by two as pictures
beside it, and what a program can see on them is said (page_checks.py); status 1 where there is anything. Needs the extra `pdf`,
and for --pages pypdfium2.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from advisor.errors import BadReport
from advisor.report import html, markdown, pdf
from advisor.report.build import editions
from advisor.report.making import Maker
from advisor.report.model import Report
from advisor.report.orders import Request
from advisor.rulebook import LANGUAGES, load

ROOT = Path(__file__).parent.parent
GALLERY = ROOT / "docs" / "gallery"
DATE = "2026-11-24"
WHOLE = ("faulty/validation-rise/trainer_state.json", "faulty/loss-explosion/run.jsonl", "healthy/stepwise-lora/run.jsonl")
"""Samples of which the PDF and the HTML are kept as well."""

DOTS_PER_INCH = 92
"""Of a preview: sharp enough to read the verdict, small enough to keep seventy of them."""

COLOURS = ("#22262b", "#5b6570", "#0072b2", "#d55e00", "#00795c", "#9a5b00", "#8f4f86", "#b3261e", "#9aa3ad")
SHADES = (0.0, 0.3, 0.55, 0.75, 0.9, 0.95)
PALETTE = np.array(
    [(255, 255, 255), *([round(part + (255 - part) * white) for part in ImageColor.getrgb(c)] for c in COLOURS for white in SHADES)]
)
"""The colours of the report, and each mixed with white, in shares of white."""


def samples() -> list[str]:
    """Return the paths of all sample logs that can be judged, below sample_logs."""
    listed = tomllib.loads((ROOT / "sample_logs/MANIFEST.toml").read_text(encoding="utf-8"))["sample"]
    return [sample["path"] for sample in listed if not sample["path"].startswith("broken/")]


def samples_of_formats() -> list[str]:
    """Return the paths of the logs that show a format, below sample_logs."""
    manifests = sorted((ROOT / "sample_logs/formats").glob("MANIFEST*.toml"))
    listed = [entry for path in manifests for entry in tomllib.loads(path.read_text(encoding="utf-8"))["sample"]]
    return [f"formats/{sample['path']}" for sample in listed]


def name_of(sample: str) -> str:
    """Return the name of a sample's files: `faulty-validation-rise` and the log, where a folder holds more than one."""
    path = Path(sample)
    if path.parts[0] == "formats":
        return sample
    same = [s for s in samples() if Path(s).parent == path.parent]
    parts = path.with_suffix("").parts if len(same) > 1 or path.suffix == "" else path.parts[:-1]
    return "-".join(parts)


def preview(report: Report) -> bytes:
    """Return page one as a small PNG in the colours of the report: a palette chosen by frequency would lose the rare ones."""
    page = np.asarray(Image.open(io.BytesIO(pdf.pages(report, DOTS_PER_INCH)[0])).convert("RGB"))
    colours, where = np.unique(page.reshape(-1, 3), axis=0, return_inverse=True)
    distance = ((colours[:, None, :].astype(int) - PALETTE[None, :, :]) ** 2).sum(axis=2)
    small = Image.fromarray(distance.argmin(axis=1)[where].reshape(page.shape[:2]).astype(np.uint8), "P")
    small.putpalette(PALETTE.ravel().tolist())
    stream = io.BytesIO()
    small.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def files_of(sample: str, reports: tuple[Report, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield (file name, content) of everything that is kept of a sample."""
    name = name_of(sample)
    for i, report in enumerate(reports):
        own_first = (report, *reports[:i], *reports[i + 1 :])
        yield f"{name}.{report.language}.png", preview(report)
        yield f"{name}.{report.language}.md", markdown.render(own_first)
        if sample in WHOLE:
            yield f"{name}.{report.language}.pdf", pdf.render(own_first)
    if sample in WHOLE:
        yield f"{name}.html", html.render(reports)


def entry(sample: str, reports: tuple[Report, ...]) -> str:
    """Return the lines of the index about one sample."""
    name = name_of(sample)
    said = [f"### {sample}", *(f"- {report.verdict.sentence}" for report in reports)]
    shown = []
    for report in reports:
        more = f" · [PDF]({name}.{report.language}.pdf)" if sample in WHOLE else ""
        file = f"{name}.{report.language}"
        alt = f"{report.language}: page one of the report of {sample}"
        picture = f'<a href="{file}.md"><img src="{file}.png" width="380" alt="{alt}"></a>'
        shown.append(f"<td>{picture}<br>[Markdown]({file}.md){more}</td>")
    page = f"\n\n[HTML]({name}.html): both languages in one file." if sample in WHOLE else ""
    return "\n".join(said) + "\n\n<table><tr>\n\n" + "\n".join(shown) + "\n\n</tr></table>" + page


def reported(paths: Iterable[str]) -> Iterator[tuple[str, tuple[Report, ...]]]:
    """Yield each of these samples with its report in every language; one that holds several runs has none."""
    os.chdir(ROOT)  # a report names its log as seen from here
    rules = load(subject="run")
    maker = Maker(rules, Request("", DATE, len(rules)), environment={})
    for sample in paths:
        try:
            made = maker.single(Path("sample_logs") / sample)
        except BadReport:
            continue
        yield sample, editions(made, sorted(LANGUAGES)[0])


def look(folder: Path) -> int:
    """Write every report as PDF and as pictures of its pages into `folder`; print and count what is wrong on them."""
    from page_checks import complaints, pictures  # type: ignore[import-not-found]  # it lies beside this program

    folder.mkdir(parents=True, exist_ok=True)
    found = 0
    for sample, reports in reported([*samples(), *samples_of_formats()]):
        for report in reports:
            name = f"{name_of(sample)}.{report.language}".replace("/", "-")
            document = pdf.render([report])
            (folder / f"{name}.pdf").write_bytes(document)
            for number, picture in enumerate(pictures(document), 1):
                picture.save(folder / f"{name}.{number}.png")
            for complaint in complaints(document):
                found += 1
                print(f"{name}: {complaint}")
    return found


def _of_formats() -> Iterator[str]:
    """Write the reports of the samples of formats; yield a row of the index for each."""
    for sample, reports in reported(samples_of_formats()):
        links = []
        for i, report in enumerate(reports):
            file = GALLERY / f"{name_of(sample)}.{report.language}.md"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(markdown.render((report, *reports[:i], *reports[i + 1 :])))
            links.append(f"[{report.language}]({file.relative_to(GALLERY).as_posix()})")
        yield f"| {sample.removeprefix('formats/')} | {reports[0].reader} | {' · '.join(links)} |"


def write() -> None:
    """Write the gallery anew."""
    shutil.rmtree(GALLERY, ignore_errors=True)
    GALLERY.mkdir()
    blocks = [
        "# Gallery",
        "The report of every sample log in both languages, made by `python docs/gallery.py`. A picture shows page one of the PDF "
        "and leads to the whole report as Markdown. The PDF itself is kept for three samples, so that the repository stays small; "
        "`advisor report LOG -o report.pdf` makes it for any.",
    ]
    for sample, reports in reported(samples()):
        for file, content in files_of(sample, reports):
            (GALLERY / file).write_bytes(content)
        blocks.append(entry(sample, reports))
    blocks += ["## One log of each format", "\n".join(["| log | read as | |", "|---|---|---|", *_of_formats()])]
    (GALLERY / "README.md").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def main() -> int:
    """Write the gallery, or look at the pages of all reports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=Path, metavar="FOLDER", help="write the PDFs and their pages here, and check them")
    folder = parser.parse_args().pages
    if folder is not None:
        return 1 if look(folder.resolve()) else 0
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
