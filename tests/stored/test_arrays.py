"""Attention that somebody else took: from arrays, and from a ``.npz`` that nobody believes."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import attnviz
from attnviz.captures import Capture
from attnviz.errors import InputError
from attnviz.observe import memory
from attnviz.recipes import Choice
from attnviz.stored.arrays import CAUSAL

TOKENS = ["The", "cat", "sat", "on", "mats"]


def attention(*, causal: bool = False) -> np.ndarray:
    """``[2, 3, 5, 5]`` float32, rows summing to 1."""
    weights = np.random.default_rng(0).random((2, 3, 5, 5), np.float32) + np.float32(0.01)
    weights = np.tril(weights) if causal else weights
    return np.asarray(weights / weights.sum(-1, keepdims=True), np.float32)


def test_arrays_become_a_capture() -> None:
    seen = attnviz.from_arrays(attention(), TOKENS, name="mine")
    assert seen.maps.names == ("0", "1")
    assert seen.maps["1"].heads == (0, 1, 2)
    np.testing.assert_array_equal(seen.map("1.2"), attention()[1, 2])
    assert seen.maps["0"].keys.labels == tuple(TOKENS)
    assert seen.maps["0"].visible.all()
    assert seen.notes == ()
    page = attnviz.heatmap(seen, choice=Choice(heads="1.2"))
    assert page.title == "mine  “The cat sat on mats”"


def test_maps_without_weight_after_the_diagonal_are_causal_and_say_so() -> None:
    seen = attnviz.from_arrays(attention(causal=True), TOKENS)
    np.testing.assert_array_equal(seen.maps["1"].visible[0], np.tri(5, dtype=bool))
    assert seen.notes == (CAUSAL,)
    one = attention(causal=True)
    one[1, 2, 0] = 0.2  # one row of one head sees later tokens: none is causal
    assert attnviz.from_arrays(one, TOKENS).maps["0"].visible.all()


def test_a_row_of_zeros_sees_nothing() -> None:
    weights = attention()
    weights[1, 2, 3] = 0
    seen = attnviz.from_arrays(weights, TOKENS)
    assert seen.maps["0"].visible.all()
    assert not seen.maps["1"].visible[2, 3].any()
    assert seen.maps["1"].visible.sum() == 3 * 5 * 5 - 5


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4"])
def test_other_floating_point_numbers_are_taken(dtype: Any) -> None:
    seen = attnviz.from_arrays(attention().astype(dtype), TOKENS)
    assert seen.map("0.0").dtype == np.float32
    np.testing.assert_allclose(seen.map("0.0"), attention()[0, 0], atol=1e-3)


def test_the_array_stays_the_callers_own() -> None:
    given = attention()
    seen = attnviz.from_arrays(given, TOKENS)
    given[:] = 0
    np.testing.assert_array_equal(seen.map("1.2"), attention()[1, 2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_a_tensor_of_torch_is_taken(dtype: torch.dtype) -> None:
    given = torch.from_numpy(attention()).to(dtype).requires_grad_()
    seen = attnviz.from_arrays(given, TOKENS)
    np.testing.assert_allclose(seen.map("0.0"), attention()[0, 0], atol=2e-3)


def test_what_is_no_array_is_an_error_of_one_line() -> None:
    with pytest.raises(InputError, match="attention is tuple, of which no array can be made"):
        attnviz.from_arrays((np.ones((2, 2)), np.ones(3)), TOKENS)  # type: ignore[arg-type]


def test_tokens_are_data() -> None:
    seen = attnviz.from_arrays(attention(), ["\x1b[31m", "\u202e", "\ud800", "[/INST]", "猫"])
    assert seen.maps["0"].keys.labels == (r"\x1b[31m", r"\u202e", r"\ud800", "[/INST]", "猫")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights[0], r"shape \(3, 5, 5\): it must be \[layers, heads, queries, keys\]"),
        (lambda weights: weights[:0], "has the shape"),
        (lambda weights: weights[..., :4], "has 5 queries and 4 keys for 5 tokens"),
        (lambda weights: weights.astype(int), "of type int64: it must be of floating-point"),
        (lambda weights: weights * 2, "row 0 of layer 0, head 0 sums to 2"),
        (lambda weights: weights - 1, "row 0 of layer 0, head 0 sums to -4"),
        (lambda weights: np.where(weights == weights[1, 2, 4, 3], np.nan, weights), "head 2 sums to nan"),
        (lambda weights: weights + np.array([-0.5, 0.5, 0, 0, 0], np.float32), "never negative"),
    ],
)  # fmt: skip
def test_what_is_no_attention_is_refused(change: Callable[[np.ndarray], np.ndarray], message: str) -> None:
    with pytest.raises(InputError, match=message):
        attnviz.from_arrays(change(attention()), TOKENS)


def test_tokens_that_are_no_text_are_refused() -> None:
    with pytest.raises(InputError, match="7 is no token"):
        attnviz.from_arrays(attention(), ["a", "b", "c", "d", 7])  # type: ignore[list-item]


# --- in a file ---


def npz(file: Path, **changes: Any) -> Path:
    arrays = {"attention": attention(), "tokens": np.array(TOKENS)} | changes
    np.savez(file, **{name: array for name, array in arrays.items() if array is not None})
    return file


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_npz_is_read(write: Callable[..., None], order: Any, tmp_path: Path) -> None:
    write(tmp_path / "my cat.npz", attention=np.asarray(attention(), order=order), tokens=np.array(TOKENS))
    seen = attnviz.load(tmp_path / "my cat.npz")
    assert isinstance(seen, Capture)
    assert seen.model.name == "my cat"
    np.testing.assert_array_equal(seen.map("1.2"), attention()[1, 2])
    assert seen.maps["1"].queries.labels == tuple(TOKENS)


def test_tokens_may_be_bytes_of_utf8(tmp_path: Path) -> None:
    tokens = np.array([token.encode() for token in ["猫", "b", "c", "d", "e"]])
    assert attnviz.load(npz(tmp_path / "cat.npz", tokens=tokens)).maps["0"].keys.labels[0] == "猫"


def test_a_capture_of_arrays_can_be_saved(tmp_path: Path) -> None:
    attnviz.load(npz(tmp_path / "cat.npz")).save(tmp_path / "cat.safetensors")
    np.testing.assert_array_equal(attnviz.load(tmp_path / "cat.safetensors").map("0.1"), attention()[0, 1])


def test_no_object_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    file = npz(tmp_path / "cat.npz", tokens=np.array([Trap()] * 5, object))
    with pytest.raises(InputError, match=r"tokens is of type object: .* objects are not read"):
        attnviz.load(file)
    assert not (tmp_path / "sprung").exists()


def test_what_does_not_fit_into_memory_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 500)
    monkeypatch.setattr(memory, "ALWAYS", 0)
    with pytest.raises(InputError, match=r"the arrays in cat.npz take 1 kB, and 0 kB are free"):
        attnviz.load(npz(tmp_path / "cat.npz"))


def header(shape: str, dtype: str = "<f4") -> bytes:
    """How an array begins that claims a shape."""
    said = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(said)) + said


def archive(file: Path, data: bytes, *, size: int | None = None, packed: bool = True) -> Path:
    """A .npz whose attention is this, perhaps claiming to unpack to another size."""
    tokens = io.BytesIO()
    np.save(tokens, np.array(TOKENS))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as made:
        made.writestr("tokens.npy", tokens.getvalue())
        made.writestr("attention.npy", data)
        if size is not None:
            made.getinfo("attention.npy").file_size = size
    return file


def test_a_size_that_cannot_be_packed_in_the_file_is_refused(tmp_path: Path) -> None:
    claimed = header("(1, 1, 500000, 500000)")
    file = archive(tmp_path / "bomb.npz", claimed, size=len(claimed) + 4 * 500_000**2)
    with pytest.raises(InputError, match="attention claims 1,000,000,000,128 bytes, more than are packed"):
        attnviz.load(file)


def test_a_bomb_that_says_what_it_is_is_refused_by_its_tokens(tmp_path: Path) -> None:
    file = archive(tmp_path / "bomb.npz", header("(1, 1, 5000, 5000)") + bytes(4 * 5000**2))
    assert file.stat().st_size < 200_000
    with pytest.raises(InputError, match="5000 queries and 5000 keys for 5 tokens"):
        attnviz.load(file)


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ("(2, 3, 5, 6)", "<f4", "would take 720 bytes, and is another size"),
        ("(-2, -3, 5, 5)", "<f4", r"has the shape \(-2, -3, 5, 5\)"),
        ("(2, 3, 5, 5)", "|O", "attention is of type object"),
        ("(2, 3, 5, 5)", "<i4", "attention is of type int32"),
        ("(2, 3, 5, 5)", "<f4', 'x': '", "a header that cannot be read"),
        ("(" * 60, "<f4", "a header that cannot be read"),
        ("__import__('os')", "<f4", "a header that cannot be read"),
    ],
)
def test_a_header_that_is_not_true_is_refused(shape: str, dtype: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        attnviz.load(archive(tmp_path / "cat.npz", header(shape, dtype) + bytes(600)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": None}, "it holds no arrays called tokens: a .npz must hold attention"),
        ({"tokens": np.array([TOKENS])}, "its tokens have the shape"),
        ({"tokens": np.array([b"\xff"] * 5)}, "can't decode byte 0xff"),
        ({"tokens": np.arange(5)}, "tokens is of type int64"),
        ({"attention": attention() * 3}, "sums to 3"),
    ],
)
def test_another_npz_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as raised:
        attnviz.load(npz(tmp_path / "cat.npz", **changes))
    assert str(raised.value).startswith(f"cannot read {tmp_path / 'cat.npz'}: ")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_a_name_are_refused(tmp_path: Path) -> None:
    file = npz(tmp_path / "cat.npz")
    with zipfile.ZipFile(file, "a") as made:
        made.writestr("tokens.npy", b"")
    with pytest.raises(InputError, match="it holds 2 arrays called tokens"):
        attnviz.load(file)


def test_no_damage_of_a_npz_ends_in_a_traceback(tmp_path: Path) -> None:
    data = npz(tmp_path / "whole.npz").read_bytes()
    file = tmp_path / "damaged.npz"
    for place in range(4, len(data), 3):
        file.write_bytes(data[:place] + bytes([data[place] ^ 0x21]) + data[place + 1 :])
        loaded(file)
        file.write_bytes(data[:place])
        assert not loaded(file)


def loaded(file: Path) -> bool:
    try:
        attnviz.load(file)
    except InputError:
        return False
    return True
