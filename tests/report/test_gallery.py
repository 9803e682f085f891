"""The gallery holds the report of every sample in both languages; `python docs/gallery.py` makes it."""

import re

from advisor.readers import read_path

MOST_OF_A_PREVIEW = 60_000
MADE_ANEW = "make the gallery anew: python docs/gallery.py"


def test_every_sample_is_there_in_both_languages(gallery):
    missing = [
        f"{name}.{language}.{kind}"
        for name in map(gallery.name_of, gallery.samples())
        for language in gallery.LANGUAGES
        for kind in ("png", "md")
        if not (gallery.GALLERY / f"{name}.{language}.{kind}").is_file()
    ]
    assert missing == [], MADE_ANEW


def test_every_log_of_a_format_that_holds_one_run_is_there_in_both_languages(gallery, root):
    missing = {
        sample
        for sample in gallery.samples_of_formats()
        for language in gallery.LANGUAGES
        if not (gallery.GALLERY / f"{sample}.{language}.md").is_file()
    }
    assert [sample for sample in missing if len(read_path(root / "sample_logs" / sample)) == 1] == [], MADE_ANEW


def test_no_two_samples_have_one_name(gallery):
    names = list(map(gallery.name_of, [*gallery.samples(), *gallery.samples_of_formats()]))
    assert sorted(set(names)) == sorted(names)


def test_previews_are_small(gallery):
    previews = list(gallery.GALLERY.glob("*.png"))
    assert previews
    assert [p.name for p in previews if p.stat().st_size > MOST_OF_A_PREVIEW] == []


def test_every_link_and_picture_of_the_index_leads_somewhere(gallery):
    index = (gallery.GALLERY / "README.md").read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="([^"]+)"|\]\(([^)]+)\)', index)
    links = [a or b for a, b in links]
    assert len(links) >= 4 * len(gallery.samples())
    assert [link for link in links if not (gallery.GALLERY / link).is_file()] == []


def test_the_gallery_of_one_sample_can_be_made(gallery, root, monkeypatch):
    monkeypatch.chdir(root)
    from pathlib import Path

    from advisor.report.build import editions
    from advisor.report.making import Maker

    sample = gallery.WHOLE[0]
    reports = editions(Maker(gallery.load(subject="run")).single(Path("sample_logs") / sample), "en")
    made = dict(gallery.files_of(sample, reports))
    assert {name.rsplit(".", 1)[1] for name in made} == {"png", "md", "pdf", "html"}
    assert all(content.startswith(b"\x89PNG") for name, content in made.items() if name.endswith("png"))
    assert made == dict(gallery.files_of(sample, reports))
