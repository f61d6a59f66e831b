"""Words, whatever the tokenizer: random Unicode text through four kinds of tokenizers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from attnviz.analysis.words import by_words, word_axis
from attnviz.captures import Axis, LayerMaps
from attnviz.inputs import Span, words_of

CORPUS = [
    "The cat sat on the mat.",
    "Don't panic: 3.14 is not 1,000!",
    "naïve café 東京 שלום",
    "unbelievable believers",
]
SPECIAL = ["[UNK]", "[CLS]", "[SEP]"]

texts = st.text(st.characters(codec="utf-8"), max_size=40) | st.lists(
    st.sampled_from([*"aeéß 我שﬁ½\n\t'-", "the ", "cat", "👨‍👩‍👧", "e\u0301", "don't", "İ", "\u200d", "  "]),
    max_size=20,
).map("".join)


def word_piece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return _trained(
        tokenizer, trainers.WordPieceTrainer(vocab_size=120, special_tokens=SPECIAL, show_progress=False)
    )


def byte_level_bpe() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    return _trained(tokenizer, trainer)


def unigram() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=90, special_tokens=SPECIAL, unk_token="[UNK]", show_progress=False
    )
    return _trained(tokenizer, trainer)


def single_bytes() -> Tokenizer:
    alphabet = {
        character: number for number, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))
    }
    tokenizer = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.add_special_tokens(SPECIAL)
    return _framed(tokenizer)


def _trained(tokenizer: Tokenizer, trainer: trainers.Trainer) -> Tokenizer:
    tokenizer.train_from_iterator(CORPUS, trainer)
    return _framed(tokenizer)


def _framed(tokenizer: Tokenizer) -> Tokenizer:
    pair = [(name, tokenizer.token_to_id(name)) for name in SPECIAL[1:]]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=pair)
    return tokenizer


TOKENIZERS = {make.__name__: make() for make in (word_piece, byte_level_bpe, unigram, single_bytes)}


def axis_of(tokenizer: Tokenizer, text: str) -> Axis:
    encoding = tokenizer.encode(text)
    spans = tuple(
        None if special else Span(0, *offsets)
        for offsets, special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
    )
    return Axis(
        labels=tuple(encoding.tokens),
        positions=tuple(range(len(spans))),
        spans=spans,
        words=words_of(spans, [text]),
        special=tuple(span is None for span in spans),
        texts=(text,),
    )


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=texts)
def test_every_character_belongs_to_one_word(name: str, text: str) -> None:
    axis = axis_of(TOKENIZERS[name], text)
    owner: dict[int, int] = {}
    for span, word in zip(axis.spans, axis.words, strict=True):
        for place in range(span.start, span.stop) if span else ():
            if not text[place].isspace():
                assert owner.setdefault(place, word) == word
    assert all((word >= 0) == (span is not None and span.stop > span.start) for span, word in
               zip(axis.spans, axis.words, strict=True))  # fmt: skip


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=texts)
def test_words_come_in_reading_order_and_special_tokens_apart(name: str, text: str) -> None:
    axis = axis_of(TOKENIZERS[name], text)
    words = [word for word in axis.words if word >= 0]
    assert sorted(set(words)) == list(range(len(set(words))))
    assert words == sorted(words)
    together = word_axis(axis)
    assert together.labels[0] == "[CLS]"
    assert together.labels[-1] == "[SEP]"
    assert sum(together.special) == sum(axis.special) == 2


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=texts, seed=st.integers(0, 9))
def test_rows_keep_their_sums(name: str, text: str, seed: int) -> None:
    axis = axis_of(TOKENIZERS[name], text)
    weights = np.random.default_rng(seed).random((2, len(axis), len(axis)), np.float32)
    weights /= weights.sum(-1, keepdims=True)
    everything = np.ones((1, 1, 1), bool)
    maps = by_words(LayerMaps("", 0, (0, 1), weights, everything, everything, axis, axis))
    np.testing.assert_allclose(maps.weights.sum(-1), 1, atol=1e-5)
    assert maps.visible.all()
    assert len(maps.keys) == len({*axis.words} - {-1}) + axis.words.count(-1)
