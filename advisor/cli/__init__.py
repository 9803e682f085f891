"""The command line: one module a command, imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping

import click

from advisor import __version__

COMMANDS: Mapping[str, tuple[str, str]] = {
    "analyze": ("advisor.cli.analyze", "Say what is wrong with a training run, and what to change."),
    "compare": ("advisor.cli.compare", "Say whether one run is better than another, or only different by noise."),
    "data": ("advisor.cli.data", "Check, clean, measure and convert training data."),
    "demo": ("advisor.cli.demo", "Fine-tune a small real model with a fault in it, and see the fault found."),
    "evaluate": ("advisor.cli.evaluate", "Say whether a tuned model's answers are right, and what is wrong with them."),
    "explain": ("advisor.cli.explain", "Explain an error message: meaning, causes, checks, fix."),
    "formats": ("advisor.cli.formats", "List the log formats that can be read."),
    "plan": ("advisor.cli.plan", "Propose starting parameters for a fine-tuning, with reasons, memory and time."),
    "report": ("advisor.cli.report", "Write a report of a run as HTML, PDF, Markdown or JSON; of many, with an index."),
    "rules": ("advisor.cli.rules", "Print and test the rule book."),
    "should-finetune": ("advisor.cli.should_finetune", "Say whether a model should be fine-tuned for a task, and how."),
    "train": ("advisor.cli.train", "Fine-tune a causal language model and leave a run folder."),
    "watch": ("advisor.cli.watch", "Follow a run and say what is wrong as soon as it shows."),
}
"""Name → (module, one line of help): the help of the group needs no command's module."""


INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, not when the help is printed."""

    def invoke(self, ctx: click.Context) -> object:
        """Call the command. One that is ended at the keyboard ends with status 130: 1 would say that something was found."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, D102  click's interface
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002, D102
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, D102
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="advisor")
def main() -> None:
    """Reads a training log, says what is wrong with the run, and says what to change."""
