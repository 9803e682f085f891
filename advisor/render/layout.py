"""Running text at a terminal: wrapped to its width, beside a label, in scripts with and without spaces between words."""

from __future__ import annotations

from rich.cells import cell_len, get_character_cell_size
from rich.console import Console
from rich.text import Text

MOST_WIDTH = 100
LEAST_WIDTH = 20

NOT_FIRST = frozenset("，。、；：？！）］】》〉」』”’％…～,.;:?!)]}%°")
"""No line begins with one of these."""

NOT_LAST = frozenset("（［【《〈「『“‘([{")
"""No line ends with one of these."""


def hanging(label: str, text: str, width: int, console: Console, *, style: str = "") -> None:
    """Print `text` beside `label`, its further lines under its first; no line ends in blanks."""
    indent = 2 + width + (2 if width else 0)
    wrapped(Text(text, style=style), indent, console, head="  " + label)


def wrapped(text: Text, indent: int, console: Console, *, head: str = "") -> None:
    """Print `text` from column `indent` on, `head` in front of its first line; no line ends in blanks."""
    for line in lines_of(text, max(min(console.width, MOST_WIDTH) - indent, LEAST_WIDTH), console):
        console.print(Text.assemble((head + " " * (indent - cell_len(head)), "dim"), line), soft_wrap=True)
        head = ""


def lines_of(text: Text, width: int, console: Console) -> list[Text]:
    """Return `text` in lines of at most `width` cells. Chinese breaks between any two characters, other scripts at blanks."""
    lines: list[Text] = []
    for paragraph in text.split(allow_blank=True):
        if any(get_character_cell_size(c) > 1 for c in paragraph.plain):
            lines += paragraph.divide(_breaks(paragraph.plain, width))
        else:
            lines += paragraph.wrap(console, width)
    for line in lines:
        line.rstrip()
    return lines


def _breaks(text: str, width: int) -> list[int]:
    """Return where the lines after the first begin."""
    found: list[int] = []
    begin = used = 0
    allowed = 0  # the last place at which this line may end
    for at, character in enumerate(text):
        if at > begin and _may_break(text[at - 1], character):
            allowed = at
        size = get_character_cell_size(character)
        if used + size > width and character != " ":
            begin = allowed if allowed > begin else at
            found.append(begin)
            used = cell_len(text[begin:at])
        used += size
    return found


def _may_break(before: str, after: str) -> bool:
    if after in NOT_FIRST or after == " " or before in NOT_LAST:
        return False
    return before == " " or max(get_character_cell_size(before), get_character_cell_size(after)) > 1
