"""Translators: how they are trained, what they write, and what is found of where they look."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from attnviz.analysis.alignment import Link, alignment_error, links_of
from attnviz.builtin import store
from attnviz.builtin.language.french import bitexts
from attnviz.builtin.train import train
from attnviz.builtin.translation import check as checks
from attnviz.builtin.translation import task as tasks
from attnviz.builtin.translation.alignments import Pair, Tally, heads_of, tallied, word_weights
from attnviz.builtin.translation.check import MARKS, Measured, best_head, draw, examine
from attnviz.builtin.translation.model import KINDS
from attnviz.builtin.translation.pieces import END, PAD, START
from attnviz.builtin.translation.task import BAHDANAU, LUONG, TRANSLATOR
from attnviz.builtin.translation.writing import padded, translations, written
from attnviz.inputs import Span
from tests.builtin.blank import SIZES, blank, pieces, task

KIND = pytest.mark.parametrize("kind", SIZES)
FEW = draw(told=40, strange=10)


@KIND
def test_a_trained_directory_is_a_model_of_its_kind_that_knows_its_best_head(
    kind: str, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(tasks, "EXAM", 5)
    monkeypatch.setattr(checks, "draw", lambda: FEW)
    train(tmp_path, task(kind))
    stored = store.load(tmp_path, KINDS[f"attnviz-{kind}"])
    assert stored.model.config == SIZES[kind]
    best = store.training_record(tmp_path)["best"]
    assert best == best_head(stored.model, stored.tokenizer)
    assert best in heads_of(stored.model)


def test_a_round_has_its_pairs_twice_and_as_long_ones_together() -> None:
    short = task("luong", steps=6)
    whole = replace(short, schedule=replace(short.schedule, round=6))
    read = [batch.target for batch in whole.batches(pieces(), 0)]
    assert [len(target) for target in read] == [4] * 6
    assert len({tuple(target.flatten().tolist()) for target in read}) == 3
    again = [batch.target for batch in whole.batches(pieces(), 0)]
    assert all(torch.equal(one, other) for one, other in zip(read, again, strict=True))
    assert not torch.equal(next(whole.batches(pieces(), 1)).target, read[0])


def test_training_and_examination_draw_from_their_own_splits(monkeypatch) -> None:
    drawn = []

    def drawing(seed: int, *, split: str, strange: float = 0.0):
        drawn.append((seed, split))
        return bitexts(seed, split=split, strange=strange)

    monkeypatch.setattr(tasks, "bitexts", drawing)
    monkeypatch.setattr(tasks, "EXAM", 5)
    next(task("luong").batches(pieces(), 0))
    task("luong").exam(pieces())
    task("luong").tokenizer()
    assert [split for _, split in drawn] == ["train", "test", "train"]
    assert len({seed for seed, _ in drawn}) == 3


@KIND
def test_what_is_counted_as_right_is_what_the_model_writes_by_itself(kind: str) -> None:
    model = blank(kind)
    source = padded([encoding.ids for encoding in pieces().encode_batch(["The cat sits.", "Some dogs bark"])])
    wrote = written(model, source, 6)
    target = padded([[START, *ids] for ids in wrote])
    assert task(kind).right(model, tasks.Batch(source, target)) == (2, 2)
    other = target.clone()
    other[1, 2] = START
    assert task(kind).right(model, tasks.Batch(source, other)) == (1, 2)


@KIND
def test_a_text_is_translated_alone_as_in_company(kind: str) -> None:
    model = blank(kind)
    texts = ["The cat sits on the mat.", "A dog", "Some tired girls see the red house because they like it."]
    together = translations(model, pieces(), texts)
    assert together == [translations(model, pieces(), [text])[0] for text in texts]


def test_writing_stops_at_the_end_token_or_after_the_most() -> None:
    model = blank("luong")
    source = torch.tensor([[5, 6, END]])
    assert len(written(model, source, 7)[0]) == 7
    model.bias.data[END] = 1e4
    assert written(model, source, 7) == [[END]]
    begun = torch.tensor([[START, 9, 11]])
    assert written(model, source, 7, begun=begun) == [[END]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L'eau qu'il voit", ["ĠL'", "eau", "Ġqu'", "il", "Ġvoit"]),
        ("  the\n cat.", ["Ġthe", "Ġcat", "."]),
    ],
)
def test_words_are_cut_at_elisions_and_blanks(text: str, words: list[str]) -> None:
    tokenizer = pieces()
    cut = tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
    assert [word for word, _ in cut] == words


def test_any_word_comes_through_as_it_is() -> None:
    for text in ("Zorblax voit le chien.", "L'été, 猫 dort: 3,14!"):
        assert pieces().decode(pieces().encode(text).ids).strip() == text


@KIND
def test_a_word_looks_from_the_rows_that_write_it(kind: str) -> None:
    model = blank(kind)
    source, target = "Zorblax sees it.", "Zorblax le voit."
    pair = Pair(
        source,
        target,
        [Span(0, 0, 7), Span(0, 8, 12), Span(0, 13, 15)],
        [Span(0, 0, 7), Span(0, 8, 10), Span(0, 11, 15)],
    )
    read, write = pieces().encode(source), pieces().encode(target)
    rows: dict[int, torch.Tensor] = {}

    def watch(stack: str, layer: int):
        return (lambda seen: rows.update({layer: seen.weights[0]})) if stack == "cross" else None

    ids = torch.tensor([read.ids])
    model(ids, torch.tensor([[START, *write.ids[:-1]]]), ids != PAD, watch=watch)
    maps = torch.cat([rows[layer] for layer in sorted(rows)])
    (weights,) = word_weights(model, pieces(), [pair])
    assert weights.shape == (len(heads_of(model)), 3, 3)
    for (head, to, of), weight in np.ndenumerate(weights):
        writing = [
            i
            for i, (a, b) in enumerate(write.offsets)
            if a < pair.target_words[to].stop and b > pair.target_words[to].start
        ]
        held = [
            i
            for i, (a, b) in enumerate(read.offsets)
            if a < pair.source_words[of].stop and b > pair.source_words[of].start
        ]
        assert weight == pytest.approx(float(maps[head][writing][:, held].sum(1).mean()), abs=1e-6)
    assert len(held) == 1
    assert (weights.sum(2) < 1).all()  # the rest fell on the full stop and the end token


def test_the_errors_of_a_tally_are_those_of_och_and_ney() -> None:
    model, told = blank("translator"), FEW.told
    tally = checks.tally_of(model, pieces(), told)
    pairs = [
        Pair(one.source.text, one.text, [word.span for word in one.source.words], one.words) for one in told
    ]
    maps = list(word_weights(model, pieces(), pairs))
    sure = {(number, Link(*link)) for number, one in enumerate(told) for link in one.links}
    for place, head in enumerate(tally.heads):
        found = {(number, link) for number, each in enumerate(maps) for link in links_of(each[place])}
        assert tally.errors.whole()[place] == pytest.approx(alignment_error(found, sure))
        assert checks.error_of(tally, head).value == pytest.approx(alignment_error(found, sure))
    assert tally.best == tally.heads[int(tally.errors.whole().argmin())]


def test_an_alignment_error_by_hand() -> None:
    tally = Tally(("a", "b"), right=np.array([[2.0, 1.0]]), made=np.array([[2.0, 2.0]]), sure=np.array([3.0]))
    assert tally.errors.whole().tolist() == pytest.approx([1 - 4 / 5, 1 - 2 / 5])
    assert tally.best == "a"


def test_a_source_word_that_nobody_links_is_no_error_of_who_makes_no_link() -> None:
    model = blank("luong")
    pair = Pair("The cat", "Le", [Span(0, 0, 3), Span(0, 4, 7)], [Span(0, 0, 2)])
    tally = tallied(model, pieces(), [pair], [frozenset({Link(0, 0)})])
    assert tally.made.tolist() == [[1]]
    assert tally.sure.tolist() == [1]


@KIND
def test_a_translator_that_has_learnt_nothing_fails_its_check(kind: str) -> None:
    outcome = examine(blank(kind), pieces(), MARKS[kind], FEW)
    figures = {figure.what: figure for figure in outcome.figures}
    assert not figures["translated exactly"].passed
    assert not figures["cat, for chat"].passed
    assert figures["alignment error"].passed == (kind != "translator")  # of the others it is only shown
    assert figures["alignment error"].found.value > 0.3


def test_a_head_is_chosen_on_one_half_and_reported_on_the_other(monkeypatch) -> None:
    told = FEW.told
    first = Tally(
        ("cross.0.0", "cross.0.1"),
        np.array([[1.0, 0.0]] * 20 + [[0.0, 1.0]] * 20),
        np.ones((40, 2)),
        np.ones(40),
    )
    monkeypatch.setattr(checks, "tally_of", lambda *asked: first.part(slice(len(asked[-1]))))
    monkeypatch.setattr(checks, "cat_for_chat", lambda *_: (1.0, 0.0))
    outcome = examine(blank("translator"), pieces(), MARKS["translator"], FEW)
    assert len(told) == 40
    assert outcome.head == "cross.0.0"
    assert outcome.error == Measured(1.0, 1.0, 1.0, 20)


def test_questions_are_of_frames_that_no_training_has() -> None:
    assert FEW.told == tuple(islice(bitexts(checks.SEED, split="test"), 40))
    seeds = {each.schedule.seed for each in (TRANSLATOR, BAHDANAU, LUONG)}
    assert checks.SEED not in {TRANSLATOR.schedule.seed_of(number) for number in range(-2, 100)} | seeds
    whole = draw()
    assert len(whole.told) >= 1_000
    assert {one.source.text for one in whole.told}.isdisjoint(
        one.source.text for one in islice(bitexts(5, split="train"), 2_000)
    )
