"""`advisor train`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from advisor.cli.common import UserError, language_option, polite
from advisor.locale import strings

INTERRUPTED = 130
"""Status of a program that Ctrl-C ended."""


def _settings() -> Any:
    try:
        from advisor_trainer import config
    except ImportError as error:
        raise UserError("the trainer is not installed; `pip install finetune-advisor[train]`") from error
    return config


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add one option for every setting of the table."""
    config, words = _settings(), strings("en", "train")
    for name, option in reversed(config.OPTIONS.items()):
        flag = f"--{name.replace('_', '-')}"
        kind: Any = click.Choice(option.choices) if option.choices else config.TYPES[name]
        about: dict[str, Any] = {"type": kind, "metavar": None if option.choices else config.TYPES[name].__name__.upper()}
        if config.TYPES[name] is bool:
            flag, about = f"{flag}/--no-{name.replace('_', '-')}", {}
        function = click.option(flag, name, default=None, help=words[f"option.{name}"], **about)(function)
    return function


def _whole(name: str) -> str:
    """Return the name of an option by one of its other names, as the platform's documentation or another trainer gives it."""
    no, bare = ("no-", name[3:]) if name.startswith("no-") else ("", name)
    return no + str(_settings().ALIASES.get(bare.replace("-", "_"), bare)).replace("_", "-")


@click.command("train", context_settings={"token_normalize_func": _whole})
@click.argument("config_file", required=False, metavar="[CONFIG]", type=click.Path(exists=True, path_type=Path))
@click.option("--print-config", is_flag=True, help="Write a commented configuration with these settings to standard output.")
@click.option("--show-batch", is_flag=True, help="Show what is trained on in the first batch, and train nothing.")
@click.option("--resume", is_flag=True, help="Go on from the newest whole checkpoint of the run folder.")
@language_option
@_options
@polite
def command(config_file: Path | None, lang: str, *, print_config: bool, show_batch: bool, resume: bool, **flags: Any) -> None:
    """Fine-tune a causal language model and leave a run folder with log, checkpoints and diagnosis.

    CONFIG is a TOML, JSON or YAML file with settings under the names below (documented names of other trainers are accepted,
    as options too), or a run folder, whose own configuration is taken. An option stands before the file. Status: 0 trained, 2
    the input is at fault or the run failed, 130 interrupted (with a checkpoint to go on from).

    \b
    Examples:
      advisor train --print-config > config.toml
      advisor train config.toml --show-batch
      advisor train --model Qwen/Qwen2.5-0.5B --data train.jsonl --output-dir run
      advisor train run/ --resume
      torchrun --nproc-per-node 2 -m advisor train config.toml
    """  # noqa: D301  click's mark for lines that stay as they are
    settings = _settings()
    given: dict[str, Any] = {}
    if config_file is not None:
        given = settings.read(_file_of(config_file))
        if config_file.is_dir():
            given["output_dir"] = str(config_file)
    given |= {name: value for name, value in flags.items() if value is not None}
    config = settings.configured(given)
    if print_config:
        from advisor_trainer.written import commented

        click.echo(commented(config, lang), nl=False)
        return
    _need_torch()
    if show_batch:
        from advisor_trainer.show import show
        from rich.console import Console

        show(config, Console(emoji=False), lang)
        return
    _train(config, lang, resume=resume)


def _train(config: Any, language: str, *, resume: bool) -> None:
    from advisor_trainer.run import Interrupted, train

    try:
        train(config, resume=resume, callbacks=(), say=lambda line: click.echo(line, err=True), language=language)
    except Interrupted as ended:
        click.echo(str(ended), err=True)
        sys.exit(ended.status)
    except KeyboardInterrupt:
        click.echo(strings(language, "train")["ended.before_the_first"], err=True)
        sys.exit(INTERRUPTED)


def _file_of(path: Path) -> Path:
    """Return the configuration that a run folder holds, or the file itself."""
    if not path.is_dir():
        return path
    if not (path / "config.toml").is_file():
        raise UserError(f"{path}: holds no config.toml; give a run folder or a configuration file")
    return path / "config.toml"


def _need_torch() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "accelerate") if find_spec(name) is None]
    if missing:
        raise UserError(f"training needs {', '.join(missing)}; `pip install finetune-advisor[train]`")
