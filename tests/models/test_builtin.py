"""The encoder that ships, as a Source."""

import subprocess
import sys
from dataclasses import dataclass, field
from itertools import islice

import pytest
import torch

from attnviz.attention import padding
from attnviz.builtin import store
from attnviz.builtin.encoder.model import MaskedLanguageModel
from attnviz.builtin.language import stories
from attnviz.errors import InputError, ModelError
from attnviz.facts import LayerFacts
from attnviz.inputs import Sample
from attnviz.models.builtin import load
from attnviz.models.builtin.encoder import ENCODER
from attnviz.models.builtin.text import TextSource
from attnviz.observe.tiles import Tile

SHIPPED = store.shipped("encoder")


@dataclass
class Kept:
    """A Watch that keeps the tiles of some layers and heads."""

    choice: dict[int, range]
    tiles: list[Tile] = field(default_factory=list)

    def wanted(self, layer: LayerFacts) -> range | None:
        return self.choice.get(layer.layer)

    def see(self, tile: Tile) -> None:
        self.tiles.append(tile)


@pytest.mark.parametrize(
    ("name", "labels", "heads"),
    [
        ("builtin:decoder", ("[BEGIN]", "The", "cat"), 24),
        ("builtin:classifier", ("[CLS]", "The", "cat", "[SEP]"), 4),
    ],
)
def test_every_model_that_ships_shows_what_it_attends_to(name, labels, heads) -> None:
    shipped = load(name)
    encoded = shipped.encode(Sample("The cat"))
    assert encoded.axes[""][0].labels == labels
    watch = Kept({layer.layer: range(layer.heads) for layer in shipped.facts.layers})
    shipped.run([encoded], [watch])
    assert sum(len(tile.heads) for tile in watch.tiles) == heads
    opened = shipped.opened(encoded)
    for tile in watch.tiles:
        torch.testing.assert_close(tile.weights.double(), opened.own[tile.layer.name], atol=1e-5, rtol=0)
        assert tile.visible.expand_as(tile.weights).all() == (name == "builtin:classifier")


def test_a_text_with_the_token_of_a_decoders_beginning_is_text() -> None:
    axis = axis_of(load("builtin:decoder"), "[BEGIN] the cat [MASK]")
    assert axis.special.count(True) == 1


@pytest.fixture(scope="module")
def source() -> TextSource:
    return load("builtin:encoder")


def axis_of(source, text, **options):
    return source.encode(Sample(text), **options).axes[""][0]


def test_a_sentence_is_labelled_as_a_person_reads_it(source) -> None:
    axis = axis_of(source, "The cat sat on the mat")
    assert axis.labels == ("[CLS]", "The", "cat", "sat", "on", "the", "mat", "[SEP]")
    assert axis.words == (-1, 0, 1, 2, 3, 4, 5, -1)
    assert [i for i, special in enumerate(axis.special) if special] == [0, 7]


def test_what_continues_a_word_has_a_plus(source) -> None:
    first, *rest = axis_of(source, "zqxjkv").labels[1:-1]
    assert not first.startswith("+")
    assert rest
    assert all(label.startswith("+") for label in rest)


def test_parts_of_a_character_are_shown_as_bytes(source) -> None:
    assert "<E4" in "".join(axis_of(source, "你").labels)


@pytest.mark.parametrize(
    "text", ["[/INST]", "$\\foo$", "</script>", "\x1b[31m", "a\u202eb", "\ud800", "[SEP]"]
)
def test_hostile_texts_are_text(source, text) -> None:
    axis = axis_of(source, text)
    assert [label for label, special in zip(axis.labels, axis.special, strict=True) if special] == [
        "[CLS]",
        "[SEP]",
    ]
    assert all(label.isprintable() for label in axis.labels)


def test_a_hole_may_be_put_into_a_text(source) -> None:
    assert axis_of(source, "the cat [MASK] here").labels[3] == "[MASK]"


def test_a_lone_surrogate_is_kept_as_typed_and_said_to_be_read_otherwise(source) -> None:
    encoded = source.encode(Sample("a \ud800 b"))
    assert encoded.notes == ("1 lone surrogate read as U+FFFD",)
    assert encoded.axes[""][0].texts == ("a \ud800 b",)


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_nothing_to_read_is_an_error(source, text) -> None:
    with pytest.raises(InputError, match="is empty"):
        source.encode(Sample(text))


