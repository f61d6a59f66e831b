"""``attnviz replay`` and ``attnviz caption``: figures made again, and described, from what is in them."""

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from safetensors.torch import load_file, save_file

import attnviz
from attnviz.cli.app import run
from attnviz.render.within import recipe_in
from tests.models.zoo import save_model

SENTENCE = "The cat (on the mat) said “no” to $\\foo$ & 50 %"
KINDS = [".png", ".pdf", ".svg", ".json", ".csv", ".npz"]


def made(file: Path, *options: str) -> bytes:
    assert run(["heatmap", SENTENCE, "-o", str(file), *options]) == 0
    return file.read_bytes()


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) in (1, 2)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("suffix", KINDS)
def test_a_file_is_made_again_byte_for_byte(suffix: str, tmp_path: Path) -> None:
    before = made(tmp_path / f"a{suffix}", "-H", "1.0", "--special", "hide")
    assert run(["replay", str(tmp_path / f"a{suffix}"), "-o", str(tmp_path / f"b{suffix}")]) == 0
    assert (tmp_path / f"b{suffix}").read_bytes() == before


@pytest.mark.parametrize("options", [["--view", "atlas"], [], ["--style", "talk", "--width", "acl:page"]])
def test_atlas_overview_and_styles_are_made_again(options: list[str], tmp_path: Path) -> None:
    before = made(tmp_path / "a.png", *options)
    assert run(["replay", str(tmp_path / "a.png"), "-o", str(tmp_path / "b.png")]) == 0
    assert (tmp_path / "b.png").read_bytes() == before


def test_tables_and_grids_are_made_again(tmp_path: Path) -> None:
    for number, options in enumerate((["--sort", "previous", "--top", "3"], ["--grid", "entropy"])):
        old, new = tmp_path / f"{number}.png", tmp_path / f"{number}-new.png"
        assert run(["heads", SENTENCE, "Another text", "-o", str(old), *options]) == 0
        assert run(["replay", str(old), "-o", str(new)]) == 0
        assert new.read_bytes() == old.read_bytes()


@pytest.mark.parametrize("options", [[], ["-H", "1.0,0.1", "--top", "1", "--special", "hide"], ["--words"]])
@pytest.mark.parametrize("suffix", [".png", ".csv"])
def test_differences_are_made_again(options: list[str], suffix: str, tmp_path: Path) -> None:
    old, new = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    assert run(["diff", "The cat sat", "The dog sat", "-o", str(old), *options]) == 0
    assert run(["replay", str(old), "-o", str(new)]) == 0
    assert new.read_bytes() == old.read_bytes()


@pytest.mark.parametrize("options", [["--view", "lines", "-H", "1.0"], ["--view", "strip", "--query", "cat"]])
def test_lines_and_strips_are_made_again(options: list[str], tmp_path: Path) -> None:
    before = made(tmp_path / "a.pdf", *options)
    assert run(["replay", str(tmp_path / "a.pdf"), "-o", str(tmp_path / "b.pdf")]) == 0
    assert (tmp_path / "b.pdf").read_bytes() == before


DRAWN = ["--sequences", "3", "--length", "8"]


@pytest.mark.parametrize(
    ("suffix", "arguments"),
    [
        (".svg", ["variants", SENTENCE, "-H", "1.0", "--temperature", "0.1,1", "--special", "hide"]),
        (".json", ["variants", SENTENCE]),
        (".json", ["heatmap", SENTENCE, "--explain", "cat"]),
        (".png", ["probe", "--induction", *DRAWN, "--top", "2"]),
        (".csv", ["probe", "--sink", *DRAWN]),
        (".tex", ["probe", "--sink", *DRAWN, SENTENCE]),
        (".md", ["probe", "--relations", "builtin", "-l", "1", "--seed", "3"]),
    ],
)
def test_variants_explanations_and_probes_are_made_again(
    suffix: str, arguments: list[str], tmp_path: Path
) -> None:
    assert_made_again(arguments, suffix, tmp_path)


def assert_made_again(arguments: list[str], suffix: str, directory: Path, *models: str) -> None:
    """What a command writes is written by replay byte for byte."""
    old, new = directory / f"old{suffix}", directory / f"new{suffix}"
    assert run([*arguments, "-o", str(old)]) == 0
    assert run(["replay", str(old), "-o", str(new), *models]) == 0
    assert new.read_bytes() == old.read_bytes()


def test_a_rollout_of_a_plan_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text(SENTENCE)
    plan = ["--texts", str(tmp_path / "texts.txt"), "--view", "rollout", "--workers", "1"]
    assert run(["export", *plan, "-o", str(tmp_path / "made")]) == 0
    [old] = [file for file in (tmp_path / "made").iterdir() if file.suffix in (".pdf", ".png", ".svg")]
    new = tmp_path / f"new{old.suffix}"
    assert run(["replay", str(old), "-o", str(new)]) == 0
    assert new.read_bytes() == old.read_bytes()


