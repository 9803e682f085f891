"""The facts of a run: model, method, sizes, seed, versions, and what identifies the log."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model import Value
from advisor.render.words import Words, counts, value_text
from advisor.report.figures import seconds_of
from advisor.report.material import Material
from advisor.report.model import Entry
from advisor.report.orders import shown_name
from advisor.signals.settings import DEVICES, MODEL_NAMES

KNOWN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("model", (*MODEL_NAMES, "model_type")),
    ("method", ("method", "peft_type")),
    ("precision", ("bf16", "fp16", "torch_dtype", "precision")),
    ("batch", ("per_device_train_batch_size",)),
    ("accumulation", ("gradient_accumulation_steps",)),
    ("devices", DEVICES),
    ("rate", ("learning_rate",)),
    ("scheduler", ("lr_scheduler_type",)),
    ("epochs", ("num_train_epochs",)),
    ("steps", ("max_steps",)),
    ("rows", ("train_rows",)),
    ("rank", ("lora_r",)),
    ("seed", ("seed",)),
)
"""Facts by name, and the settings that hold each, the first that is set counts."""

VERSION_ENDS = ("_version", "version")
SWITCHES = ("bf16", "fp16")
LENGTHS = ("epochs", "steps")
MOST_OTHERS = 40


def facts(material: Material, words: Words) -> tuple[Entry, ...]:
    """Return what identifies the run; what the log does not say is left out."""
    return tuple(_facts(material, words))


def _facts(material: Material, words: Words) -> Iterator[Entry]:
    run, config = material.run, dict(material.config)

    def entry(name: str, value: str) -> Entry:
        return Entry(name, words(f"fact.{name}"), value)

    yield entry("reader", run.reader)
    yield entry("points", words("points", **counts(run)))
    yield entry("objective", material.diagnosis.objective)
    if config.get("objective") == material.diagnosis.objective:
        config.pop("objective")
    for name, settings in KNOWN:
        found = [s for s in settings if _is_set(name, config.get(s))]
        if found:
            value = config[found[0]]
            if name == "model" and isinstance(value, str):
                value = shown_name(value)
            yield entry(name, found[0] if found[0] in SWITCHES else _value(value))
        for setting in settings:
            if setting in found or name in LENGTHS:
                config.pop(setting, None)
    if (size := material.get("model_parameters")) is not None:
        yield entry("parameters", f"{size:.3g}")
    if (seconds := seconds_of(material)) is not None:
        yield entry("duration", words.duration(seconds))
    if material.order.device:
        yield entry("device", material.order.device)
    versions = {name: value for name, value in config.items() if name.endswith(VERSION_ENDS)}
    if said := {**material.order.versions, **versions}:
        yield entry("versions", words("separator").join(f"{name} {_value(value)}" for name, value in said.items()))
    others = {name: value for name, value in config.items() if name not in versions}
    if others:
        shown = [f"{name} = {_value(value)}" for name, value in list(others.items())[:MOST_OTHERS]]
        rest = len(others) - len(shown)
        yield entry("settings", words("separator").join(shown) + (f" … (+{rest})" if rest else ""))
    if not material.config:
        yield entry("settings", words("no_settings"))
    if material.order.log_sha256:
        yield entry("log_sha256", material.order.log_sha256)


def _is_set(name: str, value: Value | None) -> bool:
    """Tell whether a setting says anything: Trainers write -1 for a length that the other one gives."""
    unset = name in LENGTHS and isinstance(value, int | float) and value <= 0
    return not unset and value not in (None, "", False)


def _value(value: Value) -> str:
    return value_text(value, "")
