"""The README's texts and pictures, made by the commands beside them: ``python -m tests.readme``.

A block ``console`` holds commands (``$ attnviz ...``) and their output. A picture stands under a comment with
its command; without ``-o`` in it the picture is one of the terminal. A block ``python`` that begins with the
name of a file is a script that commands after it need.
"""

import io
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
WIDTH = 80

SCRIPT = re.compile(r"```python\n# (?P<name>\w+\.py)\n(?P<body>.*?)```", re.DOTALL)
BLOCK = re.compile(r"```console\n(?P<body>.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (?P<command>attnviz .*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
PICTURE = re.compile(r"<!-- (?P<command>attnviz [^\n]*) -->\n!\[[^\]]*\]\((?P<file>docs/[^)]+)\)")

DARK = TerminalTheme(
    (24, 24, 27), (228, 228, 231),
    [(39, 39, 42), (248, 113, 113), (74, 222, 128), (250, 204, 21),
     (96, 165, 250), (192, 132, 252), (34, 211, 238), (212, 212, 216)],
    [(113, 113, 122), (252, 165, 165), (134, 239, 172), (253, 224, 71),
     (147, 197, 253), (216, 180, 254), (103, 232, 249), (250, 250, 250)],
)  # fmt: skip


def commands(readme: str) -> list[tuple[str, str]]:
    """Every command of the README that shows its output: (command, output)."""
    bodies = [block["body"] for block in BLOCK.finditer(readme)]
    return [(found["command"], found["output"]) for body in bodies for found in COMMAND.finditer(body)]


def pictures(readme: str) -> list[tuple[str, Path]]:
    """Every picture of the README: (command, file)."""
    return [(found["command"], ROOT / found["file"]) for found in PICTURE.finditer(readme)]


def prepare(readme: str) -> None:
    """Runs every script of the README."""
    for script in SCRIPT.finditer(readme):
        subprocess.run([sys.executable, "-c", script["body"]], cwd=ROOT, capture_output=True, check=True)


def output_of(command: str, *, colour: bool = False) -> str:
    """What the command prints on a terminal of 80 columns."""
    look = (
        {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color"}
        if colour
        else {"NO_COLOR": "1"}
    )
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "FORCE_COLOR", "ATTNVIZ_MODEL")
    }
    program, *arguments = shlex.split(command)
    done = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / program, *arguments],
        env={**clean, **look, "COLUMNS": str(WIDTH), "PYTHONUTF8": "1"},
        cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"


def draw(command: str, file: Path) -> None:
    """Makes the picture of a command."""
    if " -o " in command:
        output_of(command)
        return
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in output_of(command, colour=True).splitlines():
        console.print(_without_moves(line))
    picture = console.export_svg(title=command, theme=DARK, unique_id="attnviz")
    file.write_text(
        re.sub(r"@font-face \{[^}]*\}\s*", "", picture), encoding="utf-8"
    )  # no fonts from elsewhere


def _without_moves(line: str) -> Text:
    """The line with blanks where it sends the cursor to a column."""
    start, *parts = re.split(r"\x1b\[(\d+)G", line)
    text = Text.from_ansi(start)
    for column, part in zip(parts[::2], parts[1::2], strict=True):
        text.pad_right(max(int(column) - 1 - text.cell_len, 0))
        text.append_text(Text.from_ansi(part))
    return text


def regenerated(readme: str) -> str:
    """The README with the output of every command as it is now."""

    def renewed(block: re.Match[str]) -> str:
        body = COMMAND.sub(
            lambda found: f"$ {found['command']}\n{output_of(found['command'])}", block["body"]
        )
        return f"```console\n{body}```"

    return BLOCK.sub(renewed, readme)


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    prepare(text)
    for command, file in pictures(text):
        draw(command, file)
    README.write_text(regenerated(text), encoding="utf-8")
    sys.exit(0)
