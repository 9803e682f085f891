"""Personal data in texts. A number counts only where its own checksum holds, as far as its kind has one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

_DOMAIN = re.compile(r"@(?:[\w-]+\.)+[a-zA-Z]{2,}")
_MAILBOX_BACKWARDS = re.compile(r"[\w.+-]+")
_LONGEST_MAILBOX = 64
"""Characters before the @, as RFC 5321 allows."""
_RESERVED = re.compile(
    r"@(?:[\w-]+\.)*(?:example\.(?:com|org|net)|test|invalid|localhost)$|@email\.com$|@domain\.com$", re.IGNORECASE
)
_PHONE = re.compile(r"(?<![\d.])(?:\+?86[- ]?)?(1[3-9]\d{9})(?!\d|\.\d)")
_IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?![\dXx])")
_CARD = re.compile(r"(?<![\d.-])[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?!\d|[.-]\d)")
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_LONG_NUMBER = re.compile(r"[0-9][0-9 -]{6,}[0-9Xx]")
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_CAPITALS_ALIKE = bytes.maketrans(b"BCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"A" * 25 + b"0" * 9)
_IBAN_BEGINS = b"AA00"
_LEAST_DIGITS = b"0" * 8
"""Digits on end, spaces and dashes left out, that every number with a checksum has, and a telephone number too."""
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_CARD_LENGTHS = range(15, 20)


def personal(text: str) -> Iterator[tuple[int, str]]:
    """Yield (where, kind) of what looks like personal data: `email`, `phone`, `identity`, `card`, `iban`."""
    if "@" in text:
        yield from _emails(text)
    # A look at the bytes tells, much faster than the patterns, that most texts hold no long number.
    raw = text.encode("utf-8", "replace")
    if _LEAST_DIGITS not in raw.translate(_DIGITS_ALIKE, b" -"):
        return
    for run in _LONG_NUMBER.finditer(text):
        yield from _numbers(text, max(run.start() - 1, 0), run.end() + 2)
    for found in _IBAN.finditer(text) if _IBAN_BEGINS in raw.translate(_CAPITALS_ALIKE) else ():
        if not text[found.start() - 1 : found.start()].isalnum() and is_iban(found[0].replace(" ", "")):
            yield found.start(), "iban"


def _numbers(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for found in _PHONE.finditer(text, start, end):
        yield found.start(), "phone"
    identities = [found for found in _IDENTITY.finditer(text, start, end) if is_identity_number(found[0])]
    for found in identities:
        yield found.start(), "identity"
    for found in _CARD.finditer(text, start, end):
        digits = re.sub(r"\D", "", found[0])
        if len(digits) in _CARD_LENGTHS and luhn(digits) and not any(i.start() == found.start() for i in identities):
            yield found.start(), "card"


def _emails(text: str) -> Iterator[tuple[int, str]]:
    for domain in _DOMAIN.finditer(text):
        before = text[max(domain.start() - _LONGEST_MAILBOX, 0) : domain.start()]
        mailbox = _MAILBOX_BACKWARDS.match(before[::-1])
        if mailbox and not _RESERVED.search(domain[0]):
            yield domain.start() - mailbox.end(), "email"


def is_identity_number(number: str) -> bool:
    """Tell whether 18 characters are a Chinese identity number: a day that exists, and the check character of GB 11643."""
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return _CHECK[total % 11] == number[17].upper()


def luhn(digits: str) -> bool:
    """Tell whether the check digit of a card number holds (ISO/IEC 7812)."""
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004  two digits are summed


def is_iban(text: str) -> bool:
    """Tell whether the check digits of an IBAN hold (ISO 13616)."""
    number = "".join(str(int(char, 36)) for char in text[4:] + text[:4])
    return int(number) % 97 == 1
