"""Foreign translators: what they write, in which language, and what they look at while they do."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    MarianTokenizer,
    MBart50Tokenizer,
    MBartTokenizer,
    NllbTokenizer,
    PreTrainedModel,
)

import attnviz
from attnviz.errors import InputError, ModelError
from attnviz.inputs import Sample
from attnviz.models.live import LiveSource
from attnviz.recipes import Choice
from tests.models import zoo
from tests.models.translators import SIZES, translator

SOURCE, TARGET = "The cat sat on the mat.", "A dog slept under the table."
MULTILINGUAL: dict[str, tuple[Any, str]] = {  # by the family of the model
    "mbart": (MBartTokenizer, "en_XX:ro_RO"),
    "mbart50": (MBart50Tokenizer, "en_XX:ro_RO"),
    "m2m_100": (NllbTokenizer, "eng_Latn:fra_Latn"),
}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return zoo.byte_bpe()


def multilingual(kind: str) -> tuple[PreTrainedModel, Any]:
    made, _ = MULTILINGUAL[kind]
    tokenizer = made().train_new_from_iterator(zoo.CORPUS * 5, 300, show_progress=False)
    model = translator(kind.removesuffix("50"), len(tokenizer), decoder_start_token_id=2, pad_token_id=1)
    return model, tokenizer


def eager(model: PreTrainedModel, read: Sequence[int], written: Sequence[int]) -> list[np.ndarray]:
    """The model's own cross-attention, all of the target put in at once."""
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        output = model(
            input_ids=torch.tensor([read]),
            decoder_input_ids=torch.tensor([written]),
            output_attentions=True,
            use_cache=False,
        )
    return [weights[0].numpy() for weights in output.cross_attentions]


@pytest.mark.parametrize("family", SIZES)
def test_a_translation_is_aligned_by_what_the_model_looks_at_when_all_of_it_is_put_in(
    family: str, tokenizer: Any
) -> None:
    model = translator(family, len(tokenizer))
    source = LiveSource(model, tokenizer=tokenizer)
    choice = Choice(layers="cross.2", mean="heads")
    found = attnviz.align(Sample(SOURCE, generate=12), model=source, choice=choice)
    read, wrote = (found.capture.axes["cross"][side] for side in (1, 0))
    own = eager(model, read.ids, wrote.ids)
    np.testing.assert_allclose(found.capture.maps["cross.2"].weights, own[2], atol=1e-4)  # T5's is sharp
    assert len(wrote) == 13
    [heatmap] = [each.heatmap for each in found.alignments]
    first = [token for token, word in enumerate(wrote.words) if word == 0]
    rows = own[2].mean(0)[[token - 1 for token in first]].mean(0)
    words = np.bincount(np.array(read.words)[np.array(read.words) >= 0], rows[np.array(read.words) >= 0])
    np.testing.assert_allclose(heatmap.weights[0, : len(words)], words, atol=1e-4)


