"""Checks of the text of one good record. Each says yes or no of one row; how many rows are too many, the rules say."""

from advisor.data.quality.checks import CHECKS, examine

__all__ = ["CHECKS", "examine"]
