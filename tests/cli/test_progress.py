"""What is said of a long run on standard error."""

import io

import pytest
from rich.console import Console

from attnviz.cli import progress
from attnviz.cli.progress import Bar, duration, line
from attnviz.observe.memory import Need
from attnviz.observe.progress import TILES, Plan, Progress

PLAN = Plan(
    "gpt",
    tokens=4096,
    samples=1,
    layers=12,
    heads=144,
    needs=(Need(61_000_000 - TILES, "maps", "keep fewer"),),
)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Standard error as a terminal of 80 columns."""
    written = io.StringIO()

    def console(*, stderr: bool) -> Console:
        assert stderr
        return Console(file=written, width=80, force_terminal=True, color_system=None)

    monkeypatch.setattr("rich.console.Console", console)
    return written


def test_the_line_tells_size_and_time() -> None:
    told = "4,096 tokens, 12 layers, 144 heads: 61 MB above the model, about 40 s"
    assert line(Progress(PLAN, 1, 3, 40.2)) == told


def test_of_a_batch_the_line_tells_the_samples() -> None:
    plan = Plan(
        "gpt",
        tokens=9,
        samples=3,
        layers=12,
        heads=144,
        needs=(Need(2_100_000_000 - TILES, "maps", "keep fewer"),),
    )
    told = "3 samples of up to 9 tokens, 12 layers, 144 heads: 2.1 GB above the model, over 10 s"
    assert line(Progress(plan, 0.5, 11)) == told


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (89, "89 s"), (91, "2 min"), (3600, "60 min"), (9000, "2.5 h")]
)
def test_times_are_short(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize("total", [None, 9.9])
def test_of_a_short_run_nothing_is_said(total: float | None, capsys: pytest.CaptureFixture[str]) -> None:
    with Bar() as bar:
        bar.show(Progress(PLAN, 1, 2, total))
        bar.show(Progress(PLAN, 12, 9.8, 9.8))
    assert capsys.readouterr() == ("", "")


def test_a_long_run_is_announced_once_and_a_pipe_gets_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar() as bar:
        for done in range(1, 12):
            bar.show(Progress(PLAN, done, 3 * done, 36))
        bar.show(Progress(PLAN, 12, 36, 36))
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"attnviz: {line(Progress(PLAN, 1, 3, 36))}\n")


def test_a_run_of_which_nothing_is_known_is_announced_after_ten_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Bar() as bar:
        bar.show(Progress(PLAN, 0.1, 9))
        assert not capsys.readouterr().err
        bar.show(Progress(PLAN, 0.2, 11))
    assert capsys.readouterr().err.endswith("over 10 s\n")


def test_every_long_run_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar() as bar:
        for tokens in (4096, 5000):
            plan = Plan(
                "gpt",
                tokens,
                samples=1,
                layers=12,
                heads=144,
                needs=(Need(61_000_000 - TILES, "maps", "keep fewer"),),
            )
            bar.show(Progress(plan, 1, 3, 36))
            bar.show(Progress(plan, 12, 36, 36))
    assert [told[9:21] for told in capsys.readouterr().err.splitlines()] == ["4,096 tokens", "5,000 tokens"]


def test_a_terminal_gets_a_bar_that_goes_away(screen: io.StringIO) -> None:
    with Bar() as bar:
        bar.show(Progress(PLAN, 3.5, 12, 40))
        bar.show(Progress(PLAN, 12, 40, 40))
        shown = screen.getvalue()
        assert "layer 4 of 12" in shown
        assert "28 s left" in shown
        assert shown.endswith("\x1b[2K")  # the line is cleared before anything else is printed


def test_a_run_that_fails_leaves_no_bar(screen: io.StringIO) -> None:
    def interrupted() -> None:
        with Bar() as bar:
            bar.show(Progress(PLAN, 3.5, 12, 40))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert screen.getvalue().endswith("\x1b[2K")
    assert "\x1b[?25h" in screen.getvalue()  # the cursor is back


def test_the_heatmap_command_shows_its_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from attnviz.cli.app import run

    monkeypatch.setattr(progress, "LONG", 0)
    assert run(["heatmap", "The cat sat", "The dogs bark", "--json", "-H", "0.1"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith('{"schema": 1')
    assert err.count("tokens, 1 layer, 1 head: 34 MB above the model, ") == 2
