"""The formats in the order in which they are tried, each loaded when it is asked for the first time: most logs need but a few."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module

from advisor.errors import BadPlugin
from advisor.plugins import READERS, load_all
from advisor.readers.base import Format

BINARY = ("tensorboard.FORMAT", "wandb.FORMAT", "swanlab.FORMAT", "trackio.FORMAT", "mlflow.DATABASE")
"""Formats that begin with bytes of their own; each of their files holds zero bytes near its beginning."""

TEXT = (
    "trainer_state.FORMAT", "advisor_log.FORMAT", "notebook.FORMAT", "mlflow.FORMAT", "json_document.ARRAY", "json_document.FORMAT",
    "fairseq.FORMAT", "keras_console.FORMAT", "hf_console.FORMAT", "json_lines.FORMAT", "wandb.CHART", "ultralytics.FORMAT",
    "ultralytics_console.FORMAT", "table.FORMAT", "table.LONG", "fastai.FORMAT", "boosting.FORMAT", "boosting.CATBOOST",
    "marian.FORMAT", "espnet.FORMAT", "litgpt.FORMAT", "mlx_console.FORMAT",
    "sockeye.FORMAT", "paragraphs.FORMAT", "terse.FORMAT", "text.FORMAT",
)  # fmt: skip


@lru_cache(maxsize=1)
def added() -> tuple[Format, ...]:
    """Return the formats that plug-ins add by the entry point `advisor.readers.v1`. Raises BadPlugin."""
    found = []
    for name, loaded in load_all(READERS):
        if not isinstance(loaded, Format):
            raise BadPlugin(f"{name} is {type(loaded).__name__}; expected an advisor.readers.base.Format")
        found.append(loaded)
    return tuple(found)


def text_formats() -> Iterator[Format]:
    """Yield the formats of text in the order in which they are tried, those of plug-ins first."""
    yield from (f for f in added() if not f.magic)
    yield from map(_built_in, TEXT)


def binary_formats() -> Iterator[Format]:
    """Yield the binary formats in the order in which they are tried, those of plug-ins first."""
    yield from (f for f in added() if f.magic)
    yield from map(_built_in, BINARY)


def formats() -> tuple[Format, ...]:
    """Return all formats: those of plug-ins, then our own."""
    return (*added(), *map(_built_in, (*BINARY, *TEXT)))


@lru_cache
def _built_in(name: str) -> Format:
    module, attribute = name.split(".")
    found = getattr(import_module(f"advisor.readers.{module}"), attribute)
    assert isinstance(found, Format)
    return found
