"""Texts with relations: what was written comes back, and what is broken is named with its line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.relations import Related, Relation, Tagged
from attnviz.errors import InputError
from attnviz.inputs import Span
from attnviz.stored import relationfiles

SAMPLES = Path(__file__).parents[2] / "sample_texts"

CONTRACTED = """\
# sent_id = one
1\tI\tI\tPRON\t_\t_\t4\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\t_\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\t_\t_\t4\tadvmod\t_\t_
4\tsay\tsay\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No
4.1\tit\tit\tPRON\t_\t_\t_\t_\t4:obj\t_
5\t.\t.\tPUNCT\t_\t_\t4\tpunct\t_\t_
"""


def line(
    number: object, head: object = 0, *, form: str = "word", relation: str = "dep", other: str = "_"
) -> str:
    return f"{number}\t{form}\t_\tX\t_\t_\t{head}\t{relation}\t_\t{other}"


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def read(path: Path) -> tuple[Related, ...]:
    return relationfiles.read(path).texts


def named(text: Related) -> list[tuple[str, str, str]]:
    """Each relation with the characters of its ends."""
    pieces = [(link.name, link.source, link.target) for link in text.relations]
    return [(name, *(text.text[end.start : end.stop] for end in ends)) for name, *ends in pieces]


def test_a_contraction_is_parted_and_punctuation_roots_and_empty_nodes_are_left_out(tmp_path: Path) -> None:
    [told] = read(written(tmp_path / "x.conllu", CONTRACTED))
    assert (told.name, told.text) == ("one", "I don't say.")
    assert named(told) == [("nsubj", "I", "say"), ("aux", "do", "say"), ("advmod", "n't", "say")]
    assert [tagged.category for tagged in told.tagged] == ["PRON", "AUX", "PART", "VERB", "PUNCT"]
    assert told.tagged[2].span == Span(0, 4, 7)


def test_words_that_spell_something_else_share_the_characters_of_all(tmp_path: Path) -> None:
    rows = [
        "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_",
        line(1, 3, form="de"),
        line(2, 3, form="le"),
        line(3, form="roi"),
    ]
    [told] = read(written(tmp_path / "x.conllu", "\n".join(rows)))
    assert named(told) == [("dep", "du", "roi"), ("dep", "du", "roi")]


def test_a_text_with_other_blanks_than_the_forms_is_followed(tmp_path: Path) -> None:
    content = "\n".join(
        ["# text = so   it is", line(1, 2, form="so"), line(2, form="it"), line(3, 2, form="is")]
    )
    [told] = read(written(tmp_path / "x.conllu", content))
    assert [link.source.start for link in told.relations] == [0, 8]


def test_windows_line_ends_a_mark_of_byte_order_and_subtypes_are_read(tmp_path: Path) -> None:
    content = "\ufeff" + "\r\n".join(
        [line(1, 2, relation="nsubj:pass"), line(2), "", "# a comment alone", ""]
    )
    [told] = read(written(tmp_path / "x.conllu", content))
    assert named(told) == [("nsubj:pass", "word", "word")]


@pytest.mark.parametrize(
    ("rows", "number", "message"),
    [
        ([line(1), "2 word"], 2, "it has 1 columns between tabs, and CoNLL-U 10"),
        ([line(1), line("x")], 2, "'x' is no number of a word (column 1): write 1, 1-2 or 1.1"),
        ([line("٣")], 1, "is no number of a word"),
        ([line(1), line(3)], 2, "word 3 stands where word 2 is expected"),
        ([line(2)], 1, "word 2 stands where word 1 is expected"),
        ([line("2-1"), line(1)], 1, "word 2-1 stands where word 1 is expected"),
        ([line("1-1"), line(1)], 1, "word 1-1 stands where word 1 is expected"),
        ([line("1-3"), line(1), line("2-3"), line(2), line(3)], 3, "word 2-3 stands where word 2 is"),
        ([line("1-3"), line(1), line(2)], 3, "the sentence ends before word 3, which is written with others"),
        ([line(1), line(2, 5)], 2, "the head is word 5 (column 7), and the sentence has 2"),
        ([line(1, 1)], 1, "word 1 is its own head"),
        ([line(1, "_")], 1, "'_' is no head (column 7): write the number of a word, or 0"),
        ([line(1, "9" * 5000)], 1, "is no head (column 7)"),
        ([line(1), line(2, 1, relation="_")], 2, "the word has a head and no relation to it (column 8)"),
        ([line(1), line(2, 1, form="")], 2, "the word has no form (column 2)"),
        (["# text = word war", line(1), line(2, 1)], 3, "the text goes on with 'war', not with 'word'"),
        (["# text = word", line(1), line(2, 1, form="\x1b[31m")], 3, r"not with '\\x1b[31m'"),
        (["", "# good", line(1), "", line(1), line(2, -1)], 6, "'-1' is no head"),
    ],
)  # fmt: skip
def test_a_broken_line_is_named_with_what_is_wrong(
    rows: list[str], number: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as told:
        read(written(tmp_path / "x.conllu", "\n".join(rows) + "\n"))
    assert str(told.value).startswith(f"line {number} of {tmp_path / 'x.conllu'}: ")
    assert message in str(told.value)
    assert "\n" not in str(told.value)


GOOD = {
    "text": "The cat slept. It snored.",
    "relations": [{"name": "it", "source": [15, 17], "target": [4, 7]}],
}


def test_relations_of_any_kind_are_read_line_by_line(tmp_path: Path) -> None:
    second = {**GOOD, "candidates": [[4, 7], [0, 3]], "note": "what is not known is passed over"}
    first, other = read(written(tmp_path / "x.jsonl", f"{json.dumps(GOOD)}\n\n{json.dumps(second)}\n"))
    assert (first.name, named(first), first.tagged) == ("x-1", [("it", "It", "cat")], ())
    assert (other.name, named(other)) == ("x-3", [("it", "It", "cat")])
    assert [tagged.span for tagged in other.tagged] == [Span(0, 4, 7), Span(0, 0, 3)]


def linked(ends: str) -> str:
    """A line with one relation."""
    return f'{{"text": "a b", "relations": [{{"name": "r", {ends}}}]}}'


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("[" * 100_000, "it is no JSON that can be read: brackets in brackets, too deep"),
        ("{", "it is no JSON: Expecting property name enclosed in double quotes at character 2"),
        ("[1]", 'it has no "text"'),
        ('{"relations": []}', 'it has no "text"'),
        ('{"text": " "}', 'it has no "text"'),
        ('{"text": "a", "relations": {}}', '"relations" is no list'),
        ('{"text": "a", "relations": ["b"]}', 'a relation has no "name"'),
        (linked('"source": [0, 1]'), '"target" of r is no span: write [start, stop], in characters from 0'),
        (linked('"source": [0, true], "target": [0, 1]'), '"source" of r is no span'),
        (linked('"source": [0, 1], "target": [2, 9]'),
         '"target" of r: characters 2 to 9 are no piece of a text of 3 characters'),
        (linked('"source": [1, 2], "target": [2, 3]'), '"source" of r: characters 1 to 2 are blank'),
        ('{"text": "a b", "candidates": [[3, 4]]}', "a candidate: characters 3 to 4 are no piece"),
    ],
)  # fmt: skip
def test_a_broken_line_of_json_is_named_with_what_is_wrong(broken: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        read(written(tmp_path / "x.jsonl", f"{json.dumps(GOOD)}\n{broken}\n"))
    assert str(told.value).startswith(f"line 2 of {tmp_path / 'x.jsonl'}: ")
    assert message in str(told.value)


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing but a comment\n", line(1), '{"text": "a"}'])
def test_a_file_without_relations_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no relations in .*x\.txt: give CoNLL-U, or a line of JSON a text"):
        read(written(tmp_path / "x.txt", content))


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*no\.conllu: No such file"):
        read(tmp_path / "no.conllu")
    (tmp_path / "x.conllu").write_bytes(b"1\t\xff")
    with pytest.raises(InputError, match=r"x\.conllu is not UTF-8: byte 2 is 0xff"):
        read(tmp_path / "x.conllu")


@pytest.mark.parametrize(("name", "texts"), [("dependencies.conllu", 20), ("coreference.jsonl", 16)])
def test_the_sample_texts_are_read(name: str, texts: int) -> None:
    told = read(SAMPLES / name)
    assert len(told) == texts
    assert all(text.relations for text in told)


FORMS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=6
).filter(lambda form: not any(letter.isspace() for letter in form))


@st.composite
def sentences(draw: st.DrawFn) -> tuple[str, Related]:
    """A sentence in CoNLL-U, and what it says."""
    forms = draw(st.lists(FORMS, min_size=2, max_size=7))
    blanks = draw(st.lists(st.sampled_from(["", " "]), min_size=len(forms), max_size=len(forms)))
    turns = draw(st.lists(st.integers(1, len(forms)), min_size=len(forms), max_size=len(forms)))
    heads = [(place + turn) % (len(forms) + 1) for place, turn in enumerate(turns, 1)]  # never its own
    names = draw(st.lists(st.sampled_from(["nsubj", "obl:agent"]), min_size=len(forms), max_size=len(forms)))
    text, spans = "", []
    for form, blank in zip(forms, blanks, strict=True):
        spans.append(Span(0, len(text), len(text) + len(form)))
        text += form + blank
    rows = [
        line(
            place, head, form=form, relation=name if head else "root", other="_" if blank else "SpaceAfter=No"
        )
        for place, (form, blank, head, name) in enumerate(zip(forms, blanks, heads, names, strict=True), 1)
    ]
    relations = tuple(
        Relation(name, span, spans[head - 1])
        for name, span, head in zip(names, spans, heads, strict=True)
        if head
    )
    tagged = tuple(Tagged(span, "X") for span in spans)
    return "\n".join(rows), Related(text.rstrip(" "), relations, tagged)


@given(st.lists(sentences(), min_size=1, max_size=3))
def test_what_is_written_as_conllu_comes_back(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, Related]]
) -> None:
    path = tmp_path_factory.mktemp("conllu") / "x.conllu"
    written(path, "\n\n".join(["# sent_id = any\n" + rows for rows, _ in told]) + "\n")
    if not any(text.relations for _, text in told):
        return
    for found, (_, text) in zip(read(path), told, strict=True):
        assert (found.text, found.relations, found.tagged) == (text.text, text.relations, text.tagged)


@given(sentences())
def test_what_is_written_as_json_comes_back(
    tmp_path_factory: pytest.TempPathFactory, told: tuple[str, Related]
) -> None:
    _, text = told
    entries = [
        {"name": link.name, "source": list(link.source[1:]), "target": list(link.target[1:])}
        for link in text.relations
    ]
    content = json.dumps({"text": text.text, "relations": entries}) + "\n" + json.dumps(GOOD)
    found = read(written(tmp_path_factory.mktemp("lines") / "x", content))[0]
    assert (found.text, found.relations) == (text.text, text.relations)
