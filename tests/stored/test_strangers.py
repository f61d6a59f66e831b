"""Capture files that strangers hand in: what is damaged or cannot be true is refused in one line."""

import json
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnviz
from attnviz.captures import Capture, Captures, Layers
from attnviz.errors import InputError, SelectionError
from attnviz.recipes import Choice
from tests.analysis.maps import sentence_axis, small_capture
from tests.stored.captures import checkpoint, full_capture


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "small.safetensors"


def rebuilt(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The file with another header over the same arrays."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def with_entry(**changes: Any) -> Callable[[bytes], bytes]:
    return lambda data: rebuilt(data, lambda header: header["0/maps/1/weights"].update(changes))


def with_metadata(**changes: str) -> Callable[[bytes], bytes]:
    return lambda data: rebuilt(data, lambda header: header["__metadata__"].update(changes))


def flipped(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]


NASTY = {
    "empty": (lambda _: b"", "it is empty"),
    "one byte": (lambda data: data[:1], "it has 1 bytes"),
    "cut in its length": (lambda data: data[:7], "it has 7 bytes"),
    "cut in its header": (lambda data: data[:99], "cut off in its first lines"),
    "cut by one byte": (lambda data: data[:-1], "it was cut off or added to"),
    "cut in half": (lambda data: data[: len(data) // 2], "cut off"),
    "longer": (lambda data: data + b"x", "it was cut off or added to"),
    "huge header": (lambda data: b"\xff" * 8 + data[8:], "no safetensors file"),
    "first byte of the header": (flipped(8), "cannot be read"),
    "a text": (lambda _: b"The cat sat on the mat", "no safetensors file"),
    "nested header": (
        lambda _: struct.pack("<Q", 200_000) + b"[" * 200_000, "what it says about itself cannot be read"
    ),
    "header of NaN": (lambda _: struct.pack("<Q", 3) + b"NaN", "cannot be read"),
    "header is a list": (lambda _: struct.pack("<Q", 2) + b"[]", "its header is no table"),
    "a checkpoint": (lambda _: checkpoint(), "holds tensors of something else"),
    "huge shape": (with_entry(shape=[2**61, 2**61]), "a size that is not that of its shape"),
    "negative shape": (with_entry(shape=[-3, -9, 9]), "a type or shape"),
    "true shape": (with_entry(shape=[True, 9, 9]), "a type or shape"),
    "other type": (with_entry(dtype="F16"), "a type or shape"),
    "other size": (with_entry(shape=[3, 9, 8]), "a size that is not that of its shape"),
    "overlap": (with_entry(data_offsets=[0, 972]), "its arrays overlap"),
    "no shape": (with_entry(shape=None), "does not describe '0/maps/1/weights'"),
    "later schema": (with_metadata(schema="2"), r"of schema 2 and this version of attnviz reads 1"),
    "no schema": (with_metadata(schema="x"), "of schema x"),
    "more samples": (with_metadata(samples="2"), "does not hold the 2 samples"),
    "no samples": (with_metadata(samples="0"), "does not hold the 0 samples"),
    "samples of 5,000 digits": (with_metadata(samples="9" * 5000), "damaged"),
}  # fmt: skip


def test_a_file_that_tells_of_fewer_samples_than_it_holds_is_refused(file: Path) -> None:
    Captures(2, lambda _: full_capture()).save(file)
    file.write_bytes(with_metadata(samples="1")(file.read_bytes()))
    with pytest.raises(InputError, match=r"it holds more samples than the 1 that it tells of"):
        attnviz.load(file)


@pytest.mark.parametrize("name", NASTY)
def test_a_damaged_file_is_refused_in_one_line(name: str, file: Path) -> None:
    change, message = NASTY[name]
    full_capture().save(file)
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(InputError, match=message) as raised:
        attnviz.load(file)
    assert str(raised.value).startswith(f"cannot read {file}: ")
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_a_file_cut_anywhere_is_refused(place: int, file: Path) -> None:
    full_capture().save(file)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * place // 100])
    with pytest.raises(InputError, match=f"cannot read {file}"):
        attnviz.load(file)


def test_no_flipped_bit_of_the_header_ends_in_a_traceback(file: Path) -> None:
    small_capture(layers=1).save(file)
    data = file.read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    for place in range(end):
        file.write_bytes(flipped(place)(data))
        with suppress(InputError):
            attnviz.load(file)


def test_no_flipped_bit_of_a_record_ends_in_a_traceback(file: Path) -> None:
    small_capture(layers=1, heads=1).save(file)
    data = file.read_bytes()
    for place in range(data.index(b'{"capture"'), len(data), 3):
        file.write_bytes(flipped(place)(data))
        with suppress(InputError):
            attnviz.load(file)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("pipe", "mapped into memory"), ("", "Is a directory"), ("none", "No such file")):
        with pytest.raises(InputError, match=message):
            attnviz.load(tmp_path / name)


def wrong(**changes: Any) -> Capture:
    return replace(full_capture(), **changes)


def impossible() -> list[tuple[Capture, str]]:
    """Captures whose records are of the right types and cannot be true."""
    seen = full_capture()
    maps, axis = seen.maps[0], sentence_axis()
    assert seen.statistics
    assert seen.pairs

    def of(**changes: Any) -> Capture:
        return wrong(maps=(replace(maps, **changes),))

    def on(**changes: Any) -> Capture:
        return wrong(axes={"": (axis, replace(axis, **changes))})

    def in_statistics(**changes: Any) -> Capture:
        return wrong(statistics=replace(seen.statistics, **changes))

    return [
        (wrong(maps=(maps, maps)), "two of its maps are of the same layer"),
        (of(layer=7), "its model has no head 7.0"),
        (of(heads=(0, 1, 3)), "its model has no head 0.3"),
        (of(heads=(0, 1, -1)), "its model has no head 0.-1"),
        (of(heads=(0, 1, 1)), "it names a head twice"),
        (of(stack="../x"), "its model has no head"),
        (of(visible=np.ones((9, 9), bool)), "a mask of layer 0 is no map"),
        (on(ids=(1, 2)), "an axis of 9 labels has 2 ids"),
        (on(masks=(True,)), "an axis of 9 labels has 1 masks"),
        (on(positions=(-1,) * 9), "a position before its first"),
        (on(words=(-2,) * 9), "a word before its first"),
        (on(texts=()), "points beyond its text"),
        (on(texts=("short",)), "points beyond its text"),
        (in_statistics(values={"luck": np.zeros(2)}), "no statistic is called 'luck'"),
        (in_statistics(values={"focus": np.zeros(3)}), "focus is not one number a head"),
        (in_statistics(values={"focus": np.full(2, np.inf)}), "focus is not finite"),
        (in_statistics(rows={"focus": np.full(2, -1)}), "less than no rows"),
        (in_statistics(rows={}), "has no number of rows"),
        (in_statistics(offsets=np.array([[2, 0, 1]])), "an offset belongs to no head"),
        (in_statistics(offsets=np.zeros((1, 2), np.int64)), "no list of head, offset and rows"),
        (wrong(pairs=replace(seen.pairs, keys=np.full((2, 1), 9))), "a pair of head 0.1 is not on its axes"),
        (wrong(pairs=replace(seen.pairs, keys=np.zeros((2, 2), int))), "not as many for each head"),
        (wrong(sample=replace(seen.sample, name="a\0b")), "a name that no file can have"),
    ]  # fmt: skip


@pytest.mark.parametrize(("seen", "message"), impossible(), ids=[message for _, message in impossible()])
def test_what_cannot_be_true_is_refused(seen: Capture, message: str, file: Path) -> None:
    seen.save(file)
    with pytest.raises(InputError, match=message):
        attnviz.load(file)


RECORDS = {
    "unknown entry": (b'"family"', b'"famuly"', "a ModelFacts has name, family"),
    "wrong type": (b'"chat": false', b'"chat": "no"', "bool was expected"),
    "wrong word": (b'"unit": "token"', b'"unit": "tokin"', "one of"),
    "no axis": (b'"queries": 0', b'"queries": 9', "there is no axis 9"),
    "no array": (b'0/maps/1/weights', b'0/maps/9/weights', "0/maps/9/weights"),
    "array of another type": (b'"0/maps/1/weights"', b'"0/maps/1/visible"', "of type bool and not float32"),
    "huge number": (b'"layer": 1', b'"layer": ' + b"9" * 30, "int was expected"),
    "no list": (b'"notes": [', b'"notes": 5, "x": [', "a Capture has"),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_of_another_kind_is_refused(name: str, file: Path) -> None:
    old, new, message = RECORDS[name]
    full_capture().save(file)
    data = file.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    start, stop = header["0/record"]["data_offsets"]
    said = data[8 + length + start : 8 + length + stop]
    assert old in said
    said = said.replace(old, new, 1)
    header["0/record"] |= {"shape": [len(said)], "data_offsets": [start, start + len(said)]}
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length : 8 + length + start] + said)
    with pytest.raises(InputError, match=message):
        attnviz.load(file)


def test_labels_of_a_stranger_are_made_harmless(file: Path) -> None:
    maps = full_capture().maps[0]
    axis = replace(maps.keys, labels=("\x1b[31m", "\u202e", *maps.keys.labels[2:]))
    wrong(maps=(replace(maps, keys=axis),), notes=("\x1b]0;x",)).save(file)
    seen = attnviz.load(file)
    assert seen.maps["0"].keys.labels[:2] == (r"\x1b[31m", r"\u202e")
    assert seen.notes == (r"\x1b]0;x",)


@pytest.mark.parametrize(("weight", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (-0.5, "-0.5"), (2, "2")])
def test_weights_that_are_none_are_not_drawn(weight: float, shown: str, file: Path) -> None:
    maps = full_capture().maps[1]
    weights = maps.weights.copy()
    weights[2, 3, 4] = weight
    wrong(maps=Layers((full_capture().maps[0], replace(maps, weights=weights)))).save(file)
    seen = attnviz.load(file)
    assert attnviz.heatmap(seen, choice=Choice(layers="0")).heatmaps
    with pytest.raises(InputError, match=f"the weights of head 1.2 are no attention: .*{shown}"):
        attnviz.heatmap(seen, choice=Choice(heads="1.2"))


def test_what_was_not_kept_is_said_with_what_was(file: Path) -> None:
    seen = small_capture(layers=2)
    replace(seen, maps=seen.maps[1:]).save(file)
    with pytest.raises(SelectionError, match=r"no map of head 0\.0 was kept.*1\.0, 1\.1, 1\.2.*--keep all"):
        attnviz.heatmap(attnviz.load(file), choice=Choice(layers="0-1"))