TEXTS = ["The cat sat on the mat", "A dog ran", "Two birds sing in the tree", "It rains"]


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """``-m`` and ``-m`` of two models in directories of one name."""
    made = tmp_path_factory.mktemp("models")
    directories = [save_model("bert", made / place / "bert") for place in "ab"]
    weights = directories[1] / "model.safetensors"
    save_file({name: 1.5 * each for name, each in load_file(weights).items()}, weights, {"format": "pt"})
    return [option for directory in directories for option in ("-m", str(directory))]


@pytest.mark.parametrize(
    ("suffix", "arguments"),
    [
        (".csv", ["--top", "3"]),
        (".png", ["--view", "layers", "--measure", "cka", "--match", "nearest"]),
        (".svg", ["--view", "heads", "--seed", "7"]),
        (".pdf", ["--view", "maps"]),
        (".png", ["--view", "change"]),
        (".md", ["--view", "ranked"]),
    ],
)
def test_comparisons_are_made_again(
    suffix: str, arguments: list[str], alike: list[str], tmp_path: Path
) -> None:
    assert_made_again(["compare", *TEXTS, *arguments, *alike], suffix, tmp_path, *alike)


def test_what_is_of_two_models_is_made_again_and_says_where_they_must_be_named(
    alike: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.json"
    assert_made_again(["diff", "The cat", *alike], ".json", tmp_path, *alike)
    assert run(["diff", "The cat", *alike, "-o", str(file)]) == 0
    assert [entry["name"] for entry in recipe_in(file).model["models"]] == ["a/bert", "b/bert"]
    capsys.readouterr()
    assert "-m DIRECTORY -m DIRECTORY" in error_of(capsys, "replay", str(file))
    assert "2 models, a/bert, b/bert: 1 named" in error_of(capsys, "replay", str(file), *alike[:2])


def test_a_model_that_has_moved_is_called_as_it_was(tmp_path: Path) -> None:
    here, there = save_model("bert", tmp_path / "tiny"), tmp_path / "moved"
    copytree(here, there)
    assert_made_again(["heatmap", SENTENCE, "-m", str(here)], ".svg", tmp_path, "-m", str(there))


def test_the_library_makes_figures_again(tmp_path: Path) -> None:
    before, told = made(tmp_path / "a.png", "-H", "1.0"), list[str]()
    view = attnviz.replay(tmp_path / "a.png", tmp_path / "b.png", tell=told.append)
    assert (tmp_path / "b.png").read_bytes() == before
    assert view.title
    assert told == []


@pytest.mark.parametrize("why", ["arrays", "relations"])
def test_what_is_not_in_the_file_is_named(
    why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.json"
    if why == "arrays":
        seen = attnviz.from_arrays(np.full((1, 2, 2, 2), 0.5, np.float32), ["a", "b"])
        attnviz.save(attnviz.heatmap(seen), file)
        assert "arrays taken elsewhere" in error_of(capsys, "replay", str(file))
    else:
        assert run(["probe", "--relations", "builtin", "-H", "0.0", "-o", str(file)]) == 0
        changed(file, sample={**recipe_in(file).sample, "relations": "mine.conllu"})
        capsys.readouterr()
        assert "run attnviz probe --relations FILE again" in error_of(capsys, "replay", str(file))


def test_other_versions_are_told_before_anything_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.json"
    made(file, "-H", "0.0")
    changed(file, versions={**recipe_in(file).versions, "torch": "1.0"})
    capsys.readouterr()
    assert run(["replay", str(file)]) == 0
    assert "made with torch 1.0, here " in capsys.readouterr().err


def test_a_models_directory_must_be_named_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = save_model("bert", tmp_path / "tiny")
    before = made(tmp_path / "a.svg", "-m", str(directory))
    capsys.readouterr()
    err = error_of(capsys, "replay", str(tmp_path / "a.svg"), "-o", str(tmp_path / "b.svg"))
    assert "would be made by attnviz heatmap of 1 text with tiny" in err
    assert "-m DIRECTORY" in err
    assert run(["replay", str(tmp_path / "a.svg"), "-o", str(tmp_path / "b.svg"), "-m", str(directory)]) == 0
    assert (tmp_path / "b.svg").read_bytes() == before


def test_other_weights_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path / "a.json", "-H", "0.0", "-m", str(save_model("bert", tmp_path / "tiny")))
    capsys.readouterr()
    assert run(["replay", str(tmp_path / "a.json"), "-m", "builtin:encoder"]) == 0
    assert "other weights" in capsys.readouterr().err


def changed(file: Path, **entries: object) -> None:
    """A JSON file whose recipe somebody changed."""
    document = json.loads(file.read_text())
    document["recipe"].update(entries)
    file.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"schema": 99}, "no recipe of schema 1"),
        ({"command": "rm -rf /"}, r"was made by attnviz rm -rf /: only figures of"),
        ({"device": "cuda"}, "not known here"),
        ({"output": "/etc/passwd"}, "not known here"),
        ({"sample": {"name": "a"}}, "its sample has no text"),
        ({"sample": {"text": "a", "chat": "yes"}}, "damaged"),
        ({"sample": {"text_sha256": "00"}}, "its text was left out"),
        ({"model": {"name": 5}}, "names no model"),
        ({"model": {"name": "../../etc"}}, "which is not at hand"),
        ({"model": {"name": "nobody/nothing"}}, "which is not at hand"),
        ({"view": "sculpture"}, "--view 'sculpture' is none of"),
        ({"style": {"dpi": 1000000000}}, "cannot be followed: --dpi"),
        ({"style": {"width": 1e9}}, "cannot be followed: --width"),
        ({"choice": {"layers": "99"}}, "99"),
        ({"command": "compare"}, "does not say how models were compared"),
        ({"command": "variants"}, "does not say which variants"),
        ({"command": "explain"}, "does not say of which query"),
        ({"command": "align"}, "does not say how words were linked"),
        ({"command": "diff"}, "a difference is of two"),
        ({"command": "probe", "view": "sink"}, "damaged"),
        ({"command": "probe", "view": "induction", "reduction": {"seed": -1}}, "its seed is no whole number"),
        (
            {
                "command": "probe",
                "view": "induction",
                "reduction": {"seed": 0},
                "sample": {"sequences": 10**12, "length": 3},
            },
            "its sequences is no whole number",
        ),
        ({"model": {"models": [{"name": "a"}, 5]}}, "names no model"),
        ({"model": {"models": []}}, "it is of 0 models"),
    ],
)
def test_a_recipe_that_somebody_changed_is_one_line(
    entries: dict[str, object], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.json"
    made(file, "-H", "0.0")
    changed(file, **entries)
    capsys.readouterr()
    assert message in error_of(capsys, "replay", str(file))


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n\xff\xff", b"%PDF-1.4", b"<svg>", b"{", b"{}", b"PK", b"# {}\n"]
)
def test_what_holds_no_recipe_is_one_line(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_bytes(content)
    for command in ("replay", "caption"):
        assert "recipe" in error_of(capsys, command, str(tmp_path / "x"))


def test_a_picture_of_somebody_else_holds_no_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "attnviz:recipe")
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "x.png", pnginfo=texts)
    assert "holds no recipe" in error_of(capsys, "caption", str(tmp_path / "x.png"))


