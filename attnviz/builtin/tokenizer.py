"""The tokenizer of the models that ship: byte-level pieces (Sennrich et al. 2016; Radford et al. 2019).

Every text can be encoded: a character that no piece holds becomes its bytes. "The" is "the".
"""

from collections.abc import Iterable, Sequence

from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing

PAD, CLS, SEP, MASK = range(4)
"""Ids of the special tokens of models that read a whole text."""

BEGIN = 1
"""Id of the token before each text for models that read from left to right; they have [PAD] too."""

_SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")


def train_tokenizer(
    texts: Iterable[str],
    *,
    vocabulary: int,
    special: Sequence[str] = _SPECIAL,
    single: str = "[CLS] $A [SEP]",
    pair: str | None = "[CLS] $A [SEP] $B [SEP]",
) -> Tokenizer:
    """A tokenizer with that many pieces, the commonest of the texts; the same texts give the same one.

    special:      the tokens of the model's own, numbered from 0
    single, pair: how they stand around one text, and around two
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        show_progress=False,
        # a hole takes the blank before it along, as a word does
        special_tokens=[AddedToken(name, special=True, lstrip=name == "[MASK]") for name in special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = TemplateProcessing(
        single=single, pair=pair, special_tokens=[(name, number) for number, name in enumerate(special)]
    )
    return tokenizer
