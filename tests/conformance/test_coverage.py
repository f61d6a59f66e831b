"""The table that ships: whole, as the last conformance run left it, and enough."""

import json
from pathlib import Path

import pytest
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from attnviz.models.coverage import FILE, Coverage, Report, coverage, parsed, written
from attnviz.models.reasons import Reason
from tests.conformance.__main__ import main
from tests.conformance.cases import runs_by_rules
from tests.conformance.summary import counts, lost, sentences

SMALL = Report(
    "5.23.0",
    (
        Coverage("bert", "captured", "BertModel", ("interface",), 2, 8, 9.5e-7),
        Coverage("jev", "captured", "JevForDecision", ("interface",), 1, 4, 0.0, own_config=True),
        Coverage("mamba", "not captured", "MambaModel", why=Reason.NO_ATTENTION.value),
        Coverage("odd", "failed", why="differs\tby 1"),
    ),
)


def test_a_report_is_read_as_it_was_written() -> None:
    assert parsed(written(SMALL)).types[:3] == SMALL.types[:3]
    assert parsed(written(SMALL)).types[3].why == "differs by 1"
    assert written(parsed(FILE.read_text(encoding="utf-8"))) == FILE.read_text(encoding="utf-8")


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with 'type"):
        parsed("type\tstatus\n")


def test_exact_is_1e_5() -> None:
    assert Coverage("a", "captured", difference=1e-5).exact
    assert not Coverage("a", "captured", difference=2e-5).exact
    assert not Coverage("a", "failed").exact


def test_the_summary_names_every_type_that_was_not_captured() -> None:
    text = "\n".join(sentences(SMALL))
    assert "it has no attention (1): mamba" in text
    assert "  odd: differs\tby 1" in text


def test_the_summary_counts_what_needs_a_configuration_of_its_own() -> None:
    assert (counts(SMALL).needing, counts(SMALL).specials) == (1, 1)
    assert "1 of the 1 that need a configuration or inputs of their own" in "\n".join(sentences(SMALL))


def test_types_that_were_captured_and_are_not_any_more_are_lost() -> None:
    now = Report("5.24.0", (Coverage("bert", "failed", why="differs by 1"), Coverage("mamba", "failed")))
    assert lost(SMALL, now) == ["bert"]


def test_a_run_that_loses_a_type_ends_with_1_and_leaves_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = FILE.read_text(encoding="utf-8")
    answers = [{"kind": kind, "status": "failed", "why": "nothing"} for kind in CONFIG_MAPPING_NAMES]
    results = tmp_path / "answers.jsonl"
    results.write_text("".join(f"{json.dumps(answer)}\n" for answer in answers), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["conformance", "--results", str(results)])
    assert main() == 1
    assert "captured before, and no more: gpt-sw3, afmoe" in capsys.readouterr().out
    assert FILE.read_text(encoding="utf-8") == before


def test_the_rules_alone_build_what_is_plain_and_no_more() -> None:
    assert runs_by_rules("bert")
    assert not runs_by_rules("jev")


def test_the_shipped_table_is_enough() -> None:
    number = counts(coverage())
    assert number.enough, number


def test_every_type_that_was_not_captured_has_one_of_the_reasons() -> None:
    reasons = {reason.value for reason in Reason}
    others = [one for one in coverage().types if one.status == "not captured"]
    assert {one.why for one in others} <= reasons


def test_the_shipped_table_holds_every_type_once() -> None:
    kinds = [one.kind for one in coverage().types]
    assert len(kinds) == len(set(kinds))
    assert len(set(CONFIG_MAPPING_NAMES) - set(kinds)) < len(kinds) / 4  # of whatever version is installed
