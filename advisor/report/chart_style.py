"""How the charts look: colours that stay apart for every kind of colour vision, sizes, and the settings of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.model import Severity

BLUE, VERMILION, GREEN, ORANGE, PURPLE = "#0072b2", "#d55e00", "#00795c", "#b36b00", "#8f4f86"
"""Okabe and Ito's palette, three of them darkened until they can be read as text on white."""

INK, MUTED, FRAME, GRID = "#22262b", "#5b6570", "#9aa3ad", "#e6e9ec"

COLOUR: Mapping[str, str] = {
    "train_loss": BLUE, "reward": BLUE, "eval_loss": VERMILION, "eval_reward": VERMILION,
    "grad_norm": PURPLE, "learning_rate": GREEN,
}  # fmt: skip
FORECAST = MUTED
SEVERITY: Mapping[Severity, str] = {"error": "#b3261e", "warning": ORANGE, "info": MUTED}

TEXT, SMALL = 7.0, 6.4
"""Sizes of text in points."""

FAINT, STRONG = 0.7, 1.5
"""Widths of curves in points."""


def settings() -> dict[str, Any]:
    """Return the settings of matplotlib, complete: nothing of a user's own configuration is taken over."""
    return {
        "font.family": ["Inter", "Noto Sans SC"],
        "font.size": TEXT,
        "axes.labelsize": TEXT,
        "axes.labelcolor": MUTED,
        "axes.edgecolor": FRAME,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "grid.color": GRID,
        "grid.linewidth": 0.5,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "xtick.color": FRAME,
        "ytick.color": FRAME,
        "xtick.labelcolor": MUTED,
        "ytick.labelcolor": MUTED,
        "xtick.major.size": 2.5,
        "ytick.major.size": 0,
        "xtick.major.width": 0.6,
        "text.color": INK,
        "text.parse_math": False,  # a series may be called `$x`
        "lines.solid_capstyle": "round",
        "lines.solid_joinstyle": "round",
        "path.simplify": True,
        "svg.fonttype": "path",
        "svg.hashsalt": "advisor",
        "figure.facecolor": "white",
    }
