"""Writes the pages that the program prints by itself: rules, formats, command line, coverage of the guidance, and the output
shown in the READMEs and in pages written by hand.

python docs/generate.py          writes them
python docs/generate.py --check  status 1 where one is stale
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from advisor.causes import load_causes
from advisor.cli import COMMANDS, main
from advisor.render.words import Words
from advisor.rulebook import Rule, load

ROOT = Path(__file__).parent.parent
_SHOWN = re.compile(r"(<!-- output of: advisor (?P<arguments>.*?) -->\n```text\n).*?(```\n)", re.DOTALL)


def run(*arguments: str) -> str:
    """Return what `advisor` prints for these arguments, 80 columns wide."""
    result = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(main, list(arguments), catch_exceptions=False)
    return result.stdout


def pages() -> Iterator[tuple[Path, str]]:
    """Yield (path, content) of every generated page."""
    for language, suffix in (("en", ""), ("zh", ".zh")):
        for family in (*sorted({rule.family for rule in load()}), "causes"):
            yield ROOT / f"docs/rules/{family}{suffix}.md", run("rules", "show", "--family", family, "--lang", language)
        yield ROOT / f"docs/rules/README{suffix}.md", index(language, suffix)
        yield ROOT / f"docs/formats{suffix}.md", run("formats", "--format", "markdown", "--lang", language)
    yield ROOT / "docs/cli.md", command_line()
    yield ROOT / "docs/guidance-coverage.md", guidance_coverage()
    for name in ("README.md", "README.zh.md", "docs/should-finetune.md", "docs/plan.md"):
        path = ROOT / name
        yield path, _SHOWN.sub(_shown, path.read_text(encoding="utf-8"))


def index(language: str, suffix: str) -> str:
    """Return the list of all rules, a table for each family, linked to their pages."""
    words, blocks = Words(language), []
    by_family: dict[str, list[Rule]] = {}
    for rule in load():
        by_family.setdefault(rule.family, []).append(rule)
    blocks.append(f"# {words('rules_title')}\n\n{words('generated', command='python docs/generate.py')}")
    for family, rules in by_family.items():
        rows = [f"- `{rule.id}` {words(f'severity.{rule.severity}')}: {rule.words[language]['title']}" for rule in rules]
        blocks.append(f"## [{family}]({family}{suffix}.md)\n\n" + "\n".join(rows))
    rows = [f"- `{cause.name}`: {cause.words[language]['title']}" for cause in load_causes()]
    blocks.append(f"## [{words('causes_heading')}](causes{suffix}.md)\n\n" + "\n".join(rows))
    return "\n\n".join(blocks) + "\n"


def _shown(match: re.Match[str]) -> str:
    return match[1] + run(*match["arguments"].split()) + match[3]


def command_line() -> str:
    """Return the help of every command as one Markdown page."""
    blocks = ["# Command line", "Printed by `python docs/generate.py`; do not edit.", _help(["--help"])]
    for name in COMMANDS:
        blocks.append(_help([name, "--help"]))
        command = main.get_command(click.Context(main), name)
        if isinstance(command, click.Group):
            blocks += [_help([name, inner, "--help"]) for inner in command.commands]
    return "\n\n".join(blocks) + "\n"


def covered_rows() -> dict[str, list[str]]:
    """Return the rows of the guidance table that rules name: row → rule ids."""
    rows: dict[str, list[str]] = {}
    for rule in load():
        for row in rule.guidance:
            rows.setdefault(row, []).append(rule.id)
    return rows


def open_rows() -> dict[str, str]:
    """Return the rows of the guidance table that no rule covers: row → reason."""
    groups = tomllib.loads((ROOT / "docs/guidance-open.toml").read_text(encoding="utf-8"))
    return {row: group["reason"] for group in groups.values() for row in group["rows"]}


def guidance_coverage() -> str:
    """Return the page that says which rules cover which row of the documented symptoms, causes and remedies."""
    covered, still_open = covered_rows(), open_rows()
    lines = [
        "# Coverage of the documented guidance", "",
        "Printed by `python docs/generate.py`; do not edit. Rows are symptoms and causes of the documented guidance; a rule names",
        "those it covers in its `guidance`. What no rule covers stands below with the reason (`docs/guidance-open.toml`).", "",
        f"{len(covered)} of {len(covered.keys() | still_open.keys())} rows are covered.", "",
        "| row | rules |", "|---|---|",
        *(f"| `{row}` | {', '.join(covered[row])} |" for row in sorted(covered)), "",
        "## Not covered", "",
        "| row | why |", "|---|---|",
        *(f"| `{row}` | {still_open[row]} |" for row in sorted(still_open)),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _help(arguments: list[str]) -> str:
    heading = " ".join(["advisor", *arguments[:-1]])
    return f"## `{heading}`\n\n```text\n{run(*arguments).replace('Usage: main', 'Usage: advisor')}```"


def write(check: bool) -> int:
    """Write the stale pages, or with `check` only name them and return 1."""
    stale = [(path, text) for path, text in pages() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        print(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(write("--check" in sys.argv[1:]))
