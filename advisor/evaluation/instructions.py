"""What a prompt asks for and the answer does not give: JSON and its fields, one sentence, yes or no, a number of points."""

from __future__ import annotations

import re
from typing import Any, Literal

from advisor.data.parse import loads
from advisor.evaluation.model import Answer
from advisor.model import Facts, Term

_FENCED = re.compile(r"```(?:json)?\s*\n?(.*?)```", re.DOTALL | re.IGNORECASE)
_ASKS_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_ONE_SENTENCE = re.compile(
    r"\b(?:in|with|use|as) (?:only |exactly |just )?(?:one|a single|1) sentence\b|用一句话|以一句话|一句话(?:概括|总结|回答|说明)",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    r"(?:answer|reply|respond)\s+(?:only\s+)?(?:with\s+)?(?:only\s+)?[\"'“]?yes[\"'”]? or [\"'“]?no\b"
    r"|只(?:能)?回答[“\"]?是[”\"]?(?:或|还是)[“\"]?否",
    re.IGNORECASE,
)
_SAYS_YES_NO = re.compile(r"\W*(?:yes|no|是的?|否|不是)\W*", re.IGNORECASE)
_ENDS = re.compile(r"[.!?](?=\s+\S)|[。！？](?=\s*\S)")
_MOST_SENTENCES = 2


def json_of(text: str) -> Any:
    """Return the JSON value that an answer gives, fenced or bare. Raises ValueError where there is none."""
    fenced = _FENCED.search(text)
    body = (fenced[1] if fenced else text).strip()
    if not body.startswith(("{", "[")):
        raise ValueError("no JSON")
    return loads(body.encode("utf-8", "replace"))


def _expected(answer: Answer) -> Any:
    """Return the JSON of the reference, or None where it is none."""
    for reference in answer.references[:1]:
        try:
            return json_of(reference)
        except ValueError:
            return None
    return None


def broken_json(text: str, answer: Answer) -> tuple[int, Facts] | bool | None:
    """Tell whether JSON is wanted (the reference is JSON, or without one the prompt asks for it) and none comes."""
    asked = "\n".join(said for _, said in answer.turns)
    if _expected(answer) is None and (answer.references or not _ASKS_JSON.search(asked)):
        return False
    try:
        json_of(text)
    except ValueError as error:
        return 0, {"error": " ".join(str(error).split())[:80]}
    return None


def broken_fields(text: str, answer: Answer) -> tuple[int, Facts] | bool | None:
    """Tell whether fields of the reference's JSON are missing in the answer's, or have other values."""
    expected = _expected(answer)
    if not isinstance(expected, dict | list):
        return False
    try:
        came = json_of(text)
    except ValueError:
        return False
    missing = sorted(fields(expected) - fields(came))
    if missing:
        return 0, {"field": missing[0], "kind": Term("field-missing")}
    wrong = [name for name, value in _values(expected).items() if _values(came).get(name) != value]
    return (0, {"field": wrong[0], "kind": Term("field-wrong")}) if wrong else None


def fields(value: Any, prefix: str = "") -> set[str]:
    """Return the names of all fields, nested ones with a dot; the items of a list share the names."""
    if isinstance(value, dict):
        return {f"{prefix}{key}" for key in value} | {n for key, inner in value.items() for n in fields(inner, f"{prefix}{key}.")}
    if isinstance(value, list):
        return {name for item in value for name in fields(item, prefix)}
    return set()


def _values(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    plain: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            plain |= _values(inner, f"{prefix}{key}.")
        elif not isinstance(inner, list):
            plain[f"{prefix}{key}"] = inner.strip().casefold() if isinstance(inner, str) else inner
    return plain


def broken_other(prompt: str, text: str) -> Facts | Literal[False] | None:
    """Return what is broken of the constraints beside length; None where one is kept, False where the prompt states none."""
    stated = False
    if _ONE_SENTENCE.search(prompt):
        stated = True
        count = len(_ENDS.findall(text)) + 1
        if count > _MOST_SENTENCES:
            return {"asked": 1, "length": count, "unit": Term("unit-sentences"), "kind": Term("constraint-sentence")}
    if _YES_NO.search(prompt):
        stated = True
        if not _SAYS_YES_NO.fullmatch(text.strip()):
            return {"asked": 1, "length": len(text.split()), "unit": Term("unit-words"), "kind": Term("constraint-yes-no")}
    return None if stated else False
