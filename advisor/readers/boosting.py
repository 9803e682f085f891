"""Consoles of the gradient boosters: XGBoost, LightGBM (Python and command line) and CatBoost.

They print one metric for each data set and iteration. What is minimised is a loss, what is maximised never is one. Where
several losses are printed one of them is judged: the first cross-entropy, else the first other error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from advisor.readers.base import Format, Record, Row, Source
from advisor.readers.clean import NUMBER, number, strip_ansi
from advisor.readers.events import event_in

_CROSS_ENTROPIES = (
    "logloss", "mlogloss", "binary_logloss", "multi_logloss", "cross_entropy", "cross_entropy_lambda", "xentropy", "xentlambda",
)  # fmt: skip
_ERRORS = (
    "rmse", "mae", "mse", "l1", "l2", "rmsle", "mape", "mphe", "smape", "huber", "fair", "quantile", "poisson", "gamma", "tweedie",
    "gamma_deviance", "gamma-deviance", "poisson-nloglik", "gamma-nloglik", "tweedie-nloglik", "cox-nloglik", "aft-nloglik",
    "kullback_leibler", "kldiv", "expectile", "crps", "error", "merror", "binary_error", "multi_error", "hinge",
)  # fmt: skip
_MINIMISED = dict.fromkeys(_CROSS_ENTROPIES, "loss") | dict.fromkeys(_ERRORS, "error")
"""What each metric that is minimised counts as: a mean loss in nats, or an error of another unit."""

_TRAIN_SET = re.compile(r"d?train(?:ing)?|learn|trn", re.IGNORECASE)
_EVAL_SET = re.compile(r"val|eval|dev", re.IGNORECASE)
_METRIC_NAMES = "|".join(sorted(map(re.escape, _MINIMISED), key=len, reverse=True))

_NUMBERED = re.compile(r"(?:^|[\s\]:])\[(\d+)\](?:\s|#011)+(?=\S)|\bIteration:\s*(\d+), ")
"""`[10]`, or `Iteration:10, ` of LightGBM's command line. SageMaker writes `#011` for a tabulator."""

_DASHED = re.compile(
    rf"(?<![^\s\t])(?P<set>[^\s:]+?)-(?P<metric>(?:{_METRIC_NAMES})(?:@[\d.]+)?|[^\s:-]+):(?P<value>{NUMBER})", re.IGNORECASE
)
_POSSESSIVE = re.compile(rf"(?P<set>\S+)'s (?P<metric>[^\s:]+): (?P<value>{NUMBER})", re.IGNORECASE)
_SPACED = re.compile(rf"(?P<set>\S+) (?P<metric>\S+) : (?P<value>{NUMBER})", re.IGNORECASE)
_RETOLD = re.compile(r"best iteration is:", re.IGNORECASE)
"""LightGBM's announcement that its best iteration is printed once more."""

