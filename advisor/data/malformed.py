"""Why a line is not JSON: the causes of unreadable records, each with the place that shows it.

Every cause is the name of a rule in `rules/data/`, which has the words for it.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from dataclasses import dataclass, field

from advisor.data.strict import Fault, first_fault
from advisor.model import Facts

BOM = b"\xef\xbb\xbf"
QUOTES = "“”„‟‘’‚‛«»「」『』＂＇"
"""Quotation marks of typography, which word processors put where JSON wants `"`."""

FULL_WIDTH = {"，": ",", "：": ":", "｛": "{", "｝": "}", "［": "[", "］": "]", "；": ";"}
_PYTHON = re.compile(r"(?:None|True|False)\b")
_NOT_A_NUMBER = re.compile(r"[-+]?(?:NaN|nan|Infinity|infinity|inf|Inf)\b")
_WORD = re.compile(r"[A-Za-z_$][\w$.-]*")
_COMMENT = re.compile(r"//|/\*|#|--")
_KEY_FOLLOWS = re.compile(r'"(?:[^"\\]|\\.)*"\s*:')
_LONGEST_LITERAL = 1 << 16
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_NO_WESTERN = re.compile(rb"\xff[\x80-\xff]|[\x80-\xff]\xff")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a line cannot be read. at: place in bytes from the beginning of the line. facts: what the rule's message says.

    between: it stands between the records of an array and takes none of them away.
    """

    name: str
    at: int
    facts: Facts = field(default_factory=dict)
    between: bool = False


def cause_of(line: bytes, *, last: bool = False) -> Cause:
    """Return why `line` is not one JSON value. last: it is the last line of its file, and no line end follows it."""
    if line.startswith(BOM):
        return Cause("byte-order-mark", 0)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return _encoding(line, error, last=last)
    fault = first_fault(text)
    if fault is None:
        # Both readers agree with the checker on everything known; what they refuse beyond it is a number or a depth.
        return Cause("broken-syntax", 0, {"found": "?", "expected": "JSON"})
    position, name, facts = _explained(text, fault)
    return Cause(name, len(text[:position].encode("utf-8")), facts)


def _encoding(line: bytes, error: UnicodeDecodeError, *, last: bool) -> Cause:
    cut = error.end >= len(line) and error.reason == "unexpected end of data"
    if cut and last:
        return Cause("truncated-record", len(line), {"missing": "…"})
    shown = " ".join(f"{byte:02X}" for byte in line[error.start : error.start + 4])
    guess = encoding_of_line(line)
    if guess:
        return Cause("other-encoding", error.start, {"encoding": guess, "bytes": shown})
    return Cause("invalid-bytes", error.start, {"bytes": shown})


def encoding_of_line(line: bytes) -> str | None:
    """Return the encoding that `line` is most likely in, where it is not UTF-8: GB18030 or Windows-1252, or None."""
    runs = [len(run) for run in _HIGH_RUN.findall(line)]
    paired = sum(run for run in runs if run > 1)
    try:
        text = line.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    # Two bytes make a Chinese character; in Western text an accented letter mostly stands alone.
    if text and paired > sum(runs) / 2 and any("\u4e00" <= char <= "\u9fff" for char in text):
        return "GB18030"
    # `ÿ` is a rare letter and stands by no other accented one: such bytes are remains of UTF-16, or no text.
    if _NO_WESTERN.search(line):
        return None
    try:
        western = line.decode("cp1252")
    except UnicodeDecodeError:
        return None
    letters = sum(unicodedata.category(char)[0] in "LP" for char in western if char > "\x7f")
    return "Windows-1252" if letters > sum(runs) / 2 else None


