"""Exports as a whole: what they make, that they take up where they stopped, and what stops them."""

import hashlib
import json
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

import attnviz
from attnviz.cli.app import run
from attnviz.errors import AttnvizError, InputError, OutputError
from attnviz.plans import export as exports
from attnviz.plans import kinds, machine, seeing
from attnviz.plans.engine import Outcome, Work, batch_made
from attnviz.plans.folder import Folder
from attnviz.plans.local import Local
from attnviz.plans.machine import Loading
from attnviz.plans.plan import Plan
from attnviz.plans.seeing import Batch
from attnviz.recipes import Recipe
from attnviz.render.within import recipe_in
from tests.models.zoo import save_model
from tests.plans.plans import plan

TEXTS = ("The cat sat on the mat", "Two dogs bark", "A bird sang because the morning was bright")

FIGURES = """
[[figures]]
file = "{model}-{sample}-{layer}.{head}.png"
head = "0.1,2.3"
special = "hide"
dpi = 50

[[figures]]
view = "heads"
file = "{model}-{view}.pdf"
"""


class Here:
    """An engine without processes of its own: quick, for tests of what is around engines."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def made(self, work: Work, batches: Sequence[Batch]) -> Generator[Outcome, None, None]:
        for batch in batches:
            self.batches.append(batch)
            source = machine.load(batch.model, work.loading, generates=work.generates)
            yield from batch_made(source, batch, work)


def samples(texts: Sequence[str] = TEXTS) -> str:
    return f"samples = {json.dumps(texts)}\n"


def made(text: str, directory: Path, **options: bool) -> tuple[exports.Exported, Here]:
    engine = Here()
    return exports.export(plan(text), directory, lambda: engine, **options), engine


def contents(directory: Path) -> dict[str, str]:
    """Every file of a directory but those of its journal, with its digest."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and ".attnviz" not in path.parts
    }


def test_an_export_makes_every_figure_and_the_lists_beside_them(tmp_path: Path) -> None:
    done, _ = made(samples() + FIGURES, tmp_path / "out")
    assert (done.made, done.kept, done.failures) == (7, 0, ())
    names = [f"encoder-text-{text}-{head}.png" for text in (1, 2, 3) for head in ("0.1", "2.3")]
    assert set(contents(tmp_path / "out")) - {"heads.parquet"} == {
        *names, "encoder-heads.pdf", "figures.jsonl", "figures.tex", "heads.csv",
    }  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "out" / "figures.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == [*names, "encoder-heads.pdf"]
    for line in lines:
        assert line["sha256"] == contents(tmp_path / "out")[line["file"]]
        Recipe.from_json(json.dumps(line["recipe"]))
    assert 0 < lines[0]["hidden"]["special"] < 1
    assert "not shown" in lines[0]["caption"]


def test_what_only_a_kind_of_file_does_is_in_its_recipe_and_its_caption_and_in_no_other(
    tmp_path: Path,
) -> None:
    suffixes = (".pdf", ".png", ".svg")
    text = "".join(
        f'[[figures]]\nview = "{view}"\nfile = "{{view}}{suffix}"\ndpi = 50\n'
        for view in ("atlas", "lines")
        for suffix in suffixes
    )
    made(samples(TEXTS[:1]) + text, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "figures.jsonl").read_text().splitlines()]
    assert [line["recipe"] for line in lines] == [
        recipe_in(tmp_path / line["file"]).entries() for line in lines
    ]
    assert [line["caption"] for line in lines] == [attnviz.caption(tmp_path / line["file"]) for line in lines]
    stepped = [line["file"] for line in lines if "Colours in 48 steps." in line["caption"]]
    assert stepped == ["atlas.pdf"]
    assert all("of the scale left out" in line["caption"] for line in lines[3:])


def test_a_figure_is_the_same_alone_and_out_of_a_batch(tmp_path: Path) -> None:
    name = "encoder-text-1-0.1.png"
    _, engine = made(samples() + FIGURES, tmp_path / "together")
    made(samples(TEXTS[:1]) + FIGURES, tmp_path / "alone")
    assert len(engine.batches[0].samples) > 1
    assert contents(tmp_path / "together")[name] == contents(tmp_path / "alone")[name]


def test_the_verb_makes_what_the_command_makes(tmp_path: Path) -> None:
    file = tmp_path / "paper.toml"
    file.write_text(samples(TEXTS[:1]) + 'models = ["builtin:encoder"]\n' + FIGURES)
    done = attnviz.export(file, tmp_path / "verb")
    assert run(["export", str(file), "-o", str(tmp_path / "command")]) == 0
    assert (done.made, done.failures) == (3, ())
    assert contents(tmp_path / "verb") == contents(tmp_path / "command")
    assert "not shown" in attnviz.caption(tmp_path / "verb" / "encoder-text-1-0.1.png")


