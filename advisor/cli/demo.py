"""`advisor demo`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.common import UserError, language_option, polite

if TYPE_CHECKING:
    from advisor.model import Diagnosis
    from advisor.render.words import Words

SHOWN_EVERY = 10
"""Steps from one line about the losses to the next."""

SHARE = 0.05
"""How much of the time looks may take: in a run of seconds one wants to see them."""


@click.command("demo")
@click.option(
    "--fault", "name", default="overfit", show_default=True, metavar="NAME", help="What goes wrong; `healthy` for nothing."
)
@click.option(
    "--task", metavar="NAME", help="What is learned: chat, sums, manual or sources.  [default: the first that the fault suits]"
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed is another run of the same kind."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The run folder.  [default: demo-TASK-NAME]")
@click.option("--force", is_flag=True, help="Let a run that is in the folder already be replaced.")
@click.option("--list-faults", is_flag=True, help="List what can be planted, and train nothing.")
@language_option
@polite
def command(name: str, task: str | None, seed: int, out: Path | None, lang: str, *, force: bool, list_faults: bool) -> None:
    """Fine-tune a small real model with a fault in it, and see the fault found.

    Trains a Llama of 1.05 M parameters for about fifteen seconds on a CPU, plants the fault, prints findings as they appear
    and the diagnosis at the end, and leaves a run folder. Needs the extras train and demo.

    \b
    Examples:
      advisor demo
      advisor demo --list-faults
      advisor demo --fault lr-high --task sums --out broken-run
    """  # noqa: D301  click's mark for lines that stay as they are
    from advisor.render.words import Words

    words = Words(lang, None, "demo")
    try:
        from advisor_trainer.demo.faults import FAULTS, HEALTHY
    except ImportError as error:
        raise UserError("the trainer is not installed; `pip install 'finetune-advisor[train,demo]'`") from error
    known = {fault.name: fault for fault in (*FAULTS.values(), *HEALTHY)}
    if list_faults:
        for fault in known.values():
            hard = words("demo_hard") if not fault.scored else ""
            click.echo(f"{fault.name:26}{words(f'fault.{fault.name}')}{hard}  [{', '.join(fault.tasks)}]")
        return
    fault = known.get(name) or _unknown(name, "fault", known)
    task = task or fault.tasks[0]
    if task not in fault.tasks:
        raise UserError(f"--task {task}: {name} can be planted in {', '.join(fault.tasks)}")
    folder = out or Path(f"demo-{task}-{name}")
    if (folder / "run.log").exists() and not force:
        raise UserError(f"{folder}: holds a run already; add --force to replace it, or give another --out")
    click.echo(words("demo_begins", task=words(f"task.{task}"), fault=words(f"fault.{name}"), folder=folder))
    _show(_trained(task, fault, seed, folder, lang), fault, folder, lang, words)


def _unknown(name: str, what: str, known: Any) -> Any:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean `{near[0]}`? " if near else ""
    raise UserError(f"no {what} {name}; {hint}`advisor demo --list-faults` shows all")


def _trained(task: str, fault: Any, seed: int, folder: Path, lang: str) -> Diagnosis:
    try:
        import torch
        from advisor_trainer.demo.runs import BASE, Pace, demonstrate
        from advisor_trainer.demo.shown import Losses
        from advisor_trainer.demo.tasks import TASKS
    except ImportError as error:
        raise UserError(f"{error}; `pip install 'finetune-advisor[train,demo]'` brings what a demonstration needs") from error
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)  # more do not make so small a model faster
    os.environ["ADVISOR_LANG"] = lang
    watching = demonstrate(
        TASKS[task], fault, seed, folder, base=BASE, pace=Pace(first=False), say=click.echo, share=SHARE,
        callbacks=[Losses(SHOWN_EVERY, click.echo)],
    )  # fmt: skip
    assert watching.diagnosis is not None
    return watching.diagnosis


def _show(diagnosis: Diagnosis, fault: Any, folder: Path, lang: str, words: Words) -> None:
    """Print the diagnosis, whether it names what was planted, and where everything stands."""
    from rich.console import Console

    from advisor.cli import COMMANDS, main
    from advisor.render import text

    click.echo()
    text.render([diagnosis], lang, Console(highlight=False, emoji=False, markup=False))
    click.echo()
    said = [cause.name for cause in diagnosis.causes]
    if not said:
        key = "demo_silent_right" if "healthy" in fault.causes else "demo_silent"
    else:
        key = "demo_found" if said[0] in fault.causes else "demo_other"
    click.echo(words(key, planted=words(f"fault.{fault.name}"), said=said[0] if said else "", expected=", ".join(fault.causes)))
    click.echo(words("demo_folder", folder=folder))
    if "report" in COMMANDS and (report := main.get_command(click.Context(main), "report")):
        report.main([str(folder), "-o", str(folder / "report.html"), "--lang", lang], standalone_mode=False)
        click.echo(f"  {folder / 'report.html'}")
    sys.stdout.flush()