def _explained(text: str, fault: Fault) -> tuple[int, str, Facts]:
    """Return (place in characters, cause, facts) of a fault."""
    at = fault.position
    rest = text[at : at + 200]
    found = shown(rest[:1])
    if fault.what == "empty":
        return 0, "blank-line", {}
    if fault.what == "depth":
        return at, "nesting-too-deep", {}
    if fault.what in ("end", "open-string"):
        closing = "".join("}" if bracket == "{" else "]" for bracket in reversed(fault.opened))
        return len(text), "truncated-record", {"missing": ('"' if fault.what == "open-string" else "") + closing}
    if fault.what == "control":
        return at, "null-byte" if rest[0] == "\0" else "control-character", {"found": _name(rest[0])}
    if fault.what == "escape":
        return at, "bad-escape", {"found": shown(rest[:2])}
    if fault.what == "surrogate":
        return at, "lone-surrogate", {"found": rest[:6]}
    if fault.what in ("number", "range") and not _NOT_A_NUMBER.match(rest):
        return at, "bad-number", {"found": shown(re.split(r"[\s,}\]]", rest, maxsplit=1)[0][:24])}
    if fault.what == "after-comma":
        comma = text.rindex(",", 0, at)
        return comma, "trailing-comma", {"close": found}
    if fault.what == "extra":
        return at, _extra(text, at), {"found": shown(rest[:12])}
    return _misplaced(text, fault, rest, found)


def _extra(text: str, at: int) -> str:
    rest = text[at:].strip()
    if rest == ",":
        return "comma-after-record"
    if _COMMENT.match(rest):
        return "comment"
    if rest.startswith(",") and rest[1:].lstrip().startswith(("{", "[")):
        return "several-records-on-a-line"
    return "several-records-on-a-line" if rest.startswith(("{", "[")) else "text-after-record"


_EXPECTED = {"key": '"', "colon": ":", "comma-or-close": ",", "value": "value"}


def _misplaced(text: str, fault: Fault, rest: str, found: str) -> tuple[int, str, Facts]:
    """Explain a character that stands where a value, a key, a colon, a comma or a closing bracket should."""
    at, what = fault.position, fault.what
    facts: Facts = {"found": found, "expected": _EXPECTED.get(what, "value")}
    if rest[0] == "\0":
        return at, "null-byte", {"found": _name("\0")}
    if _NOT_A_NUMBER.match(rest):
        number = _NOT_A_NUMBER.match(rest)
        return at, "not-a-number", {"found": number[0] if number else found}
    if rest[0] == "'" and what in ("key", "value", "colon"):
        return at, "single-quotes", {"readable": _is_python(text)}
    if rest[0] in QUOTES or rest[0] in FULL_WIDTH:
        return at, "typographic-punctuation", {"found": found, "expected": FULL_WIDTH.get(rest[0], '"')}
    if rest[0] == "\ufeff":
        return at, "byte-order-mark", {}
    if _COMMENT.match(rest):
        return at, "comment", {"found": shown(rest[:12])}
    if python := _PYTHON.match(rest):
        return at, "python-literal", {"found": python[0]}
    if not fault.opened and what == "value":
        return at, "not-json", {"found": shown(rest[:24])}
    if what == "key" and (word := _WORD.match(rest)):
        return at, "unquoted-key", {"found": word[0][:24]}
    if what == "value" and rest[0] in ",}]":
        return at, "missing-value", {"found": found}
    if what == "comma-or-close" and rest[0] != ":":
        before = text[:at].rstrip()
        if before.endswith('"') and not _KEY_FOLLOWS.match(rest) and rest[0] not in "{[":
            return len(before) - 1, "unescaped-quote", {"found": shown(text[max(len(before) - 12, 0) : at + 12])}
        return at, "missing-comma", {"found": found}
    return at, "broken-syntax", facts


def _is_python(text: str) -> bool:
    """Tell whether `text` is what Python prints for a dictionary or a list."""
    if len(text) > _LONGEST_LITERAL:
        return False
    try:
        return isinstance(ast.literal_eval(text.strip()), dict | list)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def shown(text: str) -> str:
    """Return `text` with control characters made visible."""
    return "".join(visible(char) for char in text)


def visible(char: str) -> str:
    """Return a character that can be printed in one place for `char`: control characters by their symbols."""
    if char < " ":
        return chr(0x2400 + ord(char))
    if char == "\x7f":
        return "␡"
    return "·" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else char


def _name(char: str) -> str:
    names = {"\t": "tab", "\n": "line feed", "\r": "carriage return", "\0": "NUL", "\x1b": "escape", "\b": "backspace"}
    return f"U+{ord(char):04X}" + (f" ({names[char]})" if char in names else "")
