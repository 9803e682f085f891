"""The verdict of a report: one sentence, how sure it is and why, and the one thing to do first."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.model import Diagnosis, Finding
from advisor.render.words import Words, value_text
from advisor.report.figures import score
from advisor.report.material import Material
from advisor.report.model import Action, Light, State, Verdict

STATE_OF: dict[str, State] = {"error": "failure", "warning": "warning"}
SURE_ASPECTS = ("generalisation", "stability", "optimisation")
"""What must have been judged for `healthy` to be said with some confidence; with the schedule too, with high confidence."""


LITERAL = frozenset({"crash", "non-finite", "zero-loss"})
"""Problems that stand in the log word for word: nothing is inferred."""


def main_finding(diagnosis: Diagnosis) -> Finding | None:
    """Return the gravest finding, a remark excepted."""
    return next((f for f in diagnosis.findings if f.rule.severity in STATE_OF), None)


def verdict(material: Material, lights: Sequence[Light], words: Words) -> Verdict:
    """Return the verdict of the run; faults of the training data are named with it."""
    diagnosis, main = material.diagnosis, main_finding(material.diagnosis)
    problem = diagnosis.verdict
    state: State = STATE_OF[main.rule.severity] if main else "pass" if problem == "healthy" else "not-judged"
    said = [words(f"verdict.{problem}")]
    if main:
        said.append(words.of(main, "message"))
    elif problem == "healthy" and (found := score(material)) is not None:
        said.append(words(f"healthy.{found.of}", value=f"{found.best:.4g}", at=words.at(found.best_x)))
    grave = material.examination.findings[0].rule.severity if material.examination and material.examination.findings else ""
    if grave in STATE_OF:
        said.append(words("data_too", sentence=words(f"data_verdict.{grave}")))
        if state != "failure":
            state = STATE_OF[grave] if state != "warning" or grave == "error" else state
    level, why = _confidence(material, main, lights, words)
    said_level = words(f"confidence.{level}")
    why = words("confidence_line", level=said_level[:1].upper() + said_level[1:], why=why)
    return Verdict(
        state, problem, words(f"problem.{problem}"), words("sentence_gap").join(said), level, why,  # type: ignore[arg-type]
        _action(material, main, words),
    )  # fmt: skip


def _confidence(material: Material, main: Finding | None, lights: Sequence[Light], words: Words) -> tuple[str, str]:
    """Return how sure the verdict is, and why."""
    diagnosis = material.diagnosis
    if main is not None:
        cause = next((cause for cause in diagnosis.causes if main.rule.id in cause.findings), None)
        said = [words("confidence_log")] if main.rule.problem in LITERAL else []
        if cause is None:
            return ("high", said[0]) if said else ("medium", words("confidence_finding"))
        title, level = cause.words[words.language]["title"], words(f"confidence.{cause.confidence}")
        key = "confidence_cause_too" if said else "confidence_cause"
        said.append(words(key, cause=title, level=level, count=len(words.clues(cause.supports))))
        return "high" if len(said) > 1 else cause.confidence, words("clause").join(said)
    judged = [light.aspect for light in lights if light.state != "not-judged"]
    counted = words("confidence_coverage", judged=len(judged), of=len(lights), rules=len(diagnosis.clean))
    if not set(SURE_ASPECTS) <= set(judged):
        return "low", counted
    return ("high" if "schedule" in judged else "medium"), counted


def _action(material: Material, main: Finding | None, words: Words) -> Action:
    """Return the one thing to do first."""
    diagnosis = material.diagnosis
    first, later = words("heading.action"), words("heading.remedy")
    change = diagnosis.first_change
    asks = next((f for f in diagnosis.findings if change is not None and f.rule.id == change.rule), None)
    # What a remark asks for is not the first thing to do about a fault.
    if change is not None and asks is not None and (asks.rule.severity in STATE_OF if main is not None else change.trust == "safe"):
        unknown = words("unknown")
        old, new = value_text(change.old, unknown), value_text(change.new, unknown)
        facts = asks.hit.facts
        key = "action_change" if change.old is not None else "action_set"
        text = words(key, parameter=change.name, old=old, new=new, reason=words.reason(change, facts))
        return Action("change", first, text, change.name, old, new, change.rule)
    if main is not None and diagnosis.causes:
        return Action("experiment", first, diagnosis.causes[0].words[words.language]["experiment"], rule=main.rule.id)
    if main is not None:
        return Action("remedy", first, words.of(main, "remedy"), rule=main.rule.id)
    if material.examination is not None and material.examination.findings:
        of_data = material.examination.findings[0]
        if of_data.rule.severity in STATE_OF:
            return Action("remedy", first, words.of(of_data, "remedy"), rule=of_data.rule.id)
    if diagnosis.verdict == "unjudgeable" and diagnosis.not_judged:
        first_missing = next(
            (n for n in diagnosis.not_judged if n.missing[0] in ("train_loss", "eval_loss")), diagnosis.not_judged[0]
        )
        return Action("log", later, words("action_log", log=words.to_log(first_missing)))
    found = score(material)
    if found is not None and found.of == "eval_loss":
        return Action("nothing", later, words("action_use", at=words.at(found.best_x)))
    return Action("nothing", later, words("action_nothing"))
