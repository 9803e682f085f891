"""Errors that a user can mend. The command line prints them as one line and ends with status 2."""

from __future__ import annotations


class AdvisorError(Exception):
    """Base of all errors that are the input's fault, not the program's."""


class UnreadableLog(AdvisorError):
    """The input is no training log, or none that any reader understands."""


class BadRule(AdvisorError):
    """A rule file, or `advisor.toml`, does not say what the rule book needs."""


class BadConfig(AdvisorError):
    """A training configuration given with `--config` cannot be read."""


class UnreadableData(AdvisorError):
    """A dataset path names nothing that can be read."""
