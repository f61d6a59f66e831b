"""Small random encoder-decoders of the families that translate, with tokenizers trained on the spot."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSeq2SeqLM, PreTrainedModel

from tests.models import zoo

_SIDES = {
    "d_model": 64, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 96, "decoder_ffn_dim": 96,
    "max_position_embeddings": 128, "forced_eos_token_id": None,
}  # fmt: skip
_T5 = {"d_model": 64, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4,
       "tie_word_embeddings": False}  # fmt: skip
SIZES: dict[str, dict[str, Any]] = {
    "marian": _SIDES,
    "t5": _T5,
    "bart": _SIDES,
    "mbart": _SIDES,
    "m2m_100": _SIDES,
}


def translator(family: str, vocabulary: int, *, seed: int = 7, **changes: Any) -> PreTrainedModel:
    """A model of a family that translates at random, its attention far from flat.

    vocabulary: how many tokens it knows: those of its tokenizer, and whatever it writes is a text
    """
    torch.manual_seed(seed)
    tokens = {"bos_token_id": 0, "eos_token_id": None, "pad_token_id": 0, "decoder_start_token_id": 0}
    sizes = {**tokens, **SIZES[family], **changes, "vocab_size": vocabulary}
    model = AutoModelForSeq2SeqLM.from_config(AutoConfig.for_model(family, **sizes)).eval()
    model.generation_config.no_repeat_ngram_size = 1  # else a random model writes one token again and again
    zoo.sharpen(model)
    return model


def save_translator(family: str, directory: Path, **changes: Any) -> Path:
    """The same in a directory, with a tokenizer that writes bytes as characters."""
    tokenizer = zoo.byte_bpe()
    translator(family, len(tokenizer), **changes).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory
