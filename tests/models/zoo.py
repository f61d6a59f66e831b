"""Small random models of every family, saved to directories with tokenizers trained on the spot."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

CORPUS = [
    "The cat sat on the mat because it was tired.",
    "A dog that nobody owned slept under the old wooden table.",
    "Unbelievable things happen in cafés: 日本語 and naïve coöperation.",
    "def area(width, height):\n    return width * height\n",
]
TEXT = "The cat sat on the mat because it was tired and nobody owned it."

SIZE = 64  # of the hidden states
HEADS = 4
VOCABULARY = 700

_BASE = {"hidden_size": SIZE, "num_hidden_layers": 3, "num_attention_heads": HEADS, "intermediate_size": 96}
_GROUPED = {**_BASE, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 128}
_SLIDING = {"sliding_window": 5, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
_NO_TOKENS = dict.fromkeys(
    ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 0
)

CONFIGS: dict[str, dict[str, Any]] = {
    "bert": {**_BASE, "max_position_embeddings": 128},
    "roberta": {**_BASE, "max_position_embeddings": 130, "type_vocab_size": 1, "pad_token_id": 1},
    "distilbert": {
        "dim": SIZE,
        "n_layers": 3,
        "n_heads": HEADS,
        "hidden_dim": 96,
        "max_position_embeddings": 128,
    },
    "albert": {**_BASE, "embedding_size": 32, "max_position_embeddings": 128},  # one module is all layers
    "modernbert": {**_BASE, "local_attention": 6, "global_attn_every_n_layers": 2, **_NO_TOKENS},
    "gpt2": {"n_embd": SIZE, "n_layer": 3, "n_head": HEADS, "n_positions": 128},
    "gpt_neox": {**_BASE, "max_position_embeddings": 128},
    "llama": _GROUPED,
    "mistral": {**_GROUPED, "sliding_window": 5},
    "qwen2": {**_GROUPED, **_SLIDING, "use_sliding_window": True},
    "qwen3": _GROUPED,
    "gemma2": {**_GROUPED, **_SLIDING, "attn_logit_softcapping": 3.0},
    "gemma3_text": {**_GROUPED, **_SLIDING, "attn_logit_softcapping": 3.0},
    "gpt_oss": {**_GROUPED, **_SLIDING, "num_local_experts": 2, "num_experts_per_tok": 1},
}
_SIDES = {
    **{f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in
       (("layers", 2), ("attention_heads", HEADS), ("ffn_dim", 96))},
    "d_model": SIZE,
    "max_position_embeddings": 128,
}  # fmt: skip
_T5 = {"d_model": SIZE, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_heads": HEADS}
_GPT = {"n_embd": SIZE, "n_layer": 2, "n_head": HEADS, "n_positions": 128}

OTHERS: dict[str, dict[str, Any]] = {
    "t5": _T5,
    "bart": _SIDES,
    "marian": {**_SIDES, "pad_token_id": 1, "decoder_start_token_id": 1},
    "bloom": {"hidden_size": SIZE, "n_layer": 2, "n_head": HEADS},
    "falcon": _BASE,
    "mpt": {"d_model": SIZE, "n_layers": 2, "n_heads": HEADS, "max_seq_len": 128},
    "gptj": {**_GPT, "rotary_dim": 8},
    "codegen": {**_GPT, "rotary_dim": 8},
    "gpt_neo": {
        "hidden_size": SIZE, "num_layers": 2, "num_heads": HEADS, "window_size": 5,
        "attention_types": [[["global", "local"], 1]], "max_position_embeddings": 128,
    },
    "deberta": {**_BASE, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "deberta-v2": {
        **_BASE, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_buckets": 8,
    },
    "mpnet": {**_BASE, "max_position_embeddings": 130},
    "funnel": {
        "d_model": SIZE, "n_head": HEADS, "d_head": 16, "d_inner": 96, "block_sizes": [1, 1],
        "num_decoder_layers": 1, "architectures": ["FunnelModel"],
    },
    "xlnet": {"d_model": SIZE, "n_layer": 2, "n_head": HEADS, "d_inner": 96},
}  # fmt: skip
"""Families that do not, or not all, go through transformers' attention interface as one stack."""

