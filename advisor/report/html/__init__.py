"""A report as one HTML file that needs nothing else: no network, no fonts, no other file; see `page`."""

from advisor.report.html.page import render, render_index

__all__ = ["render", "render_index"]
