"""Capture files: what was written comes back, and nothing else is written over."""

import json
import struct
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from safetensors import safe_open

import attnviz
from attnviz.captures import Capture, Captures
from attnviz.errors import InputError, OutputError
from attnviz.recipes import Choice, Recipe
from attnviz.stored import files
from tests.analysis.maps import SENTENCE, sentence_axis, small_capture
from tests.stored.captures import captures, checkpoint, full_capture, same


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "small.safetensors"


@given(captures())
@settings(max_examples=60)
def test_what_was_saved_comes_back_to_the_bit(seen: Capture) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "any.safetensors"
        seen.save(file)
        assert same(attnviz.load(file), seen)


def test_several_samples_come_back_one_at_a_time(file: Path) -> None:
    samples = [full_capture(), small_capture(layers=3, causal=True), small_capture(heads=2)]
    asked: list[int] = []

    def sample(number: int) -> Capture:
        asked.append(number)
        return samples[number]

    Captures(3, sample).save(file)
    assert asked == [0, 1, 2]
    loaded = attnviz.load(file)
    assert isinstance(loaded, Captures)
    assert all(same(*each) for each in zip(loaded, samples, strict=True))
    assert same(loaded[-1], samples[2])
    assert len(loaded[1:]) == 2
    assert same(loaded[1:][0], samples[1])
    with pytest.raises(IndexError):
        loaded[3]


def test_a_file_is_what_safetensors_reads(file: Path) -> None:
    Captures(2, lambda _: full_capture()).save(file)
    with safe_open(file, framework="numpy") as stored:
        assert stored.metadata() == {"format": "attnviz capture", "schema": "1", "samples": "2"}
        np.testing.assert_array_equal(stored.get_tensor("1/maps/1/weights"), full_capture().maps["1"].weights)


def test_maps_are_views_into_the_file_that_nobody_can_write_to(file: Path) -> None:
    full_capture().save(file)
    weights = attnviz.load(file).maps["1"].weights
    assert not weights.flags.owndata
    assert not weights.flags.writeable
    assert weights.flags.aligned


def test_opening_a_file_reads_its_header_alone(file: Path) -> None:
    large = replace(small_capture(layers=1), maps=())
    Captures(2, lambda _: large).save(file)
    data = file.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    end = max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
    size = 1 << 36  # 64 GB, none of which is there: the file is sparse
    header["0/hole"] = {"dtype": "U8", "shape": [size], "data_offsets": [end, end + size]}
    text = json.dumps(header).encode()
    with file.open("wb") as sparse:
        sparse.write(struct.pack("<Q", len(text)) + text + data[8 + length :])
        sparse.truncate(sparse.tell() + size)
    assert same(attnviz.load(file)[1], large)


def test_a_file_holds_how_it_was_made(file: Path) -> None:
    full_capture().save(file)
    made = files.read_recipe(file)
    assert isinstance(made, Recipe)
    assert (made.command, made.sample["text"]) == ("capture", SENTENCE)
    assert made.reduction["maps"] == {"0": [0, 1, 2], "1": [0, 1, 2]}
    assert made.reduction["besides"] == ["pooled", "means", "statistics", "pairs"]
    with pytest.raises(InputError, match="it has no sample 1: there are 1"):
        files.read_recipe(file, 1)


def test_without_the_text_no_word_of_it_is_in_the_file(file: Path) -> None:
    full_capture().save(file, text=False)
    data = file.read_bytes()
    assert not [word for word in (*SENTENCE.split(), "believ") if word.encode() in data]
    seen = attnviz.load(file)
    assert seen.maps["0"].keys.labels == ("[CLS]", "1", "2", "3", "4", "5", "6", "7", "[SEP]")
    assert seen.maps["0"].keys.words == sentence_axis().words
    assert "sha256" in seen.notes[-1]
    assert files.read_recipe(file).sample["text_sha256"] in seen.notes[-1]
    page = attnviz.heatmap(seen, choice=Choice(heads="1.2", special="hide", words=True))
    assert page.heatmaps[0].key_labels == ("1", "2", "3", "4", "7")
    assert page.title == "small  text"


def test_a_capture_replaces_a_capture_and_nothing_else_unless_forced(file: Path) -> None:
    small_capture().save(file)
    small_capture(layers=1).save(file)
    assert len(attnviz.load(file).maps) == 1
    model = file.with_name("model.safetensors")
    model.write_bytes(checkpoint())
    with pytest.raises(OutputError, match="that is no capture; --force replaces it"):
        small_capture().save(model)
    assert model.read_bytes() == checkpoint()
    small_capture().save(model, force=True)
    assert isinstance(attnviz.load(model), Capture)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cat.png", "a capture is a .safetensors file"),
        ("no/where/cat.safetensors", "there is no directory"),
        ("x" * 300 + ".safetensors", "File name too long"),
    ],
)
def test_what_cannot_be_written_is_said(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=message):
        small_capture().save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_sample_that_fails_leaves_the_file_as_it_was(file: Path) -> None:
    small_capture().save(file)
    before = file.read_bytes()

    def sample(number: int) -> Capture:
        if number:
            raise InputError("text-2 is empty")
        return small_capture(layers=1)

    with pytest.raises(InputError, match="text-2 is empty"):
        Captures(2, sample).save(file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_file_may_be_replaced_while_it_is_read(file: Path) -> None:
    full_capture().save(file)
    seen = attnviz.load(file)
    replace(seen, maps=seen.maps[:1]).save(file)
    assert same(seen, full_capture())
    assert len(attnviz.load(file).maps) == 1
