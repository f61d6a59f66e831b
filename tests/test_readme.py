"""What the README shows is what the commands beside it make."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attnviz.cli.app import run
from tests.readme import README, ROOT, commands, draw, output_of, pictures, prepare

TEXT = README.read_text(encoding="utf-8")
NUMBER = re.compile(r"\d*\.\d+")
SHADED = re.compile(rf"[·░▒▓█]?{NUMBER.pattern}")


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    prepare(TEXT)


def alike(shown: str, made: str) -> bool:
    """The same text, its numbers and their shades equal but for the rounding of another processor."""
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (shown, made)]
    return SHADED.sub("#", shown) == SHADED.sub("#", made) and np.allclose(*numbers, atol=0.0101, rtol=0.01)


def test_the_readme_shows_commands_and_pictures() -> None:
    assert len(commands(TEXT)) >= 3
    assert len(pictures(TEXT)) >= 2


@pytest.mark.parametrize(("command", "shown"), commands(TEXT), ids=[command for command, _ in commands(TEXT)])
def test_a_text_of_the_readme_is_what_its_command_prints(command: str, shown: str) -> None:
    made = output_of(command)
    assert alike(shown, made), f"{command} prints now:\n{made}\nmake readme writes it into the README"


@pytest.mark.parametrize(("command", "file"), pictures(TEXT), ids=[command for command, _ in pictures(TEXT)])
def test_a_picture_of_the_readme_is_what_its_command_makes(command: str, file: Path, tmp_path: Path) -> None:
    again = tmp_path / file.name
    draw(command.replace(str(Path("docs") / file.name), str(again)), again)
    assert again.exists(), f"{command} makes no {file.name}"
    if file.suffix == ".svg":
        assert alike(*(_words(path) for path in (file, again)))
    else:
        images = [Image.open(path) for path in (file, again)]
        assert images[0].info["attnviz:recipe"] == images[1].info["attnviz:recipe"]
        shown, made = (np.asarray(image.convert("RGB"), float) for image in images)
        assert shown.shape == made.shape
        assert (np.abs(shown - made).max(-1) > 16).mean() < 0.001, "pixels differ"


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = TEXT.partition("\n## In code\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(blocks) >= 3
    exec("\n".join(blocks), {})
    assert (tmp_path / "cat.pdf").exists()


def _words(file: Path) -> str:
    return " ".join(re.findall(r">([^<]+)</text>", file.read_text(encoding="utf-8")))


def test_the_plan_of_the_readme_is_made_as_it_stands(tmp_path: Path) -> None:
    file = ROOT / "sample_texts" / "paper.toml"
    (shown,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert file.read_text(encoding="utf-8").endswith(shown)
    (listed,) = [output for command, output in commands(TEXT) if command.startswith("attnviz export ")
                 and "--dry-run" in command]  # fmt: skip
    assert run(["export", str(file), "-o", str(tmp_path)]) == 0
    assert [json.loads(line)["file"] for line in (tmp_path / "figures.jsonl").read_text().splitlines()] == (
        listed.split()
    )
