"""A plug-in in another distribution adds a format and a detector; a broken one is named and not a traceback."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent / "plugin_example"
LOG = "".join(f"@{step}:{3 - step / 100:.3f},{70 + step / 4:.1f}\n" for step in range(1, 101))


def build(source, into):
    """Build a wheel of a plain project as its pyproject.toml says, by nothing but the standard library."""
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    name = project["name"].replace("-", "_")
    info = f"{name}-{project['version']}.dist-info"
    points = "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    files = {
        str(path.relative_to(source)): path.read_text() for path in (source / name).rglob("*.*") if path.suffix in (".py", ".toml")
    }
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = points
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    wheel = into / f"{name}-{project['version']}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return wheel


def install(source, into):
    """Install a project into a folder of its own, by pip."""
    pytest.importorskip("pip")
    wheel = build(source, into)
    target = into / "site"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", target, wheel]
    subprocess.run(command, check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return install(EXAMPLE, tmp_path_factory.mktemp("plugin"))


def advisor(site, *arguments, cwd=None):
    environment = {**os.environ, "PYTHONPATH": str(site), "ADVISOR_LANG": "en"}
    return subprocess.run(
        [sys.executable, "-m", "advisor", *map(str, arguments)], capture_output=True, text=True, env=environment, cwd=cwd
    )


def test_a_plugins_format_is_read_and_its_rule_judges(site, tmp_path):
    (tmp_path / "run.abacus").write_text(LOG)
    rules = site / "advisor_plugin_example/rules"
    done = advisor(site, "analyze", tmp_path / "run.abacus", "--rules", rules, "--fail-on", "warning", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "abacus" in done.stdout
    assert "EXAMPLE-001" in done.stdout
    assert "The device reached 95 °C at step 100." in done.stdout
    assert "abacus" in advisor(site, "formats").stdout
    assert "EXAMPLE-001" in advisor(site, "rules", "list", "--rules", rules).stdout
    assert "3 cases of 1 rules hold" in advisor(site, "rules", "test", rules / "hardware/overheated.toml").stdout


def test_a_plugins_renderer_writes_reports_of_its_own_kind(site, tmp_path):
    (tmp_path / "run.abacus").write_text(LOG)
    rules = site / "advisor_plugin_example/rules"
    done = advisor(site, "report", "run.abacus", "--rules", rules, "-o", "report.tally", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.tally").read_text().startswith("warning: EXAMPLE-001")
    done = advisor(tmp_path, "report", "run.abacus", "-o", "report.tally", cwd=tmp_path)
    assert "no report format `tally`; there are github, html, json, md, pdf" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "from collections.abc",
            "import no_such_library\nfrom collections.abc",
            "cannot be loaded: No module named 'no_such_library'",
        ),
        ("def render(", "render = 7\n\n\ndef other(", "is no function"),
    ],
)
def test_a_broken_renderer_is_one_line_that_names_its_distribution(tmp_path, old, new, said):
    shutil.copytree(EXAMPLE, tmp_path / "source")
    path = tmp_path / "source/advisor_plugin_example/renderer.py"
    path.write_text(path.read_text().replace(old, new, 1))
    (tmp_path / "run.log").write_text("step 1 loss 2.31\nstep 2 loss 2.25\n")
    done = advisor(install(tmp_path / "source", tmp_path), "report", "run.log", "-o", "report.tally", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
    assert "advisor-plugin-example" in done.stderr


def test_without_the_plugin_the_same_log_and_rule_are_clear_errors(site, tmp_path):
    (tmp_path / "run.abacus").write_text(LOG)
    done = advisor(tmp_path, "analyze", tmp_path / "run.abacus")
    assert done.returncode == 2
    assert "no training log" in done.stderr
    done = advisor(tmp_path, "rules", "list", "--rules", site / "advisor_plugin_example/rules")
    assert done.returncode == 2
    assert "no detector `overheated`" in done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("reader.py", "import re\n", "import no_such_library\n", "cannot be loaded: ModuleNotFoundError"),
        ("reader.py", "FORMAT = Format(", "FORMAT = dict(", "expected an advisor.readers.base.Format"),
        ("detectors.py", "def overheated", "raise SystemError('boom')\n\n\ndef overheated", "cannot be loaded: SystemError: boom"),
        (
            "detectors.py",
            "def overheated(",
            "def validation_rise(",
            "registers a detector `validation_rise`, which there is already",
        ),
    ],
)
def test_a_broken_plugin_is_one_line_that_names_its_entry_point(tmp_path, file, old, new, said):
    shutil.copytree(EXAMPLE, tmp_path / "source")
    path = tmp_path / "source/advisor_plugin_example" / file
    text = path.read_text()
    changed = text.replace("@detector\n", "", 1).replace(old, new, 1) if "SystemError" in new else text.replace(old, new, 1)
    assert changed != text
    path.write_text(changed)
    (tmp_path / "run.abacus").write_text(LOG)
    done = advisor(install(tmp_path / "source", tmp_path), "analyze", tmp_path / "run.abacus", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
    assert re.search(r"plug-in advisor-plugin-example: entry point `\w+ = advisor_plugin_example\.\w+", done.stderr)


def test_the_example_is_what_its_readme_says():
    readme = (EXAMPLE / "README.md").read_text()
    for name in ("reader.py", "detectors.py", "renderer.py", "rules/hardware/overheated.toml", "pyproject.toml"):
        assert name in readme
        assert (EXAMPLE / name).is_file() or (EXAMPLE / "advisor_plugin_example" / name).is_file()
