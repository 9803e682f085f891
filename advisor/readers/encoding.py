"""How the text of a log is encoded, told by its first bytes."""

from __future__ import annotations

import codecs

UTF8 = ("utf-8", "utf-8-sig")


def encoding_after_zeros(head: bytes) -> str:
    """Return the encoding of a log that may begin with zero bytes, as one does that was truncated while it was written to."""
    zeros = (len(head) - len(head.lstrip(b"\0"))) // 2 * 2  # an odd one is half of a character
    encoding = detect_encoding(head[zeros:])
    if zeros and encoding == "utf-16":
        # A byte-order mark counts at the beginning only.
        return "utf-16-le" if head[zeros:].startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    return encoding


def detect_encoding(head: bytes) -> str:
    """Return the name of the encoding of a text that begins with `head`.

    A byte-order mark decides; else UTF-16 shows as zero bytes in every other place; else UTF-8 where it decodes or has more
    whole characters than broken ones, else GBK where it decodes (Chinese Windows), else Latin-1, which never fails.
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    even, odd = head[0:2000:2], head[1:2000:2]
    zeros = len(even) // 2
    if zeros and odd.count(0) > zeros and even.count(0) < zeros // 10 + 1:
        return "utf-16-le"
    if zeros and even.count(0) > zeros and odd.count(0) < zeros // 10 + 1:
        return "utf-16-be"
    if _is(head, "utf-8"):
        return "utf-8"
    # A few broken bytes in a UTF-8 log (a bar cut in the middle) are no reason to misread the rest.
    text = head.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    if sum(sign > "\x7f" for sign in text) > 2 * broken:
        return "utf-8"
    if _is(head, "gb18030"):
        return "gb18030"
    return "utf-8" if broken * 100 < len(head) else "latin-1"


def _is(head: bytes, encoding: str) -> bool:
    """Tell whether `head`, which may end within a character, is a text of this encoding."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True
