"""Detectors of what speaks for or against training a model for a task.

argues: what a rule speaks for: one of the outcomes, `training` where it is a reason to train at all, or `note`. order: of the
rules that fire, the one with the smallest number decides. A detector asks for facts one after the other and stops as soon as it
knows: what it did not ask for is not asked of a person either.
"""

from __future__ import annotations

from advisor.detectors.registry import detector_about
from advisor.model import Facts, Hit
from advisor.task import Task

about_task = detector_about("task")

KNOWLEDGE_TASKS = ("domain-task", "knowledge-qa")
"""Tasks that text of their domain teaches something for."""


def _hit(argues: str, order: int, **facts: float | str) -> Hit:
    said: Facts = {"argues": argues, "order": order, **facts}
    return Hit(said)


# Is there a reason to train?


@about_task
def prompt_suffices(task: Task, *, argues: str, order: int) -> Hit | None:
    """Prompts already give good enough answers, and nothing is to become cheaper."""
    if not task.has("prompt_result") and task.word("prompting") == "none":
        return None
    if task.word("prompt_result") != "good-enough" or task.word("wish") == "cheaper":
        return None
    return _hit(argues, order)


@about_task
def base_score_high(task: Task, *, argues: str, order: int, least: float) -> Hit | None:
    """The model as it is scores `least` or more, and nothing is to become cheaper."""
    if not task.has("base_score") or task.number("base_score") < least or task.word("wish") == "cheaper":
        return None
    return _hit(argues, order, score=task.number("base_score"), least=least)


@about_task
def knowledge_questions(task: Task, *, argues: str, order: int) -> Hit | None:
    """Questions about a body of knowledge, and the model has not yet been given the passages to answer from."""
    if task.word("task") != "knowledge-qa" or task.word("retrieval") == "not-enough":
        return None
    return _hit(argues, order)


@about_task
def unknowable_facts(task: Task, *, argues: str, order: int, knowledge: str) -> Hit | None:
    """Answers need facts of this kind, which the weights do not hold, and retrieval was not tried."""
    if task.word("knowledge") != knowledge or task.word("retrieval") == "not-enough":
        return None
    return _hit(argues, order)


@about_task
def prompting_untried(task: Task, *, argues: str, order: int) -> Hit | None:
    """No prompt has been tried, of a model that follows prompts."""
    return _hit(argues, order) if task.word("prompting") == "none" and task.word("model") != "base" else None


@about_task
def prompting_shallow(task: Task, *, argues: str, order: int) -> Hit | None:
    """A few prompts were tried, of a model that follows prompts, and came close."""
    if task.word("prompting") != "basic" or task.word("prompt_result") != "close" or task.word("model") == "base":
        return None
    return _hit(argues, order)


@about_task
def of_a_domain(task: Task, *, argues: str, order: int) -> Hit | None:
    """The task rests on the background of a vertical domain."""
    return _hit(argues, order) if task.word("task") == "domain-task" else None


@about_task
def prompting_exhausted(task: Task, *, argues: str, order: int, least_difficulty: str) -> Hit | None:
    """Much prompt engineering was done, the task is at least so difficult, and results fall short."""
    if task.word("prompting") != "extensive" or not task.at_least("prompt_result", "close"):
        return None
    return _hit(argues, order) if task.at_least("difficulty", least_difficulty) else None


@about_task
def style_demanded(task: Task, *, argues: str, order: int, least: str) -> Hit | None:
    """Every answer must follow a style or a format of its own."""
    return _hit(argues, order) if task.at_least("style", least) else None


@about_task
def untuned_model(task: Task, *, argues: str, order: int) -> Hit | None:
    """The model is a base model, which completes text and follows no instruction."""
    return _hit(argues, order) if task.word("model") == "base" else None


@about_task
def cheaper_wanted(task: Task, *, argues: str, order: int) -> Hit | None:
    """Long prompts work or nearly do, and answers are to become cheaper or faster."""
    return _hit(argues, order) if task.word("wish") == "cheaper" and task.word("prompting") == "extensive" else None


@about_task
def preferences_wanted(task: Task, *, argues: str, order: int) -> Hit | None:
    """Of several possible answers some are to be preferred."""
    return _hit(argues, order) if task.word("task") == "preference" else None


@about_task
def without_a_case(reasons: tuple[str, ...], *, argues: str, order: int) -> Hit | None:
    """None of the documented reasons to train applies."""
    return None if reasons else _hit(argues, order)


# Can the data carry it?


def _after_tuning(task: Task) -> bool:
    """Tell whether preferences are what is left to train."""
    return task.word("task") == "preference" and task.word("model") == "fine-tuned"


