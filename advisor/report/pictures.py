"""A Markdown report with its curves as pictures beside it. Needs the extra `pdf`, which draws them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from advisor.config_writer import save_bytes
from advisor.errors import MissingExtra
from advisor.locale import strings
from advisor.report.markdown import document
from advisor.report.model import Report


def write_with_pictures(reports: Sequence[Report], target: Path) -> None:
    """Write the report to `target`, and a PNG of each chart beside it. Raises MissingExtra where nothing can draw."""
    try:
        from advisor.report.charts import picture
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"pictures of the curves need `{error.name}`, which is not installed; pip install 'finetune-advisor[pdf]'"
        ) from error
    report = reports[0]
    names: dict[str, str] = {}
    for chart in report.charts:
        if chart.lines:
            name = f"{target.stem}-{chart.name}.png"
            save_bytes(picture(chart, "png", strings(report.language, "picture")), target.with_name(name))
            names[chart.name] = quote(name)
    save_bytes(document(report, names).encode("utf-8", "replace"), target)
