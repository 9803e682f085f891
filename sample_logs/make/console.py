"""The console as the programs printed it, less what names the machine it was printed on."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

NEUTRAL = "…/".encode()
MACHINE = re.compile(rb"/(?:tmp|work|root|home|Users|usr|opt)/")


def without_machine_paths(console: bytes, make: Path) -> bytes:
    """Replace the folders of the scripts and of Python by `…/`, as tracebacks print them."""
    folders = {
        str(make),
        *(sysconfig.get_paths()[kind] for kind in ("purelib", "platlib", "stdlib")),
        *filter(None, sys.path),
    }
    for folder in sorted(folders, key=len, reverse=True):
        console = console.replace(f"{folder}/".encode(), NEUTRAL)
    if left := MACHINE.search(console):
        context = console[max(left.start() - 80, 0) : left.end() + 80]
        message = f"the console still names a folder of this machine: {context!r}"
        raise ValueError(message)
    return console
