"""From what was seen to a number: recipes by name. A recipe returns (old, new), or None where it has no number to give.

Every module of this package registers its recipes when it is imported; all are imported here.
"""

from importlib import import_module
from pkgutil import iter_modules

from advisor.recipes.base import LARGEST_STEP, RANGES, RECIPES, Context

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["LARGEST_STEP", "RANGES", "RECIPES", "Context"]
