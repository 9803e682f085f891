"""`advisor plan`."""

from __future__ import annotations

from pathlib import Path

import click

from advisor.cli.common import format_option, language_option, polite, print_answer


@click.command("plan")
@click.option(
    "--model", required=True, metavar="PATH|NAME|SIZE", help="Folder of the model, a name with its size, or a size such as 7B."
)
@click.option("--data", required=True, type=click.Path(path_type=Path), metavar="PATH", help="Training data.")
@click.option(
    "--method",
    required=True,
    type=click.Choice(["lora", "full", "pretrain"]),
    help="An adapter, all weights, or pre-training continued on running text.",
)
@click.option(
    "--difficulty", type=click.Choice(["easy", "medium", "hard"]), default="medium", show_default=True, help="How hard the task is."
)
@click.option("--gpu", metavar="NAME|MEMORY", help="Accelerator, such as A100-80GB, or its memory, such as 24GB.")
@click.option("--devices", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="How many of them.")
@click.option(
    "--max-length", type=click.IntRange(min=8), metavar="N", help="Tokens of a row.  [default: by the data's own lengths]"
)
@click.option(
    "--target",
    type=click.Choice(["advisor", "trl", "llama-factory", "axolotl"]),
    default="advisor",
    show_default=True,
    help="Trainer that -o is written for.",
)
@click.option(
    "-o", "--output", "out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the configuration."
)
@click.option("--force", is_flag=True, help="Let -o replace a file.")
@format_option("plan")
@language_option
@polite
def command(
    model: str, data: Path, method: str, difficulty: str, gpu: str | None, devices: int, max_length: int | None, target: str,
    out: Path | None, output: str, lang: str, *, force: bool,
) -> None:  # fmt: skip
    """Propose starting parameters for a fine-tuning, each with its reason, and what it takes in memory and time.

    \b
    Examples:
      advisor plan --model Qwen2.5-7B --data train.jsonl --method lora --gpu A100-80GB
      advisor plan --model models/qwen --data train.jsonl --method full -o train.toml
    """  # noqa: D301  click's mark for lines that stay as they are
    from advisor.errors import BadPlan
    from advisor.plan.cost import gpu_named
    from advisor.plan.data import read_data
    from advisor.plan.model import read_model
    from advisor.plan.plan import plan
    from advisor.plan.targets import check_suffix, written

    if out is not None:
        check_suffix(target, out)
        if out.exists() and not force:
            raise BadPlan(f"{out}: exists; give another name, or --force to replace it")
    accelerator = gpu_named(gpu) if gpu else None
    about = read_model(model)
    planned = plan(
        about,
        read_data(data, about.tokenizer),
        method,
        difficulty=difficulty,
        gpu=accelerator,
        devices=devices,
        max_length=max_length,
    )
    content = written(planned, target, out) if out is not None else ""
    _print(planned, output, lang)
    from advisor.render.words import Words

    words = Words(lang, None, "plan")
    if out is None:
        if output == "text":
            click.echo(f"\n{words('write_it')}")
        return
    from advisor.config_writer import save

    save(content, out)
    click.echo(words("written_plan", path=out, target=target, command=words(f"run.{target}", path=out)), err=True)


def _print(planned: object, output: str, lang: str) -> None:
    from advisor.plan.planned import Plan
    from advisor.render import plan as render

    assert isinstance(planned, Plan)
    print_answer(
        output,
        json=lambda: render.as_json(planned, lang),
        markdown=lambda: render.markdown(planned, lang),
        text=lambda console: render.text(planned, lang, console),
    )