def test_a_text_that_is_too_long_says_both_numbers_and_can_be_cut(source) -> None:
    long = Sample("cat " * 699 + "cat")
    with pytest.raises(InputError, match=r"has 702 tokens and builtin:encoder reads at most 512: --truncate"):
        source.encode(long)
    encoded = source.encode(long, truncate=True)
    assert encoded.notes[0] == "cut to 512 of 702 tokens"
    assert encoded.axes[""][0].labels[-1] == "[SEP]"
    assert len(source.encode(Sample("the cat")).axes[""][0]) == 4  # nothing of the cut is left behind


def test_a_chat_is_an_error(source) -> None:
    with pytest.raises(InputError, match="builtin:encoder has no chat template"):
        source.encode(Sample("the cat", chat=True))


def test_a_pair_is_two_texts(source) -> None:
    axis = source.encode(Sample("the cat", pair="a dog")).axes[""][0]
    assert axis.labels == ("[CLS]", "the", "cat", "[SEP]", "a", "dog", "[SEP]")
    assert [span.text for span in axis.spans if span] == [0, 0, 1, 1]


def test_only_wanted_layers_and_heads_are_seen(source) -> None:
    watch = Kept({1: range(1, 3)})
    source.run([source.encode(Sample("The cat sat on the mat"))], [watch])
    (tile,) = watch.tiles
    assert (tile.layer.name, tile.heads, tile.size) == ("1", range(1, 3), (8, 8))
    assert (tile.rows, tile.columns) == (range(8), range(8))
    assert tile.weights.shape == (2, 8, 8)
    torch.testing.assert_close(tile.weights.sum(-1), torch.ones(2, 8))
    assert tile.visible.all()
    assert tile.computed.expand_as(tile.weights).all()


def test_weights_are_those_the_module_itself_returns(source) -> None:
    model = store.load(SHIPPED, MaskedLanguageModel).model
    encoded = source.encode(Sample("The dog near the cats sees a bird"))
    watch = Kept({layer.layer: range(layer.heads) for layer in source.facts.layers})
    source.run([encoded], [watch])
    ids = encoded.tensors["ids"]
    states = model.embedding(ids)
    for tile, block in zip(watch.tiles, model.encoder.blocks, strict=True):
        _, weights = block.attention.with_weights(block.around_attention.norm(states))
        torch.testing.assert_close(tile.weights, weights[0])
        states = block(states)


def test_padding_changes_nothing(source) -> None:
    model = store.load(SHIPPED, MaskedLanguageModel).model
    ids = source.encode(Sample("The dog sees a bird")).tensors["ids"]
    padded = torch.nn.functional.pad(ids, (0, 5))
    states = model.encoder(model.embedding(padded), padding(padded != 0))
    torch.testing.assert_close(states[:, : ids.shape[1]], model(ids), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("builtin:nobody", {}, "no model builtin:nobody ships: there are builtin:encoder, builtin:decoder"),
        ("builtin:encoder", {"dtype": "float16"}, "runs in float32 only, not in float16"),
        ("/nowhere", {}, "/nowhere holds no model of ours"),
    ],
)
def test_what_cannot_be_loaded_says_why(name, options, message) -> None:
    with pytest.raises(ModelError, match=message):
        load(name, **options)


def test_damaged_weights_are_an_error(tmp_path) -> None:
    for path in SHIPPED.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[: 1000 if "safetensors" in path.name else None])
    with pytest.raises(ModelError, match="holds no whole model"):
        load(str(tmp_path))


def test_a_directory_that_training_made_is_a_model(tmp_path) -> None:
    directory = tmp_path / "mine"
    directory.mkdir()
    for path in SHIPPED.iterdir():
        (directory / path.name).write_bytes(path.read_bytes())
    mine = load(str(directory))
    assert mine.facts.name == "mine"
    assert mine.facts.fingerprint == load("builtin:encoder").facts.fingerprint


def test_loading_takes_no_library_that_is_not_needed() -> None:
    program = (
        "import sys; from attnviz.models.builtin import load; load('builtin:encoder');"
        "print([n for n in ('transformers', 'matplotlib', 'attnviz.builtin.language') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_text_longer_than_those_of_the_training_is_told(source) -> None:
    assert source.encode(Sample("the dog " * 30)).notes == ()
    (note,) = source.encode(Sample("the dog " * 60)).notes
    assert "trained on texts of up to 80 tokens" in note


def test_the_texts_of_the_training_are_no_longer_than_is_told(source) -> None:
    texts = [story.text for story in islice(stories(5, split="train"), 1000)]
    lengths = [source.encode(Sample(text)).tensors["ids"].shape[1] for text in texts]
    assert 40 < max(lengths) <= ENCODER.trained
