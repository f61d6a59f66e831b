"""``attnviz compare``, called as a user does: exit status, standard output and standard error."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, ViTConfig, ViTModel

import attnviz
from attnviz.cli.app import run
from attnviz.observe import memory
from attnviz.recipes import Recipe
from tests.models import zoo

LINES = [
    "The cat sat on the mat because it was tired.",
    "A dog that nobody owned slept under the old wooden table.",
    "The tired dog owned the mat and the wooden table.",
    "Nobody sat under the table because things happen in cafés.",
    "Unbelievable things happen to the cat and to the dog.",
]
HEAD = zoo.SIZE // zoo.HEADS


@dataclass(frozen=True)
class Directories:
    """Of small models: one, the same with head 1.2 disturbed, and one that is causal and cuts otherwise."""

    base: str
    tuned: str
    causal: str
    texts: str


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Directories:
    directory = tmp_path_factory.mktemp("compared")
    base, tuned = zoo.save_model("bert", directory / "base"), directory / "tuned"
    model = AutoModel.from_pretrained(base)
    with torch.no_grad():
        model.encoder.layer[1].attention.self.query.weight[2 * HEAD : 3 * HEAD] *= -1
    model.save_pretrained(tuned)
    zoo.wordpiece().save_pretrained(tuned)
    texts = directory / "texts.txt"
    texts.write_text("\n".join(LINES))
    return Directories(str(base), str(tuned), str(zoo.save_model("gpt2", directory / "causal")), str(texts))


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("ATTNVIZ_MODEL", raising=False)


Captured = pytest.CaptureFixture[str]


def of(saved: Directories, *models: str) -> list[str]:
    return ["compare", "--file", saved.texts, "--lines", *(part for name in models for part in ("-m", name))]


def test_of_one_architecture_what_changed_comes_first(saved: Directories, capsys: Captured) -> None:
    assert run(of(saved, saved.base, saved.tuned)) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("A: base  B: tuned  heads that changed most")
    assert lines[2].split() == ["head", "change", "samples"]
    assert lines[4].split()[0] == "1.2"
    places = [
        out.index(words) for words in ("10 of 12 heads, the most changed", "layer 0", "10 of 12 matches")
    ]
    assert places == sorted(places)
    assert out.count("no intervals") == out.count("null: ") == 1
    assert max(map(len, lines)) <= 80
    assert not err


def test_of_other_architectures_all_matches_are_printed_and_no_change(
    saved: Directories, capsys: Captured
) -> None:
    assert run(of(saved, saved.base, "builtin:encoder")) == 0
    out = capsys.readouterr().out
    rows = out.partition("─\n")[2].partition("\n\n")[0].splitlines()
    assert sorted(row.split()[0] for row in rows) == [
        f"{layer}.{head}" for layer in range(3) for head in range(4)
    ]
    assert "changed" not in out


@pytest.mark.parametrize("view", ["matches", "ranked"])
def test_so_many_rows_are_shown(view: str, saved: Directories, tmp_path: Path) -> None:
    file = tmp_path / "first.csv"
    command = [*of(saved, saved.base, saved.tuned), "--view", view, "-o", str(file)]
    assert run([*command, "--top", "3"]) == 0
    assert len(file.read_text().splitlines()) == 2 + 3
    assert run(command) == 0
    assert len(file.read_text().splitlines()) == 2 + 12


def test_a_model_is_matched_with_itself_head_by_head(saved: Directories, capsys: Captured) -> None:
    assert run([*of(saved, saved.base, saved.base), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(match["first"], match["similarity"]) for match in document["matches"]] == [
        (match["second"], pytest.approx(1, abs=1e-6)) for match in document["matches"]
    ]
    assert [one["change"] for one in document["changes"]] == pytest.approx([0] * 12, abs=1e-6)
    np.testing.assert_allclose(np.diagonal(document["similarity"]), 1, atol=1e-6)
    assert Recipe.from_json(json.dumps(document["recipe"])).command == "compare"


def test_models_with_other_tokenizers_and_masks_are_compared_by_words(
    saved: Directories, capsys: Captured
) -> None:
    assert run([*of(saved, saved.base, saved.causal), "--json", "--measure", "cka", "--seed", "3"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["measure"], document["seed"]) == ("cka", 3)
    assert np.array(document["similarity"], float).shape == (12, 12)
    assert run([*of(saved, saved.base, saved.causal), "--view", "layers"]) == 0
    assert "every layer of A beside every layer of B" in capsys.readouterr().out


def test_the_first_model_is_compared_with_each_of_the_others(
    saved: Directories, capsys: Captured, tmp_path: Path
) -> None:
    models = of(saved, saved.base, saved.tuned, saved.causal)
    assert run([*models, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["comparisons"]
    assert [document["models"] for document in found] == [["base", "tuned"], ["base", "causal"]]
    assert run([*models, "-o", str(tmp_path / "{model}.csv")]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["causal.csv", "tuned.csv"]
    capsys.readouterr()
    assert run([*models, "-o", str(tmp_path / "one.csv")]) == 2
    assert "one file for 2 comparisons: put {model} into its name" in capsys.readouterr().err


@pytest.mark.parametrize("view", [None, "matches", "ranked", "heads", "layers", "maps", "change"])
def test_each_view_is_written_as_a_picture(
    view: str | None, saved: Directories, capsys: Captured, tmp_path: Path
) -> None:
    file = tmp_path / "compared.png"
    chosen = ["--view", view] if view else []
    assert run([*of(saved, saved.base, saved.tuned), *chosen, "-o", str(file)]) == 0
    assert file.read_bytes().startswith(b"\x89PNG")
    recipe = file.read_bytes()
    assert f'"view": "{view or "heads"}"'.encode() in recipe
    assert capsys.readouterr().err == f"attnviz: wrote {file}\n"


@pytest.mark.parametrize("suffix", [".csv", ".md", ".tex", ".json"])
def test_matches_are_written_as_tables(suffix: str, saved: Directories, tmp_path: Path) -> None:
    file = tmp_path / f"matches{suffix}"
    assert run([*of(saved, saved.base, saved.tuned), "-o", str(file)]) == 0
    text = file.read_text()
    assert "verdict" in text
    assert '"seed": 0' in text


def test_the_same_seed_gives_the_same_bytes(saved: Directories, capsys: Captured) -> None:
    command = [*of(saved, saved.base, saved.causal), "--json", "--seed", "5"]
    printed = []
    for _ in range(2):
        assert run(command) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]


def test_captures_are_compared_without_their_models(
    saved: Directories, capsys: Captured, tmp_path: Path
) -> None:
    files = [str(tmp_path / f"{name}.safetensors") for name in ("base", "tuned")]
    for name, file in zip((saved.base, saved.tuned), files, strict=True):
        kept = ["-m", name, "--keep", "words", "--no-statistics", "-o", file]
        assert run(["capture", "--file", saved.texts, "--lines", *kept]) == 0
    capsys.readouterr()
    assert run(["compare", "--from", files[0], "--from", files[1], "--json"]) == 0
    before = json.loads(capsys.readouterr().out)
    assert run([*of(saved, saved.base, saved.tuned), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["similarity"] == before["similarity"]
    assert run(["compare", "--from", files[0], "--from", files[1], "-m", saved.base]) == 2
    assert "runs no model: leave out --model" in capsys.readouterr().err


def test_an_expectation_that_is_met_says_nothing(saved: Directories, capsys: Captured) -> None:
    assert run([*of(saved, saved.base, saved.base), "--expect", "max_js_change<0.05", "--json"]) == 0
    assert not capsys.readouterr().err


def test_an_expectation_that_is_not_met_names_the_offender_and_ends_with_3(
    saved: Directories, capsys: Captured
) -> None:
    assert run([*of(saved, saved.base, saved.tuned), "--expect", "max_js_change<0.05", "--json"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["models"] == ["base", "tuned"]
    assert err.count("\n") == 1
    assert err.startswith("attnviz: base and tuned: expected max_js_change<0.05, but max_js_change is 0.")
    assert "(head 1.2)" in err


def test_every_comparison_that_does_not_meet_it_is_named(saved: Directories, capsys: Captured) -> None:
    command = [*of(saved, saved.base, saved.tuned, saved.base), "--expect", "min_similarity>2", "--json"]
    assert run(command) == 3
    assert capsys.readouterr().err.count("expected min_similarity>2") == 2


def test_an_expectation_of_what_one_pair_has_not_is_told_before_anything_is_compared(
    saved: Directories, capsys: Captured
) -> None:
    for other, name in (("builtin:encoder", "builtin:encoder"), (saved.causal, "causal")):
        models = of(saved, saved.base, saved.tuned, other)
        assert run([*models, "--expect", "max_js_change<0.05", "--json"]) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert f"there is no max_js_change, as base and {name} do not have" in err


def test_a_comparison_without_the_number_hides_no_offender(
    saved: Directories, capsys: Captured, tmp_path: Path
) -> None:
    kept = []
    for name, model, heads in (
        ("one", saved.base, "0.0"),
        ("two", saved.tuned, "0.0"),
        ("no", saved.tuned, "1.1"),
    ):
        kept += ["--from", str(tmp_path / f"{name}.safetensors")]
        command = ["capture", "--file", saved.texts, "--lines", "-m", model, "--keep", heads, "-o", kept[-1]]
        assert run(command) == 0
    capsys.readouterr()
    assert run(["compare", *kept, "--expect", "max_js_change<0", "--json"]) == 3
    err = capsys.readouterr().err
    assert "expected max_js_change<0, but max_js_change is " in err
    assert "there is no max_js_change" in err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["-m", "no such model"], 2, "takes two models or more, and one is given: add -m NAME"),
        ([], 2, "none is given: add -m NAME twice"),
        (["-m", "a", "-m", "b", "--expect", "max_js_chang<1"], 2, "did you mean max_js_change"),
        (["-m", "a", "-m", "b", "--generate", "3"], 2, "No such option: --generate"),
        (["-m", "a", "-m", "b", "--view", "banana"], 2, "'--view': 'banana' is not one of 'matches'"),
        (["-m", "a", "-m", "b", "--cmap", "no"], 2, "no"),
        (["-m", "a", "-m", "b", "--view", "heads", "--top", "3"], 2, "add --view matches or ranked"),
        (["-m", "a", "-m", "b", "-o", "x.npz"], 1, ".npz is no format for what this shows; these are: .png"),
        (["-m", "a", "-m", "b", "-o", "x.json", "--json"], 2, "leave it out and give -o FILE.json"),
    ],
)
def test_what_cannot_be_understood_is_one_line_before_a_model_is_loaded(
    arguments: list[str], status: int, message: str, capsys: Captured
) -> None:
    assert run(["compare", "One cat", "Two cats", *arguments]) == status
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


def test_changes_of_models_with_other_layers_are_one_line(saved: Directories, capsys: Captured) -> None:
    models = of(saved, saved.base, "builtin:encoder")
    assert run([*models, "--view", "change"]) == 1
    assert "do not have the same layers and heads" in capsys.readouterr().err
    assert run([*models, "--expect", "max_js_change<1", "--json"]) == 1
    assert "there is no max_js_change" in capsys.readouterr().err


def test_every_sample_that_a_model_cannot_take_is_named(
    saved: Directories, capsys: Captured, tmp_path: Path
) -> None:
    texts = tmp_path / "long.txt"
    texts.write_text("\n".join([LINES[0], "cat " * 200, LINES[1], "dog " * 300]))
    command = ["compare", "--file", str(texts), "--lines", "-m", "builtin:encoder", "-m", saved.base]
    assert run(command) == 1
    err = capsys.readouterr().err
    assert "long-2 has " in err
    assert "(nor can it take long-4)" in err
    assert run([*command, "--truncate", "--json"]) == 0


def test_a_model_that_reads_no_text_says_so_once(
    saved: Directories, capsys: Captured, tmp_path: Path
) -> None:
    small = ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, image_size=32
    )
    ViTModel(small).save_pretrained(tmp_path / "vit")
    capsys.readouterr()
    assert run(of(saved, saved.base, str(tmp_path / "vit"))) == 1
    assert capsys.readouterr().err == "attnviz: vit (vit) does not read text\n"


def test_maps_that_do_not_fit_are_refused_with_an_option_that_compare_has(
    saved: Directories, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1000)
    monkeypatch.setattr(memory, "ALWAYS", 0)
    assert run(of(saved, saved.base, saved.tuned)) == 1
    assert "give shorter texts" in capsys.readouterr().err


def test_the_verb_finds_what_the_command_finds(saved: Directories, capsys: Captured) -> None:
    found = attnviz.compare([saved.base, saved.tuned], LINES)
    assert run([*of(saved, saved.base, saved.tuned), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(found.similarity, document["similarity"], atol=1e-5)
    worst = min(found.matches, key=lambda match: match.similarity.value)
    assert worst.first.name == "1.2"