def test_the_table_has_a_row_a_head_of_every_sample(tmp_path: Path) -> None:
    import csv

    made(samples() + FIGURES, tmp_path)
    with (tmp_path / "heads.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 32
    assert [row["sample"] for row in rows[::32]] == ["text-1", "text-2", "text-3"]
    assert {row["model"] for row in rows} == {"encoder"}
    assert rows[33]["head"] == "0.1"
    assert 0 < float(rows[33]["previous"]) < 1


def test_nothing_that_is_written_knows_the_time_or_the_place(tmp_path: Path) -> None:
    made(samples() + FIGURES, tmp_path / "one")
    time.sleep(1.1)
    made(samples() + FIGURES, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    for path in (tmp_path / "one").rglob("*"):
        assert not path.is_file() or str(tmp_path).encode() not in path.read_bytes()


def test_what_is_there_and_unchanged_stays(tmp_path: Path) -> None:
    made(samples() + FIGURES, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.p*")}
    again, engine = made(samples() + FIGURES, tmp_path)
    assert (again.made, again.kept, engine.batches) == (0, 7, [])
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.p*")}


def test_what_is_gone_or_cut_short_is_made_again(tmp_path: Path) -> None:
    made(samples() + FIGURES, tmp_path)
    whole = contents(tmp_path)
    (tmp_path / "encoder-text-1-0.1.png").unlink()
    (tmp_path / "encoder-heads.pdf").write_bytes(b"%PDF-")
    (tmp_path / "heads.csv").unlink()
    again, _ = made(samples() + FIGURES, tmp_path)
    assert (again.made, again.kept) == (2, 5)
    assert contents(tmp_path) == whole


def test_only_what_the_plan_changes_is_made_again(tmp_path: Path) -> None:
    made(samples() + FIGURES, tmp_path)
    again, _ = made(samples() + FIGURES.replace("dpi = 50", "dpi = 60"), tmp_path)
    assert (again.made, again.kept) == (6, 1)
    again, _ = made(samples() + FIGURES.replace("0.1,2.3", "0.1"), tmp_path)
    assert (again.made, again.kept) == (3, 1)
    assert again.left == tuple(f"encoder-text-{number}-2.3.png" for number in (1, 2, 3))


def test_verify_finds_what_has_the_size_but_not_the_bytes(tmp_path: Path) -> None:
    made(samples() + FIGURES, tmp_path)
    whole = contents(tmp_path)
    file = tmp_path / "encoder-text-1-0.1.png"
    file.write_bytes(bytes(reversed(file.read_bytes())))
    assert made(samples() + FIGURES, tmp_path)[0].made == 0
    with pytest.raises(OutputError, match=r"a file is there that is no \.png"):
        made(samples() + FIGURES, tmp_path, verify=True)
    assert made(samples() + FIGURES, tmp_path, verify=True, force=True)[0].made == 1
    assert contents(tmp_path) == whole


def test_a_model_that_was_changed_makes_its_figures_again(tmp_path: Path) -> None:
    directory = tmp_path / "model"
    save_model("bert", directory)
    text = f'models = [{{name = "{directory}", label = "bert"}}]\n{samples()}{FIGURES}'
    assert made(text, tmp_path / "out")[0].made == 7
    assert made(text, tmp_path / "out")[0].made == 0
    os.utime(directory / "model.safetensors", ns=(1, 1))
    assert made(text, tmp_path / "out")[0].made == 7


def test_a_batch_taken_up_again_gives_the_same_bytes(tmp_path: Path) -> None:
    directory = tmp_path / "model"
    save_model("gpt2", directory)
    texts = ["The cat sat on the mat", "Two dogs bark loud now", "A bird sang and flew on"]
    text = f'models = [{{name = "{directory}", label = "gpt2"}}]\n{samples(texts)}{FIGURES}'
    made(text, tmp_path / "out")
    whole = contents(tmp_path / "out")
    (tmp_path / "out" / "gpt2-text-2-2.3.png").unlink()
    shutil.rmtree(tmp_path / "out" / ".attnviz" / "seen")
    again, engine = made(text, tmp_path / "out")
    assert again.made == 1
    assert [len(batch.samples) for batch in engine.batches] == [3]
    assert contents(tmp_path / "out") == whole


def test_a_sample_that_fails_stops_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = " ".join(["word"] * 600)
    text = samples([*TEXTS, long]) + FIGURES.split("[[figures]]\nview", maxsplit=1)[0]
    done, _ = made(text, tmp_path / "a")
    assert done.made == 6
    (failure,) = done.failures
    assert failure.line.startswith("encoder reading text-4 (2 figures): text-4 has 602 tokens")
    (tmp_path / "plan.toml").write_text('models = ["builtin:encoder"]\n' + text)
    assert run(["export", str(tmp_path / "plan.toml"), "-o", str(tmp_path / "b"), "--workers", "1"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"attnviz: wrote 6 figures into {tmp_path / 'b'}"
    assert "text-4 has 602 tokens" in told[1]
    assert told[2] == "attnviz: 2 figures could not be made; the others are there"
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_figure_that_fails_stops_no_other(tmp_path: Path) -> None:
    narrow = '[[figures]]\nwidth = 0.5\nfile = "narrow-{sample}.png"\n'
    done, _ = made(samples() + FIGURES + narrow, tmp_path)
    assert done.made == 7
    assert [failure.line for failure in done.failures] == [
        f"narrow-text-{number}.png: a figure 0.5 inches wide has no room for its cells beside their labels"
        for number in (1, 2, 3)
    ]
    again, _ = made(samples() + FIGURES + narrow, tmp_path)
    assert (again.made, again.kept, len(again.failures)) == (0, 7, 3)


def test_a_model_that_is_not_there_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(AttnvizError, match=r"no model \./nowhere"):
        made('models = ["builtin:encoder", "./nowhere"]\n' + samples() + FIGURES, tmp_path)
    assert not contents(tmp_path)


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ('cmap = "nope"', r"figures\[1\]: .*nope"),
        ("vmax = 7.0", r"figures\[1\]: --vmax 7 is no weight"),
        ("dpi = 3", r"figures\[1\]: --dpi 3 is not between 30 and 1200"),
        ("font-size = 99.0", "--font-size 99 is not between"),
        ('view = "spiral"', r"figures\[1\]: no view 'spiral'; there are heatmap"),
        ('file = "{sample}.gif"', r"no picture is known by the suffix '.gif'"),
        ('special = "sometimes"', r"figures\[1\]: --special 'sometimes'"),
        ('view = "grid"', 'goes with view = "grid", which needs it'),
        ('view = "heads"\nwords = true', "--words changes what is drawn"),
        ('against = "text-1"', "against goes with view = 'diff'"),
    ],
)
def test_a_style_that_cannot_be_drawn_is_named_before_anything_is_made(option: str, why: str) -> None:
    figure = "" if option.startswith("file") else 'file = "{sample}.png"\n'
    with pytest.raises(InputError, match=why):
        exports.check(plan(f"[[figures]]\n{figure}{option}\n"))


def test_an_exported_directory_is_locked_by_one_and_free_again(tmp_path: Path) -> None:
    busy = pytest.raises(OutputError, match=f"another export is at work in {tmp_path}")
    with Folder.opened(tmp_path), busy:
        made(samples() + FIGURES, tmp_path)
    made(samples() + FIGURES, tmp_path)


def test_a_torn_journal_costs_only_its_last_line(tmp_path: Path) -> None:
    made(samples() + FIGURES, tmp_path)
    whole = contents(tmp_path)
    journal = tmp_path / ".attnviz" / "journal.jsonl"
    lines = [line for line in journal.read_bytes().splitlines(True) if b'"whole"' not in line]
    journal.write_bytes(b"".join(lines)[:-40])
    again, _ = made(samples() + FIGURES, tmp_path)
    assert (again.made, again.kept) == (1, 6)
    assert contents(tmp_path) == whole


def test_processes_that_draw_make_the_same_files(tmp_path: Path) -> None:
    made(samples() + FIGURES, tmp_path / "here")
    exports.export(plan(samples() + FIGURES), tmp_path / "there", lambda: Local(2))
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_a_process_that_is_ended_costs_no_figure(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_one(progress: exports.Progress) -> None:
        if progress.done and not killed:
            child = multiprocessing.active_children()[0]
            killed.append(child.pid or 0)
            os.kill(child.pid or 0, signal.SIGKILL)

    text = (
        samples([f"{text} {word}" for text in TEXTS for word in ("now", "then", "here", "there")]) + FIGURES
    )
    done = exports.export(plan(text), tmp_path / "killed", lambda: Local(2), report=kill_one)
    assert killed
    assert (done.made, done.failures) == (25, ())
    made(text, tmp_path / "whole")
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def command(file: Path, directory: Path) -> list[str]:
    script = "import sys; from attnviz.cli.app import main; sys.argv[0] = 'attnviz'; main()"
    return [sys.executable, "-c", script, "export", str(file), "-o", str(directory), "--workers", "2"]


def test_killed_at_any_moment_and_started_again_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    texts = [f"{text} {word}" for text in TEXTS for word in ("now", "then", "here", "there", "again")]
    file, chance = tmp_path / "plan.toml", random.Random(11)
    file.write_text('models = ["builtin:encoder"]\n' + samples(texts) + FIGURES)
    made(samples(texts) + FIGURES, tmp_path / "whole")
    made_before = -1
    for _ in range(4):
        process = subprocess.Popen(
            command(file, tmp_path / "out"), stderr=subprocess.DEVNULL, start_new_session=True
        )
        journal = tmp_path / "out" / ".attnviz" / "journal.jsonl"
        lines = journal.read_bytes().count(b"\n") if journal.exists() else 0
        while process.poll() is None and (
            not journal.exists() or journal.read_bytes().count(b"\n") < lines + chance.randrange(1, 9)
        ):
            time.sleep(0.01)
        time.sleep(chance.random() / 20)
        process.kill()
        process.wait()
        there = len(Folder.looked_at(tmp_path / "out").figures)
        assert there >= made_before
        made_before = there
    subprocess.run(command(file, tmp_path / "out"), check=True, capture_output=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_where_nothing_more_can_be_written_what_was_made_stays(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    small = FIGURES.replace("dpi = 50", "dpi = 50\nwidth = 1.5")
    big = '[[figures]]\nview = "heads"\nfile = "z/heads.png"\ndpi = 300\n'
    file.write_text(
        'models = ["builtin:encoder"]\n' + samples() + small.partition("[[figures]]\nview")[0] + big
    )
    full = subprocess.run(
        command(file, tmp_path / "out"), capture_output=True, text=True, preexec_fn=_limited, check=False
    )
    assert full.returncode == 1
    assert len(full.stderr.splitlines()) == 1
    assert "cannot write" in full.stderr
    assert "and the same command makes the others" in full.stderr
    assert not list((tmp_path / "out").rglob("*.part"))
    subprocess.run(command(file, tmp_path / "out"), check=True, capture_output=True)
    subprocess.run(command(file, tmp_path / "whole"), check=True, capture_output=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_batches_are_of_alike_lengths_and_follow_from_the_plan_alone() -> None:
    texts = ["w " * count for count in (40, 3, 41, 500, 4, 5, 2, 9_000)]
    made_of: Plan = plan(samples(texts) + FIGURES)
    found = list(seeing.batches(made_of.models, made_of.samples))
    lengths = [[len(sample.sample.text) for sample in batch.samples] for batch in found]
    assert lengths == [[4, 6, 8, 10], [80, 82], [1000], [18_000]]


def test_every_view_is_made(tmp_path: Path) -> None:
    views = [f'[[figures]]\nview = "{view}"\nfile = "{{sample}}-{{view}}.pdf"\n' for view in kinds.KINDS
             if view not in ("grid", "diff", "strip")]  # fmt: skip
    grid = '[[figures]]\nview = "grid"\ngrid = "previous"\nfile = "{sample}-grid.svg"\n'
    strip = '[[figures]]\nview = "strip"\nquery = "1"\nfile = "{sample}-strip.pdf"\n'
    done, _ = made(samples() + "".join(views) + grid + strip, tmp_path)
    assert not done.failures
    assert len(list(tmp_path.glob("*-rollout.pdf"))) == 3


def test_no_token_is_a_command_in_the_captions(tmp_path: Path) -> None:
    made(samples(["\\input{x} $a$ 50% #1 _ & ~ ^ {"]) + '[[figures]]\nfile = "{sample}.pdf"\n', tmp_path)
    tex = (tmp_path / "figures.tex").read_text()
    (caption,) = [line for line in tex.splitlines() if "\\caption" in line]
    assert "\\input" not in caption
    assert "\\includegraphics{text-1.pdf}" in tex
    foreign = re.sub(r"\\[%$&#_{}]", "", caption.replace("$\\times$", ""))  # ours: 4 x 8
    for letter in "$%#_&~^":
        assert letter not in foreign


def test_loading_is_of_the_machine_and_no_part_of_a_plan() -> None:
    with pytest.raises(InputError, match=r"models\[1\] has no 'allow_pickle'"):
        plan('models = [{name = "x", allow_pickle = true}]\n' + samples() + FIGURES)
    assert Loading().allow_pickle is False


def test_a_difference_is_drawn_of_what_was_kept_of_both(tmp_path: Path) -> None:
    text = (
        samples(["The cat sat on the mat", "The dog sat on the mat", "The cat sat on a mat"])
        + '[[figures]]\nview = "diff"\nagainst = "text-2"\nhead = "1.2"\nfile = "{sample}-{layer}.{head}.png"'
        "\n"
        '[[figures]]\nview = "diff"\nagainst = "text-2"\nfile = "{sample}-changed.pdf"\n'
    )
    done, _ = made(text, tmp_path)
    assert [failure.line for failure in done.failures] == []
    assert done.made == 4
    whole = contents(tmp_path)
    (tmp_path / "text-3-1.2.png").unlink()
    again, engine = made(text, tmp_path)
    assert (again.made, engine.batches) == (1, [])  # no model is needed for it
    assert contents(tmp_path) == whole
