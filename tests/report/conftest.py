"""What the tests of reports share: the programs of docs/, which make the gallery and look at its pages."""

import importlib
import sys

import pytest


def program(root, name):
    """A module of docs/."""
    sys.path.insert(0, str(root / "docs"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="session")
def gallery(root):
    pytest.importorskip("typst", reason="needs the extra `pdf`")
    return program(root, "gallery")


@pytest.fixture(scope="session")
def complaints(root):
    """What is wrong on the pages of a PDF, a line each."""
    pytest.importorskip("pypdfium2", reason="looks at the pages of a PDF")
    checks = program(root, "page_checks")
    return lambda document: list(checks.complaints(document))
