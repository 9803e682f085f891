"""Errors that a user can mend. The command line prints them as one line and ends with status 2."""

from __future__ import annotations


class AdvisorError(Exception):
    """Base of all errors that are the input's fault, not the program's."""


class UnreadableLog(AdvisorError):
    """The input is no training log, or none that any reader understands."""


class NotALog(UnreadableLog):
    """The input can be read and is no training log: what a folder holds beside its logs, and is passed over there."""


class BadRule(AdvisorError):
    """A rule file, or `advisor.toml`, does not say what the rule book needs."""


class BadConfig(AdvisorError):
    """A training configuration given with `--config` cannot be read."""


class BadPlugin(AdvisorError):
    """A reader or a detector that another distribution adds cannot be used."""


class UnreadableData(AdvisorError):
    """A dataset path names nothing that can be read."""


class MissingExtra(AdvisorError):
    """What was asked for needs an optional part that is not installed."""


class BadReport(AdvisorError):
    """A report cannot be made of what was given."""


class BadAnswers(AdvisorError):
    """Answers given to `advisor should-finetune` cannot be read, or are none of those there are."""


class BadPlan(AdvisorError):
    """No training can be planned from what was given to `advisor plan`."""
