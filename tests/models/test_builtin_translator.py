"""Our translators, as Sources: what they read and write, and that what they show is what they do."""

from pathlib import Path

import pytest
import torch

import attnviz
from attnviz.builtin import store
from attnviz.builtin.translation.pieces import END, START
from attnviz.builtin.translation.writing import written
from attnviz.errors import InputError
from attnviz.inputs import Sample, Span
from attnviz.models import families
from attnviz.models.builtin.translator import MORE, TRAINED, TranslatorSource
from attnviz.models.outline import outline
from attnviz.models.request import Request
from tests.builtin.blank import POSITIONS, SIZES, blank, pieces, save_blank

KIND = pytest.mark.parametrize("kind", SIZES)
STACKS = {
    "translator": ["encoder.0", "decoder.0", "decoder.1", "cross.0", "cross.1"],
    "bahdanau": ["cross.0"],
    "luong": ["cross.0"],
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TranslatorSource]:
    made = {kind: save_blank(kind, tmp_path_factory.mktemp(kind) / "mine") for kind in SIZES}
    return {kind: families.load(str(directory)) for kind, directory in made.items()}


def labels(source: TranslatorSource, sample: Sample) -> tuple[tuple[str, ...], tuple[str, ...]]:
    target, read = source.encode(sample).axes["cross"]
    return read.labels, target.labels


@KIND
def test_the_facts_are_those_of_the_model_and_of_its_training(sources, kind: str, tmp_path: Path) -> None:
    facts = sources[kind].facts
    assert [layer.name for layer in facts.layers] == STACKS[kind]
    assert (facts.name, facts.family, facts.positions, facts.best) == (
        "mine",
        "builtin",
        POSITIONS,
        "cross.0.0",
    )
    told = outline(Request(str(save_blank(kind, tmp_path))))
    assert [(layer.name, layer.heads) for layer in told] == [(one.name, one.heads) for one in facts.layers]


@KIND
def test_the_pair_is_the_target(sources, kind: str) -> None:
    encoded = sources[kind].encode(Sample("The cat.", pair="L'eau."))
    target, read = encoded.axes["cross"]
    assert read.labels[0] == "The"
    assert read.labels[-1] == "[END]"
    assert target.labels[0] == "[START]"
    assert "".join(target.texts[span.text][span.start : span.stop] for span in target.spans[1:]) == "L'eau."
    assert not any(target.special[1:])  # the end token is not read: nothing is written after it
    assert (encoded.written, encoded.notes) == (0, ())


@KIND
def test_without_a_target_the_model_writes_one(sources, kind: str) -> None:
    source, model = sources[kind], blank(kind)
    encoded = source.encode(Sample("The cat sees it."))
    read = encoded.tensors["source"]
    target = encoded.tensors["target"][0].tolist()
    most = 2 * read.shape[1] + MORE
    assert target == [START, *written(model.half().float(), read, most)[0]]
    assert encoded.written == len(target) - 1
    assert encoded.notes[0] == f"the last {encoded.written} tokens were written by the model (greedily)"
    axis = encoded.axes["cross"][0]
    assert axis.ids == tuple(target)
    assert axis.texts[-1] == pieces().decode(target)


@KIND
def test_a_model_that_has_learnt_no_end_is_stopped_at_twice_the_source(sources, kind: str) -> None:
    encoded = sources[kind].encode(Sample("A cat"))
    most = 2 * encoded.tensors["source"].shape[1] + MORE
    assert most < POSITIONS - 1
    assert encoded.written == most
    assert encoded.notes[-1] == f"stopped after {most} tokens: --generate N lets it write more"


@KIND
def test_it_writes_as_many_tokens_as_are_asked_for_and_goes_on_with_a_target(sources, kind: str) -> None:
    source = sources[kind]
    whole = source.encode(Sample("A dog barks")).tensors["target"][0].tolist()
    assert source.encode(Sample("A dog barks", generate=3)).tensors["target"][0].tolist() == whole[:4]
    begun = source.encode(Sample("A dog barks", pair="Un", generate=2))
    given = [START, *pieces().encode("Un", add_special_tokens=False).ids]
    assert begun.tensors["target"][0].tolist()[: len(given)] == given
    assert begun.written == len(begun.tensors["target"][0]) - len(given) == 2


