"""Which room may import which, and what no light import may load."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from attnviz.cli.app import COMMANDS

ROOT = Path(__file__).parent.parent / "attnviz"

LEAVES = {
    "attnviz", "attnviz.errors", "attnviz.inputs", "attnviz.metrics", "attnviz.facts", "attnviz.captures",
    "attnviz.files",
    "attnviz.recipes", "attnviz.observe.tiles", "attnviz.render.views", "attnviz.render.rows",
    "attnviz.render.plots", "attnviz.render.recorded", "attnviz.analysis.relations",
    "attnviz.analysis.words", "attnviz.analysis.comparison", "attnviz.analysis.shares",
    "attnviz.analysis.resample",
    "attnviz.analysis.alignment",
    "attnviz.stored", "attnviz.stored.arrays", "attnviz.stored.checks", "attnviz.stored.codec",
    "attnviz.stored.container", "attnviz.stored.files", "attnviz.stored.npz", "attnviz.stored.textless",
    "attnviz.stored.conllu", "attnviz.stored.relationlines", "attnviz.stored.relationfiles",
    "attnviz.frames", "attnviz.venues", "attnviz.observe.memory", "attnviz.projections", "attnviz.variation",
}  # fmt: skip
ROOMS = [
    "attention",
    "builtin",
    "models",
    "observe",
    "analysis",
    "render",
    "plans",
    "costs",
    "costing",
    "wishes",
    "probes",
    "capturing",
    "comparing",
    "probing",
    "growing",
    "sweeping",
    "studying",
    "aligning",
    "exporting",
    "remaking",
    "replaying",
    "api",
    "cli",
]  # along the flow
HEAVY = {
    "torch": {"attention", "builtin", "models", "observe", "costs"},
    "transformers": {"models"},
    "matplotlib": {"render"},
    "typer": {"cli"},
}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def name_of(file: Path) -> str:
    parts = ("attnviz", *file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports(file: Path) -> Iterator[str]:
    """Names of the modules imported anywhere in a file, other than for type checking alone."""
    for node in _run(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _run(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.FunctionDef) and re.fullmatch("_repr_.*_", node.name):
        return  # what a notebook asks for: one late import
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _run(child)


def modules_known() -> set[str]:
    return {name_of(file) for file in modules()}


@pytest.mark.parametrize("file", modules(), ids=name_of)
def test_imports_point_along_the_flow(file: Path) -> None:
    module = name_of(file)
    if module == "attnviz":  # resolves its verbs on first use
        return
    for imported in set(imports(file)) & modules_known() - LEAVES:
        if module in LEAVES:
            pytest.fail(f"{module} is a leaf and imports {imported}")
        assert ROOMS.index(room_of(imported)) <= ROOMS.index(room_of(module)), f"{module} imports {imported}"
        assert room_of(module) == "cli" or room_of(imported) != "cli"


@pytest.mark.parametrize("file", modules(), ids=name_of)
def test_heavy_libraries_stay_in_their_rooms(file: Path) -> None:
    module = name_of(file)
    for library, rooms in HEAVY.items():
        used = [name for name in imports(file) if name.split(".")[0] == library]
        assert not used or room_of(module) in rooms, f"{module} imports {used}"


def test_attention_imports_nothing_of_attnviz() -> None:
    for file in (ROOT / "attention").rglob("*.py"):
        ours = [name for name in imports(file) if name.startswith("attnviz")]
        assert all(name.startswith("attnviz.attention") for name in ours), f"{file.name} imports {ours}"


LIGHT = [
    "import attnviz",
    "from attnviz.cli import app; app.run(['--help'])",  # which loads every command
    "import attnviz.plans.export, attnviz.plans.toml",  # what finds out that there is nothing to do
]


@pytest.mark.parametrize("statement", LIGHT)
def test_a_light_import_loads_no_heavy_library(statement: str) -> None:
    script = f"{statement}; import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "matplotlib", "numpy", "tokenizers"} & set(loaded.stdout.split())
    assert not heavy


def test_a_command_loads_no_other() -> None:
    script = "from attnviz.cli import app; app.run(['models', '--help']); import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    assert "attnviz.cli.models" in modules
    assert not {f"attnviz.cli.{name}" for name in COMMANDS if name != "models"} & modules


def test_a_verb_loads_no_other() -> None:
    script = "from attnviz import api; api.heatmap, api.load, api.cost; import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    assert "attnviz.costing" in modules
    assert not {f"attnviz.{name}" for name in ("aligning", "comparing", "growing", "replaying")} & modules