@pytest.mark.parametrize("family", SIZES)
def test_a_target_that_is_given_is_put_in_behind_the_start_token(family: str, tokenizer: Any) -> None:
    model = translator(family, len(tokenizer))
    found = attnviz.align(SOURCE, TARGET, model=model, tokenizer=tokenizer, choice=Choice(layers="cross.0"))
    own = eager(model, tokenizer(SOURCE).input_ids, [0, *tokenizer(TARGET).input_ids])
    np.testing.assert_allclose(found.capture.maps["cross.0"].weights, own[0], atol=1e-5)
    assert found.target_words == ("A", "dog", "slept", "under", "the", "table", ".")
    np.testing.assert_allclose(found.alignments[3].weights.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", MULTILINGUAL)
def test_the_languages_are_those_that_were_named(kind: str) -> None:
    model, tokenizer = multilingual(kind)
    _, languages = MULTILINGUAL[kind]
    before = tokenizer(SOURCE).input_ids, tokenizer.tgt_lang
    source = LiveSource(model, tokenizer=tokenizer)
    wrote = source.encode(Sample(SOURCE, generate=6, languages=languages))
    given = source.encode(Sample(SOURCE, pair=TARGET, languages=languages))
    assert (tokenizer(SOURCE).input_ids, tokenizer.tgt_lang) == before
    tokenizer.src_lang, tokenizer.tgt_lang = languages.split(":")
    own = tokenizer(SOURCE, text_target=TARGET)
    target = tokenizer.convert_tokens_to_ids(tokenizer.tgt_lang)
    read, ids = (wrote.axes["cross"][side].ids for side in (1, 0))
    assert list(read) == own.input_ids
    assert target in ids[: 1 if kind == "mbart" else 2]
    labels = own.labels if kind != "mbart" else [target, *own.labels]
    start = [] if kind == "mbart" else [2]
    assert list(given.axes["cross"][0].ids) == [*start, *labels[:-1]]


def test_a_language_has_to_be_named_before_anything_is_written() -> None:
    model, tokenizer = multilingual("m2m_100")
    source = LiveSource(model, tokenizer=tokenizer)
    with pytest.raises(InputError, match="writes 202 languages: say which with --languages eng_Latn:TO"):
        source.encode(Sample(SOURCE, generate=6))
    given = source.encode(Sample(SOURCE, pair=TARGET))
    assert given.notes == ("the target is taken for eng_Latn: --languages FROM:TO says another",)


@pytest.mark.parametrize(
    ("languages", "told"),
    [("eng_Latn:fra_Latin", "knows no language fra_Latin: is it fra_Latn"),
     ("klingon:fra_Latn", "knows no language klingon: it knows ace_Arab, ")],
)  # fmt: skip
def test_a_language_that_is_not_known_is_refused(languages: str, told: str) -> None:
    model, tokenizer = multilingual("m2m_100")
    with pytest.raises(InputError, match=told):
        LiveSource(model, tokenizer=tokenizer).encode(Sample(SOURCE, pair=TARGET, languages=languages))


def test_a_model_of_one_language_has_none_to_choose(tokenizer: Any) -> None:
    model = translator("t5", len(tokenizer))
    with pytest.raises(InputError, match="has no languages to choose from: leave out --languages"):
        attnviz.align(Sample(SOURCE, languages="fr"), TARGET, model=model, tokenizer=tokenizer)
    with pytest.raises(InputError, match="builtin:encoder has no languages to choose from"):
        attnviz.capture(Sample(SOURCE, languages="fr"))


def test_an_end_is_only_where_the_model_writes_one(tokenizer: Any) -> None:
    """BART's settings put one at the greatest length, which here is what the user allows."""
    model = translator("bart", len(tokenizer), forced_eos_token_id=5, eos_token_id=5)
    model.generation_config.forced_eos_token_id = 5
    found = attnviz.align(Sample(SOURCE, generate=4), model=model, tokenizer=tokenizer)
    assert found.capture.axes["cross"][0].ids[-1] != 5
    assert found.notes[-1] == "stopped after 4 tokens: --generate N lets it write more"


def test_a_decoder_alone_has_nothing_to_align(tokenizer: Any) -> None:
    from tests.models.test_generation import writer

    with pytest.raises(
        ModelError, match="GPT2LMHeadModel has no cross-attention: align takes an encoder-dec"
    ):
        attnviz.align(SOURCE, TARGET, model=writer("gpt2"), tokenizer=tokenizer)


def marian(directory: Path) -> MarianTokenizer:
    """A tokenizer that cuts either side by a vocabulary of its own, trained on that side alone."""
    sentencepiece = pytest.importorskip("sentencepiece")
    known = ["</s>", "<unk>", "<pad>"]
    for side, text in {"source": "the dog sleeps", "target": "le chien dort"}.items():
        name = str(directory / side)
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([text] * 9), model_prefix=name, model_type="bpe", vocab_size=24
        )
        cut = sentencepiece.SentencePieceProcessor(model_file=f"{name}.model")
        known += [cut.id_to_piece(number) for number in range(3, cut.get_piece_size())]
    numbers = {piece: number for number, piece in enumerate(dict.fromkeys(known))}
    (directory / "vocab.json").write_text(json.dumps(numbers))
    return MarianTokenizer(
        source_spm=str(directory / "source.model"),
        target_spm=str(directory / "target.model"),
        vocab=str(directory / "vocab.json"),
    )


@pytest.mark.filterwarnings("ignore:Recommended")  # of a package that tidies quotation marks
def test_a_target_is_cut_by_the_tokenizer_of_its_own_side(tmp_path: Path) -> None:
    tokenizer = marian(tmp_path)
    own = tokenizer(text_target="le chien").input_ids
    assert own != tokenizer("le chien").input_ids
    model = translator("marian", len(tokenizer), decoder_start_token_id=2)
    found = attnviz.align("the dog", "le chien", model=model, tokenizer=tokenizer)
    assert list(found.capture.axes["cross"][0].ids) == [2, *own[:-1]]
    assert found.target_words == ("le", "chien")
    assert tokenizer("the dog").input_ids == list(found.capture.axes["cross"][1].ids)