_CATBOOST = re.compile(rf"^(\d+):\s+(?=(?:learn|test\d*): (?:{NUMBER}))", re.IGNORECASE)
_PAIR = re.compile(rf"(learn|test\d*|best): ({NUMBER})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Value:
    """One number of a line: of which data set, by which metric (lower case, without its `@` parameter)."""

    data: str
    metric: str
    value: float


def read(source: Source) -> Iterator[Record]:
    """Yield a row for each iteration that XGBoost or LightGBM prints, and the events between them."""
    head = [value for text in source.head.splitlines() for value in _line(text)[1]]
    judged = _judged_metric(head)
    roles = _roles(head)
    retold = False
    for line, raw in source.lines():
        iteration, values = _line(strip_ansi(raw))
        if iteration is None:
            retold = _RETOLD.search(raw) is not None
            if (event := event_in(raw, line)) is not None:
                yield event
            continue
        measured = {_name(v, judged, roles): v.value for v in reversed(values)}
        if measured and not retold:
            yield Row(line, {"step": float(iteration), **measured})
        retold = False


def _line(text: str) -> tuple[int | None, list[_Value]]:
    """Return the iteration that a line tells of, and the metrics it prints."""
    found = _NUMBERED.search(text)
    if found is None:
        return None, []
    rest = text[found.end() :].replace("#011", "\t")
    pattern = _SPACED if found[2] else _POSSESSIVE if "'s " in rest else _DASHED
    values = []
    for match in pattern.finditer(rest):
        value = number(match["value"])
        if value is not None:
            values.append(_Value(match["set"], match["metric"].lower().partition("@")[0], value))
    return int(found[1] or found[2]), values


def _judged_metric(values: Iterable[_Value]) -> str | None:
    """Return the metric that is taken for the loss: the first cross-entropy, else the first other that is minimised."""
    metrics = list(dict.fromkeys(v.metric for v in values if v.metric in _MINIMISED))
    return min(metrics, key=lambda m: _MINIMISED[m] != "loss", default=None)


def _roles(values: Iterable[_Value]) -> Mapping[str, str]:
    """Return which data set is the training's and which the evaluation's; others are told by their own name.

    Of several evaluation sets it is the last named like one, else the last, by which XGBoost stops early too. scikit-learn's
    interface names no sets: by custom the first of several is the training set.
    """
    sets = list(dict.fromkeys(v.data for v in values))
    train = [s for s in sets if _TRAIN_SET.match(s)]
    if not train and "validation_0" in sets and len(sets) > 1:
        train = ["validation_0"]
    rest = [s for s in sets if s not in train]
    evaluation = [s for s in rest if _EVAL_SET.search(s)] or rest
    return dict.fromkeys(train[:1], "train") | dict.fromkeys(evaluation[-1:], "eval")


def _name(value: _Value, judged: str | None, roles: Mapping[str, str]) -> str:
    role = roles.get(value.data)
    if role and value.metric == judged:
        return f"{role}_{_MINIMISED[value.metric]}"
    plain = value.metric.replace("-", "_")
    return f"{role}_{plain}" if role else f"eval_{value.data}_{plain}"


def read_catboost(source: Source) -> Iterator[Record]:
    """Yield a row for each iteration that CatBoost prints. It names no metric: the best value tells which way is better."""
    kind = "score" if _is_maximised(_catboost_values(text) for _, text in source.lines()) else "error"
    names = {"learn": f"train_{kind}", "test": f"eval_{kind}"}
    for line, raw in source.lines():
        text = strip_ansi(raw)
        found = _CATBOOST.match(text)
        if found is None:
            if (event := event_in(text, line)) is not None:
                yield event
            continue
        measured = {names.get(n, f"eval_{n}_{kind}"): value for n, value in _catboost_values(text).items() if n != "best"}
        yield Row(line, {"step": float(found[1]), **measured})


def _catboost_values(text: str) -> Mapping[str, float]:
    pairs = ((name.lower(), number(value)) for name, value in _PAIR.findall(text)) if _CATBOOST.match(text) else ()
    return {name: value for name, value in pairs if value is not None}


def _is_maximised(rows: Iterable[Mapping[str, float]]) -> bool:
    """Tell whether the best value so far is the highest: it has been above the present one, or rose with it."""
    above = below = 0
    first = last = None
    for values in rows:
        if "best" in values and "test" in values:
            above += values["best"] > values["test"]
            below += values["best"] < values["test"]
            last = values["test"]
            first = last if first is None else first
    if above or below or first is None or last is None:
        return above > below
    return last > first


FORMAT = Format(
    name="boosting",
    serves=("SageMaker XGBoost",),
    title={"en": "XGBoost and LightGBM console", "zh": "XGBoost、LightGBM 控制台输出"},
    read=read,
    head=(
        r"(?:^|[\s\]:])\[\d+\](?:\s|#011)+[^\s:=]+-[^\s:=]+:[-\d.n]",
        r"^\[\d+\]\s+\S+'s [^\s:]+: ",
        r"\[LightGBM\] \[Info\] Iteration:\d+, ",
    ),
    example="[0]\ttrain-logloss:0.56110\ttrain-auc:0.90505\teval-logloss:0.60431\teval-auc:0.82911\n"
    "[5]\ttraining's binary_logloss: 0.524659\tvalid_1's binary_logloss: 0.576659",
)
CATBOOST = Format(
    name="catboost",
    title={"en": "CatBoost console", "zh": "CatBoost 控制台输出"},
    read=read_catboost,
    head=(r"^\d+:\s+(?:learn|test\d*): [-\d.]",),
    example="0:\tlearn: 0.6621083\ttest: 0.6625324\tbest: 0.6625324 (0)\ttotal: 49.4ms\tremaining: 1.43s\n"
    "5:\tlearn: 0.5768217\ttest: 0.5887572\tbest: 0.5887572 (5)\ttotal: 66.1ms\tremaining: 264ms",
)