BANDED: dict[str, dict[str, Any]] = {
    "longformer": {**_BASE, "attention_window": 4, "max_position_embeddings": 130},
    "led": {**_SIDES, "attention_window": 4, "max_encoder_position_embeddings": 128,
            "max_decoder_position_embeddings": 128},
    "big_bird": {**_BASE, "block_size": 4, "num_random_blocks": 1, "max_position_embeddings": 128},
    "longt5": {**_T5, "local_radius": 3},
    "reformer": {
        "hidden_size": SIZE, "num_attention_heads": HEADS, "attention_head_size": 16,
        "attn_layers": ["local", "local"], "local_attn_chunk_length": 4, "feed_forward_size": 96,
        "axial_pos_shape": [8, 16], "axial_pos_embds_dim": [32, 32], "max_position_embeddings": 128,
    },
}  # fmt: skip
"""Families that compute some pairs only, in a layout of their own."""

WORDPIECES = ("bert", "distilbert", "albert", "modernbert")
CAUSAL = ("gpt2", "gpt_neox", "llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text", "gpt_oss")
WINDOWED = ("mistral", "qwen2", "gemma2", "gemma3_text", "gpt_oss")
CAPPED = ("gemma2",)


def save_model(family: str, directory: Path) -> Path:
    """A random model with a tokenizer; its attention is far from flat."""
    tokenizer = wordpiece() if family in WORDPIECES else byte_bpe()
    config = AutoConfig.for_model(family, vocab_size=VOCABULARY, **{**CONFIGS, **OTHERS, **BANDED}[family])
    torch.manual_seed(7)
    model = AutoModel.from_config(config)
    sharpen(model)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


_PROJECTIONS = (
    "query", "key", "q_lin", "k_lin", "q_proj", "k_proj", "query_key_value", "Wqkv", "in_proj", "query_proj",
    "key_proj", "qkv_proj", "query_global", "key_global", "relative_attention_bias",
)  # fmt: skip


def sharpen(model: torch.nn.Module) -> None:
    """Scale the projections to queries and keys, or what normalises them, so that attention is not flat."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            part = name.removesuffix(".weight").rpartition(".")[2]
            if part in ("q_norm", "k_norm"):
                weight.add_(1.5)
            elif part in _PROJECTIONS:
                weight.mul_(12)
            elif part in ("q", "k"):
                weight.mul_(4 if "Attention" in name else 12)  # T5 does not scale its scores
            elif part == "c_attn":
                weight[:, : 2 * SIZE].mul_(12)
            elif part == "sinks":
                weight.copy_(torch.linspace(-1, 2, len(weight)))


def wordpiece() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    _train(tokenizer, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = dict(
        zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True)
    )
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, **names)


def byte_bpe() -> PreTrainedTokenizerFast:
    """As GPT-2's: bytes written as characters."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>", "<|user|>", "<|end|>"]
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    _train(tokenizer, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", extra_special_tokens=special[1:]
    )


def unigram() -> PreTrainedTokenizerFast:
    """As XLM-R's: blanks written as ▁, compatibility characters normalised."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<unk>", "<s>", "</s>"]
    _train(tokenizer, trainers.UnigramTrainer(vocab_size=150, special_tokens=special, unk_token="<unk>"))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>")


def byte_fallback() -> PreTrainedTokenizerFast:
    """As Llama 2's: a blank put before the text, bytes where the vocabulary lacks a character."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    special = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    _train(tokenizer, trainers.BpeTrainer(vocab_size=450, special_tokens=special))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>")


def _train(tokenizer: Tokenizer, trainer: Any) -> None:
    trainer.show_progress = False
    tokenizer.train_from_iterator(CORPUS * 5, trainer)


TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "wordpiece": wordpiece,
    "byte_bpe": byte_bpe,
    "unigram": unigram,
    "byte_fallback": byte_fallback,
}