@pytest.mark.parametrize("suffix", KINDS)
def test_every_kind_of_file_holds_the_same_recipe(suffix: str, tmp_path: Path) -> None:
    made(tmp_path / f"a{suffix}", "-H", "1.0")
    recipe = recipe_in(tmp_path / f"a{suffix}")
    assert recipe.sample["text"] == SENTENCE
    assert recipe.choice.heads == "1.0"


def test_a_caption_says_what_was_shown_averaged_and_hidden(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(
        tmp_path / "a.pdf",
        "-l",
        "1",
        "--mean",
        "heads",
        "--special",
        "renorm",
        "--scale",
        "sqrt",
        "--vmax",
        "0.5",
    )
    capsys.readouterr()
    assert run(["caption", str(tmp_path / "a.pdf")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Attention weights (layer 1, mean over heads 0-")
    assert "builtin:encoder reading “The cat (on the mat)" in told
    assert "% of the weight lies on " in told
    assert "rows rescaled to sum to 1" in told
    assert told.endswith("Colours run with the square root of the weight from 0 to 0.5.\n")


def test_a_caption_for_tex_escapes_every_token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path / "a.png", "-H", "1.0")
    capsys.readouterr()
    assert run(["caption", "--tex", str(tmp_path / "a.png")]) == 0
    told = capsys.readouterr().out
    assert "\\foo" not in told
    assert "\\$\\textbackslash{}foo" in told


def test_a_caption_tells_how_many_tokens_make_a_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "the cat sat on a mat " * 50
    for view, told in (("maps", "Pooled: 3 tokens to a cell"), ("atlas", "tokens to a cell")):
        file = tmp_path / f"{view}.svg"
        assert run(["heatmap", text, "-l", "0", "--view", view, "-o", str(file)]) == 0
        capsys.readouterr()
        assert run(["caption", str(file)]) == 0
        assert told in capsys.readouterr().out