@KIND
def test_every_layer_is_seen_with_its_axes_and_the_rows_sum_to_1(sources, kind: str) -> None:
    seen = attnviz.capture(
        Sample("The cat sees it.", pair="Le chat le voit."), model=sources[kind], keep="all"
    )
    assert set(seen.maps.names) == set(STACKS[kind])
    for maps in seen.maps:
        texts = [axis.texts[0] for axis in (maps.queries, maps.keys)]
        sides = {"encoder": ["The cat sees it."] * 2, "decoder": ["Le chat le voit."] * 2}
        assert texts == sides.get(maps.stack, ["Le chat le voit.", "The cat sees it."])
        assert maps.weights.sum(-1) == pytest.approx(1, abs=1e-5)
    if kind == "translator":
        assert not seen.maps["decoder.0"].weights[:, 0, 1:].any()  # what comes after is not seen


@KIND
def test_the_doctor_finds_the_weights_exact_and_used(sources, kind: str) -> None:
    diagnosis = attnviz.doctor("The cat sees it.", model=sources[kind])
    assert diagnosis.passed
    assert [layer.facts.name for layer in diagnosis.layers] == STACKS[kind]
    for layer in diagnosis.layers:
        assert layer.difference < 1e-5
        assert layer.disturbed > 1e-4


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (Sample(""), "text is empty: give at least one word"),
        (Sample("cat", pair=" "), "the pair of text is empty: give at least one word"),
        (Sample("cat", chat=True), "mine has no chat template: leave --chat away"),
        (Sample("cat " * 500), rf"text has \d+ tokens and mine reads at most {POSITIONS}: --truncate"),
        (Sample("cat", pair="chat " * 500), rf"the pair of text has \d+ tokens .* at most {POSITIONS - 1}"),
        (
            Sample("cat", generate=POSITIONS),
            f"text has 1 tokens, and mine has positions for {POSITIONS}: {POSITIONS} more do not fit",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_translated_is_refused(sources, sample: Sample, message: str) -> None:
    with pytest.raises(InputError, match=message):
        sources["luong"].encode(sample)


def test_a_source_that_is_too_long_is_cut_where_that_is_asked_for(sources) -> None:
    encoded = sources["luong"].encode(Sample("cat " * 500, pair="Le chat"), truncate=True)
    read = encoded.axes["cross"][1]
    assert len(read) == POSITIONS
    assert read.ids[-1] == END
    assert encoded.notes[0].startswith(f"cut to {POSITIONS} of ")


def test_tokens_of_its_own_are_letters_in_a_text(sources) -> None:
    encoded = sources["luong"].encode(Sample("a [END] of [PAD]", pair="[START]"))
    target, read = encoded.axes["cross"]
    assert read.ids.count(END) == 1
    assert target.ids.count(START) == 1
    assert "".join(read.texts[0][span.start : span.stop] for span in read.spans[:-1]) == "a [END] of [PAD]"


def test_a_word_is_found_in_the_text_whatever_blanks_stand_before_it(sources) -> None:
    read = sources["luong"].encode(Sample("  The\n\ncat", pair="x")).axes["cross"][1]
    words = {
        word: [span for span, of in zip(read.spans, read.words, strict=True) if of == word] for word in (0, 1)
    }
    assert words[0][0] == Span(0, 2, 5)
    assert words[1][-1].stop == 10


def test_tokens_by_their_numbers_stand_before_the_end_token(sources) -> None:
    source = sources["translator"]
    ids = source.plain_ids()[10:13]
    encoded = source.encode_ids(ids)
    assert encoded.tensors["source"].tolist() == [[*ids, END]]
    assert encoded.tensors["target"][0, 0] == START
    assert {START, END}.isdisjoint(source.plain_ids())
    with pytest.raises(
        InputError, match=f"{POSITIONS + 1} tokens are more than mine reads: at most {POSITIONS}"
    ):
        source.encode_ids([5] * POSITIONS)


def test_longer_texts_than_the_training_had_are_told(tmp_path: Path) -> None:
    store.save(tmp_path, blank("luong", positions=128), pieces(), {})
    source = families.load(str(tmp_path))
    assert source.facts.best is None
    assert source.encode(Sample("cat " * 10, pair="le chat")).notes == ()
    (note,) = source.encode(Sample("the " * (TRAINED + 1), pair="le chat")).notes
    assert note.startswith(f"the model was trained on texts of up to {TRAINED} tokens")


@torch.no_grad()
def test_a_batch_is_run_one_by_one(sources) -> None:
    texts = ["The cat", "Some dogs bark at it"]
    together = attnviz.capture(
        [Sample(text, pair="Le chat") for text in texts], model=sources["bahdanau"], keep="all"
    )
    for text, seen in zip(texts, together, strict=True):
        alone = attnviz.capture(Sample(text, pair="Le chat"), model=sources["bahdanau"], keep="all")
        assert (seen.maps[0].weights == alone.maps[0].weights).all()
