"""Layers are a contract, and starting is cheap: what imports what, and what is never loaded."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ADVISOR = Path(__file__).parent.parent / "advisor"
LAYERS = (
    "errors",
    "plugins",
    "whole_file",
    "model",
    "locale",
    "readers",
    "signals",
    "data",
    "task",
    "evaluation",
    "detectors",
    "book_cache",
    "effects",
    "recipes",
    "dialects",
    "changes",
    "recipes",
    "cost",
    "rulebook",
    "causes",
    "engine",
    "comparison",
    "explain",
    "thin",
    "parallel",
    "suitability",
    "settings",
    "config_forms",
    "config_writer",
    "plan",
    "cases",
    "render",
    "live",
    "report",
    "cli",
)
REGISTERED = {"signal": "signals", "detector": "detectors", "recipe": "recipes"}
HEAVY = (
    "torch",
    "transformers",
    "scipy",
    "matplotlib",
    "pandas",
    "tensorflow",
    "ruamel.yaml",
    "advisor.data",
    "pyarrow",
    "tokenizers",
    "numba",
)


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("advisor."):
            yield node.module.split(".")[1]


@pytest.mark.parametrize("path", sorted(ADVISOR.rglob("*.py")), ids=lambda p: str(p.relative_to(ADVISOR)))
def test_a_module_imports_only_from_its_own_layer_and_those_below(path):
    own = path.relative_to(ADVISOR).parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    allowed = LAYERS[: LAYERS.index(own) + 1]
    # The model names a Rule and the recipes a Rule only as types; nothing is loaded for it.
    above = {name for name in _imports(path) if name not in allowed}
    assert above <= ({"rulebook"} if own in ("model", "changes") else set())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["analyze", "sample_logs/healthy/sft-weather/trainer_state.json"], ["rules", "list"]]
)
def test_a_command_never_loads_the_heavy_libraries(arguments, root):
    code = (
        "import sys\n"
        "from advisor.cli import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], 'numpy' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stderr.splitlines()[-1] == f"[] {arguments[0] != '--help'}"


def test_what_is_live_loads_transformers_only_for_the_callback():
    code = f"import sys, advisor.live, advisor.live.log, advisor.live.judge\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("decorator", "folder"), REGISTERED.items())
def test_no_two_functions_are_registered_under_one_name(decorator, folder):
    names = [
        node.name
        for path in sorted((ADVISOR / folder).glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and any(isinstance(d, ast.Name) and d.id == decorator for d in node.decorator_list)
    ]
    assert len(names) > len(REGISTERED)
    assert sorted(set(names)) == sorted(names)
