"""Samples of a plan, from the plan and from files beside it."""

from pathlib import Path

import pytest

from attnviz.errors import InputError
from attnviz.inputs import Sample
from attnviz.plans.samples import SampleSection, entries


def read(tmp_path: Path, file: str, text: str, **section: object) -> list[Sample]:
    (tmp_path / file).write_text(text, encoding="utf-8", newline="")
    return [each.sample for each in entries(SampleSection(file=file, **section), 1, tmp_path)]


def test_a_text_of_the_plan_has_a_name_or_a_number() -> None:
    (named,) = entries(SampleSection("A cat", name="cat", pair="A dog", truncate=True), 3, Path())
    assert (named.sample, named.truncate) == (Sample("A cat", "A dog", name="cat"), True)
    (numbered,) = entries(SampleSection("A cat", generate=2), 3, Path())
    assert numbered.sample == Sample("A cat", name="text-3", generate=2)


def test_a_text_file_is_one_sample_or_one_a_line(tmp_path: Path) -> None:
    assert read(tmp_path, "s.txt", "one\n\ntwo\n") == [Sample("one\n\ntwo", name="s")]
    assert read(tmp_path, "s.txt", "one\r\n\r\ntwo\r\n", lines=True, name="n") == [
        Sample("one", name="n-1"),
        Sample("two", name="n-3"),
    ]


def test_a_row_of_json_lines_is_a_sample(tmp_path: Path) -> None:
    text = '{"text": "one", "name": 7, "other": []}\n\n{"text": "two", "pair": "three"}\n'
    assert read(tmp_path, "s.jsonl", text) == [
        Sample("one", name="7"),
        Sample("two", "three", name="s-2"),
    ]


def test_a_row_of_comma_separated_values_is_a_sample(tmp_path: Path) -> None:
    text = 'id,sentence,label\na,"one, ""two""\nthree",0\nb,four,1\n'
    columns = {"text": "sentence", "name": "id"}
    assert read(tmp_path, "s.csv", text, columns=columns) == [
        Sample('one, "two"\nthree', name="a"),
        Sample("four", name="b"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "section", "why"),
    [
        ("s.jsonl", "{", {}, "line 1 is no JSON"),
        ("s.jsonl", "[1]", {}, "line 1 is no object"),
        ("s.jsonl", '{"a": 1}', {}, "line 1 has no text: it has a"),
        ("s.jsonl", '{"text": 3}', {}, "line 1: text is no text: 3"),
        ("s.jsonl", '{"text": "x"}', {"lines": True}, "rows say themselves"),
        ("s.csv", "a,b\n1,2\n", {}, "line 2 has no text: it has a, b"),
        ("s.csv", 'text\n"a', {}, "is no CSV"),
        ("s.csv", "text\n", {}, "s.csv is empty"),
        ("s.csv", "text\nx\n", {"columns": {"txt": "a"}}, "columns: no txt; there are text, pair, name"),
        ("s.txt", "", {}, "s is empty"),
        ("s.txt", "\n\n", {"lines": True}, "s is empty: give at least one line"),
        ("s.txt", "a\0b", {}, "byte 1 is NUL"),
        ("s.txt", "a", {"columns": {"text": "a"}}, "columns go with a .jsonl or .csv file"),
        ("s.txt", "a", {"pair": "b", "chat": True}, "a pair does not go with chat"),
        ("s.txt", "a", {"generate": -1}, "generate = -1"),
    ],
)
def test_what_holds_no_samples_is_named(
    tmp_path: Path, name: str, text: str, section: dict[str, object], why: str
) -> None:
    with pytest.raises(InputError, match=why):
        read(tmp_path, name, text, **section)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"cannot read none\.txt: No such file"):
        entries(SampleSection(file="none.txt"), 1, Path())
