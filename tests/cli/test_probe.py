"""``attnviz probe``, called as a user does: exit status, standard output and standard error."""

import csv
import io
import json
from pathlib import Path

import pytest

import attnviz
from attnviz.cli.app import run
from attnviz.probes import corpus_of
from attnviz.recipes import Recipe
from tests.models import zoo

SAMPLES = Path(__file__).parents[2] / "sample_texts"
DEPENDENCIES, COREFERENCE = str(SAMPLES / "dependencies.conllu"), str(SAMPLES / "coreference.jsonl")
FEW = ["--sequences", "3", "--length", "8"]


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(zoo.save_model("gpt2", tmp_path_factory.mktemp("gpt2")))


def test_findings_fit_the_terminal_and_say_how_they_were_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["probe", "--relations", DEPENDENCIES]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "builtin:encoder  relations of dependencies.conllu, 20 texts"
    assert lines[4].split()[:3] == ["det", "→", "3.7"]
    assert max(map(len, lines)) <= 80
    assert "heads and distances are chosen on 10 texts" in out
    assert "fewer than 5 pairs in a half: acl:relcl, aux," in out
    assert not err


def test_the_json_holds_every_finding_and_every_heads_share(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["probe", "--relations", COREFERENCE, "-l", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["heads"] == [f"2.{head}" for head in range(8)]
    for finding, shares in zip(document["findings"], document["shares"], strict=True):
        assert finding["share"] == shares[document["heads"].index(finding["head"])]
        assert finding["low"] <= finding["share"] <= finding["high"]
    recipe = Recipe.from_json(json.dumps(document["recipe"]))
    assert (recipe.command, recipe.choice.layers, recipe.sample["texts"]) == ("probe", "2", 16)


@pytest.mark.parametrize("suffix", ["csv", "json", "md", "tex", "png", "pdf", "svg"])
def test_a_file_is_the_same_bytes_twice(tmp_path: Path, suffix: str) -> None:
    for name in ("first", "second"):
        assert run(["probe", "--relations", COREFERENCE, "-o", str(tmp_path / f"{name}.{suffix}")]) == 0
    first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("first", "second"))
    assert first == second


def test_a_saved_capture_takes_the_place_of_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [text.text for text in corpus_of(COREFERENCE).texts]
    file = str(tmp_path / "kept.safetensors")
    attnviz.capture(texts, statistics=False).save(file)
    assert run(["probe", "--relations", COREFERENCE, "--json"]) == 0
    fresh = json.loads(capsys.readouterr().out)
    assert run(["probe", "--relations", COREFERENCE, "--from", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == fresh["findings"]
    assert run(["probe", "--relations", DEPENDENCIES, "--from", file]) == 1
    assert "no capture of dependencies-1 is there" in capsys.readouterr().err


def test_induction_lists_the_best_heads_first(gpt2: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["probe", "--induction", "-m", gpt2, *FEW, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    scores = [head["induction"] for head in document["heads"]]
    assert len(scores) == 12
    assert scores == sorted(scores, reverse=True)
    assert document["recipe"]["sample"] == {"sequences": 3, "length": 8, "times": 2}
    assert run(["probe", "--induction", "-m", gpt2, *FEW, "--top", "2"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[4:6]] == [
        each["head"] for each in document["heads"][:2]
    ]
    assert "2 of 12 heads, the largest first" in out
    assert "no intervals: they take at least 10 sequences" in out


def test_heads_that_cannot_see_so_far_back_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    windowed = str(zoo.save_model("mistral", tmp_path))  # of 5 tokens
    assert run(["probe", "--induction", "-m", windowed, *FEW]) == 0
    assert "12 heads are left out: their rows never see what is asked for" in capsys.readouterr().out


def test_ten_sequences_have_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["probe", "--induction", "--sequences", "10", "--length", "8", "--top", "3"]) == 0
    out = capsys.readouterr().out
    assert "percentile bootstrap, 2,000 times as many sequences drawn again" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_sink_is_measured_on_random_tokens_and_on_texts(
    gpt2: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run(["probe", "--sink", "The cat sat on the mat.", "A dog slept.", "-m", gpt2, *FEW, "--json"]) == 0
    )
    document = json.loads(capsys.readouterr().out)
    heads = document["heads"]
    assert len(heads) == 12
    own = attnviz.capture("The cat sat on the mat.", model=gpt2).statistics
    other = attnviz.capture("A dog slept.", model=gpt2).statistics
    for head in heads:
        place = [each.name for each in own.heads].index(head["head"])
        mean = (own.values["first"][place] + other.values["first"][place]) / 2
        assert head["text"] == pytest.approx(mean, abs=1e-6)
    assert [sample["text"] for sample in document["recipe"]["sample"]["texts"]["samples"]] == [
        "The cat sat on the mat.", "A dog slept.",
    ]  # fmt: skip
    assert run(["probe", "--sink", *FEW, "--top", "2"]) == 0
    out = capsys.readouterr().out
    assert "3 sequences of 8 random tokens, 3 texts" in out
    assert "the first token is [CLS], the model's own" in out


def test_a_csv_file_can_be_read_by_its_names(tmp_path: Path) -> None:
    assert run(["probe", "--relations", DEPENDENCIES, "-o", str(tmp_path / "found.csv")]) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "found.csv").read_text().split("\n", 1)[1])))
    assert {"relation", "direction", "head", "share", "low", "high", "nearest", "offset", "distance", "beats",
            "pairs", "texts", "unseen", "chosen_on"} <= set(rows[0])  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "name one probe: --relations FILE (or builtin), --induction, or --sink"),
        (["--sink", "--induction"], 2, "name one probe"),
        (["The cat", "--induction"], 2, "only --sink reads a TEXT"),
        (["The cat", "--relations", "builtin"], 2, "only --sink reads a TEXT"),
        (["--relations", "builtin", "--length", "9"], 2, "--length is for --induction and --sink"),
        (["--relations", "builtin", "--words"], 2, "--words changes what is drawn of a map"),
        (["--induction", "--from", "x"], 2, "--from goes with --relations"),
        (["--relations", "no.conllu"], 1, "cannot read no.conllu: No such file or directory"),
        (["--relations", "broken.conllu"], 1, "line 2 of broken.conllu: it has 2 columns between tabs"),
        (["--relations", COREFERENCE, "-l", "9"], 1, "no layer 9: there are layers 0 to 3"),
        (["--relations", COREFERENCE, "-o", "x.npz"], 1,
         ".npz is no format for what this shows; these are: .png"),
        (["--induction", "--length", "300"], 1,
         "300 tokens and 2 of its own are 602, and builtin:encoder reads at most 512: --length 255 fits"),
        (["--sink", "--length", "511"], 1, "511 tokens and 2 of its own are 513, and"),
        (["--induction", "--length", "5000"], 1,
         "no 5000 different tokens can be drawn: builtin:encoder knows 2996 besides its own"),
        (["--induction", "--length", "1"], 2, "--length"),
        (["--sink", ""], 1, "text is empty: give at least one word"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_that_says_what_would_work(
    arguments: list[str],
    status: int,
    message: str,
    tmp_path: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.conllu").write_text("# text = a b\n1\ta\n")
    assert run(["probe", *arguments]) == status
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert message in err


def test_a_text_that_is_too_long_is_named(
    gpt2: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = {"text": "a b c", "relations": [{"name": "r", "source": [0, 1], "target": [4, 5]}]}
    long = {**short, "text": "a b c " * 200}
    file = tmp_path / "long.jsonl"
    file.write_text(f"{json.dumps(short)}\n{json.dumps(long)}\n{json.dumps(long)}\n")
    assert run(["probe", "--relations", str(file), "-m", gpt2]) == 1
    err = capsys.readouterr().err
    assert "long-2 has" in err
    assert "(nor can it take long-3)" in err
    assert "reads at most 128: --truncate cuts it" in err
    file.write_text("".join(f"{json.dumps(text)}\n" for text in [short] * 12 + [long]))
    assert run(["probe", "--relations", str(file), "-m", gpt2, "--truncate"]) == 0


def test_too_few_pairs_are_an_error_that_counts_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = {"text": "The cat slept", "relations": [{"name": "r", "source": [0, 3], "target": [4, 7]}]}
    (tmp_path / "few.jsonl").write_text(f"{json.dumps(text)}\n" * 2)
    picture = tmp_path / "few.png"
    assert run(["probe", "--relations", str(tmp_path / "few.jsonl"), "-o", str(picture)]) == 1
    assert capsys.readouterr().err == (
        "attnviz: few.jsonl: 4 pairs in 2 texts (both ways counted) are too few: a relation needs 5 in each "
        "half of the texts, and none has them; give more texts\n"
    )
    assert not picture.exists()


def test_what_a_guess_finds_altogether_no_head_can_beat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = {"text": "The cat slept", "relations": [{"name": "r", "source": [0, 3], "target": [4, 7]}]}
    (tmp_path / "next.jsonl").write_text(f"{json.dumps(text)}\n" * 12)
    assert run(["probe", "--relations", str(tmp_path / "next.jsonl")]) == 0
    out = capsys.readouterr().out
    assert out.count("  cannot  ") == 2
    assert "cannot: a guess finds all" in out


def test_a_causal_model_is_not_asked_for_what_comes_later(
    gpt2: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["probe", "--relations", DEPENDENCIES, "-m", gpt2, "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert sum(finding["unseen"] for finding in findings) > 0
    assert not [each for each in findings if (each["relation"], each["direction"]) == ("det", "to target")]
