"""HTML by construction: every text is escaped where it is put in, so that nothing from a log can be markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from advisor.report.visible import visible


class Html(str):
    """A piece of HTML that is known to be sound: it came from `el`, or is the program's own."""

    __slots__ = ()


Content: TypeAlias = "str | Html | Iterable[Content] | None"

VOID = frozenset({"meta", "br", "link", "input"})


def text(content: Content) -> str:
    """Return content as HTML: pieces as they are, everything else escaped."""
    if content is None:
        return ""
    if isinstance(content, Html):
        return str(content)
    if isinstance(content, str):
        return escape(visible(content))
    return "".join(map(text, content))


def el(tag: str, *content: Content, **attributes: str | int | bool | None) -> Html:
    """Return an element.

    Attributes: a `_` at the end is dropped, others become `-`; True stands alone, None and False are left out.
    """
    shown = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(visible(str(value)))}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in VOID:
        return Html(f"<{tag}{shown}>")
    return Html(f"<{tag}{shown}>{text(content)}</{tag}>")


def joined(*content: Content) -> Html:
    """Return pieces one after the other."""
    return Html(text(content))


def address(url: str) -> str | None:
    """Return an address that may be linked to, or None: only the web's own schemes."""
    return url if url.startswith(("https://", "http://")) else None
