"""The table that ships: whole, as the last conformance run left it, and enough."""

import pytest
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from attnviz.models.coverage import FILE, Coverage, Report, coverage, parsed, written
from attnviz.models.reasons import Reason
from tests.conformance.summary import counts, sentences

SMALL = Report(
    "5.23.0",
    (
        Coverage("bert", "captured", "BertModel", ("interface",), 2, 8, 9.5e-7),
        Coverage("mamba", "not captured", "MambaModel", why=Reason.NO_ATTENTION.value),
        Coverage("odd", "failed", why="differs\tby 1"),
    ),
)


def test_a_report_is_read_as_it_was_written() -> None:
    assert parsed(written(SMALL)).types[:2] == SMALL.types[:2]
    assert parsed(written(SMALL)).types[2].why == "differs by 1"
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
