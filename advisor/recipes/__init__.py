"""Recipes for methods other than plain fine-tuning, and for speed; importing this registers them beside those of `changes`."""

from advisor.changes import RECIPES
from advisor.recipes import alignment, throughput

__all__ = ["RECIPES", "alignment", "throughput"]
