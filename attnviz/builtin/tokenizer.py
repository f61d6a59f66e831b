"""The tokenizer of the models that ship: byte-level pieces (Sennrich et al. 2016; Radford et al. 2019).

Every text can be encoded: a character that no piece holds becomes its bytes. "The" is "the".
"""

from collections.abc import Iterable

from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing

PAD, CLS, SEP, MASK = range(4)
"""Ids of the special tokens."""

_SPECIAL = {"[PAD]": PAD, "[CLS]": CLS, "[SEP]": SEP, "[MASK]": MASK}


def train_tokenizer(texts: Iterable[str], *, vocabulary: int) -> Tokenizer:
    """A tokenizer with that many pieces, the commonest of the texts; the same texts give the same one."""
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        show_progress=False,
        # a hole takes the blank before it along, as a word does
        special_tokens=[AddedToken(name, special=True, lstrip=name == "[MASK]") for name in _SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=list(_SPECIAL.items())
    )
    return tokenizer
