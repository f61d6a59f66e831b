"""The decoder: tales in which names return, and the scores of its check."""

from itertools import islice
from random import Random

import pytest
import torch

import attnviz
from attnviz.builtin import store
from attnviz.builtin.decoder import check as checks
from attnviz.builtin.decoder.check import examine, scores, twice_random
from attnviz.builtin.decoder.model import CausalLanguageModel, DecoderConfig
from attnviz.builtin.decoder.tales import Cast, invented_cast, retold, tales
from attnviz.builtin.decoder.task import DecoderTask
from attnviz.builtin.language import held_out_frame, stories
from attnviz.builtin.outcome import failed
from attnviz.observe.run import observe
from attnviz.observe.statistics import HeadStatistics

CAST = Cast(("Ann Trof Under", "Bo Say Mill", "Cy Red Oath"), ("Vick Is Lus",))


def told(count: int) -> list[tuple]:
    return [(each, retold(each, CAST, Random(3))) for each in islice(stories(2, split="train"), count)]


def test_no_pronoun_is_left_in_a_tale() -> None:
    for story, tale in told(200):
        pronouns = [word for word in story.words if word.pos == "pronoun"]
        assert not pronouns or not {"he", "she", "they"} & set(tale.lower().replace(".", "").split())


def test_what_is_named_again_is_named_in_full() -> None:
    named = [
        (story, tale)
        for story, tale in told(200)
        if sum(word.pos == "pronoun" and word.number == "singular" for word in story.words) >= 2
    ]
    assert named
    assert any(tale.count(person) >= 3 for _, tale in named for person in CAST.people)


def test_a_tale_has_the_marks_and_capitals_of_its_story() -> None:
    for story, tale in told(200):
        assert tale.count(".") == story.text.count(".")
        assert tale[0].isupper() or not story.text[0].isupper()


def test_casts_of_windows_have_no_name_in_common() -> None:
    dice = Random(1)
    names = [name for _ in range(50) for name in invented_cast(dice).people]
    assert len(set(names)) == len(names)


def test_tales_of_a_window_share_one_cast() -> None:
    pool = list(islice(stories(2, split="train", sentences=4), 20))
    told = " ".join(islice(tales(pool, Random(5)), 6))
    cast = invented_cast(Random(5))
    assert all(town in told for town in cast.towns)


@pytest.fixture(scope="module")
def small() -> tuple[DecoderTask, object]:
    task = DecoderTask(DecoderConfig(vocabulary=500), stories=20, lexicon=40)
    return task, task.tokenizer()


def test_windows_are_full_and_a_round_is_drawn_from_its_number_alone(small) -> None:
    task, tokenizer = small
    first, again, other = (next(task.batches(tokenizer, number)).ids for number in (0, 0, 1))
    assert first.shape == (task.schedule.batch, task.window + 1)
    assert first[:, 0].eq(1).all()
    assert first.equal(again)
    assert not first.equal(other)


def test_training_and_examination_read_their_own_splits(small) -> None:
    task, _ = small
    assert not any(held_out_frame(frame) for story in task._told(0, "train", 20) for frame in story.frames)
    assert all(held_out_frame(frame) for story in task._told(-2, "test", 20) for frame in story.frames)


def test_scores_by_hand(monkeypatch) -> None:
    """One head that looks at the token before, one at the token after the first copy."""
    length, ids = checks.LENGTH, torch.zeros(3, 1 + 2 * checks.LENGTH, dtype=torch.long)
    weights = torch.zeros(3, 2, ids.shape[1], ids.shape[1])
    for row in range(1, ids.shape[1]):
        weights[:, 0, row, row - 1] = 0.75
        if row > length:
            weights[:, 1, row, row - length + 1] = 0.5
    monkeypatch.setattr(checks, "_weights", lambda *_: [weights])
    found = scores(CausalLanguageModel(DecoderConfig(layers=1, heads=2)), ids)
    assert {head: set(each) for head, each in found["previous"].items()} == {"0.0": {0.75}, "0.1": {0.0}}
    assert {head: set(each) for head, each in found["induction"].items()} == {"0.0": {0.0}, "0.1": {0.5}}


SHIPPED = store.shipped("decoder")


def test_the_decoder_that_ships_passes() -> None:
    stored = store.load(SHIPPED, CausalLanguageModel)
    outcome = examine(stored.model, stored.tokenizer)
    assert failed(outcome) == ()
    for figure in outcome.figures:
        assert figure.beside["untrained"] < 0.1


def test_a_decoder_that_has_learnt_nothing_fails_everywhere() -> None:
    stored = store.load(SHIPPED, CausalLanguageModel)
    torch.manual_seed(0)
    blank = CausalLanguageModel(stored.model.config).eval()
    assert failed(examine(blank, stored.tokenizer)) == ("previous", "induction")


def test_the_check_scores_heads_as_a_probe_does() -> None:
    stored = store.load(SHIPPED, CausalLanguageModel)
    ids = twice_random(stored.tokenizer)[:4]
    mine = scores(stored.model, ids)
    source = attnviz.load_model("builtin:decoder")
    for line, row in enumerate(ids[:, 1:].tolist()):
        seen = observe(source, source.encode_ids(row), [HeadStatistics()]).statistics
        for name in checks.NEEDED:
            probed = {head.name: value for head, value in zip(seen.heads, seen.values[name], strict=True)}
            assert probed == pytest.approx({head: each[line] for head, each in mine[name].items()}, abs=1e-5)