def _raw_text(task: Task) -> float:
    """Return the tokens of text of the domain; 0 where such text would teach nothing for the task."""
    return task.number("raw_tokens") if task.word("task") in KNOWLEDGE_TASKS else 0.0


@about_task
def rows_missing(task: Task, *, argues: str, order: int, least: int, recommended: int, least_tokens: float) -> Hit | None:
    """Fewer than `least` rows with answers, and no text of `least_tokens` or more to make rows of."""
    if _after_tuning(task) or task.number("rows") >= least or _raw_text(task) >= least_tokens:
        return None
    rows = int(task.number("rows"))
    return _hit(argues, order, rows=rows, least=least, recommended=recommended, lacking=least - rows)


@about_task
def pairs_missing(task: Task, *, argues: str, order: int, least: int, recommended: int) -> Hit | None:
    """Preferences are to be trained with fewer than `least` pairs."""
    if not _after_tuning(task) or task.number("pairs") >= least:
        return None
    pairs = int(task.number("pairs"))
    return _hit(argues, order, pairs=pairs, least=least, recommended=recommended, lacking=least - pairs)


@about_task
def quality_poor(task: Task, *, argues: str, order: int, least_health: float) -> Hit | None:
    """The data are poor: by the share of rows without a fault where it was measured, else by what is said of them."""
    if task.has("health"):
        health = task.number("health")
        return _hit(argues, order, health=health, least=least_health) if health < least_health else None
    return _hit(argues, order, health=0.0, least=least_health) if task.word("quality") == "poor" else None


@about_task
def rows_too_long(task: Task, *, argues: str, order: int) -> Hit | None:
    """Rows are longer than the model can read."""
    return _hit(argues, order) if task.word("lengths") == "too-long" else None


# Which way?


@about_task
def pairs_enough(task: Task, *, argues: str, order: int, recommended: int) -> Hit | None:
    """The model is tuned for the task, and there are pairs to train its preferences with."""
    return _hit(argues, order, pairs=int(task.number("pairs")), recommended=recommended) if _after_tuning(task) else None


@about_task
def raw_text_abundant(task: Task, *, argues: str, order: int, least_tokens: float) -> Hit | None:
    """Text of the domain is enough to go on pre-training."""
    tokens = _raw_text(task)
    return _hit(argues, order, tokens=tokens, least=least_tokens) if tokens >= least_tokens else None


@about_task
def raw_text_short(
    task: Task, *, argues: str, order: int, least_tokens: float, enough_tokens: float, enough_rows: int
) -> Hit | None:
    """There is text of the domain, less than pre-training takes, and fewer rows with answers than are recommended."""
    rows = task.number("rows")
    if rows >= enough_rows:
        return None
    tokens = _raw_text(task)
    if not least_tokens <= tokens < enough_tokens:
        return None
    return _hit(argues, order, tokens=tokens, enough=enough_tokens, rows=int(rows))


@about_task
def all_weights_affordable(task: Task, *, argues: str, order: int, least_rows: int, least_difficulty: str) -> Hit | None:
    """Rows enough for all weights, a difficult task, and the accelerators for it."""
    rows = task.number("rows")
    if rows < least_rows or not task.at_least("difficulty", least_difficulty) or task.word("budget") != "several-gpus":
        return None
    return _hit(argues, order, rows=int(rows), least=least_rows)


@about_task
def adapter_suffices(task: Task, *, argues: str, order: int) -> Hit | None:
    """There are rows to train on, and nothing asks for more than an adapter."""
    rows = int(task.number("rows"))
    return _hit(argues, order, rows=rows) if rows else None


# What to mind


@about_task
def rows_few(task: Task, *, argues: str, order: int, least: int, recommended: int, hard_rows: int) -> Hit | None:
    """Rows suffice, and more are recommended: for a difficult task more still."""
    rows = task.number("rows")
    wanted = hard_rows if task.has("difficulty") and task.word("difficulty") == "hard" else recommended
    return _hit(argues, order, rows=int(rows), recommended=wanted) if least <= rows < wanted else None


@about_task
def quality_mixed(task: Task, *, argues: str, order: int, least_health: float, good_health: float) -> Hit | None:
    """Some of the rows have faults."""
    if task.has("health"):
        health = task.number("health")
        return _hit(argues, order, health=health) if least_health <= health < good_health else None
    return _hit(argues, order, health=0.0) if task.word("quality") == "mixed" else None


@about_task
def preferences_too_early(task: Task, *, argues: str, order: int) -> Hit | None:
    """Preferences are wanted of a model that was not tuned for the task yet."""
    return _hit(argues, order) if task.word("task") == "preference" and task.word("model") != "fine-tuned" else None
