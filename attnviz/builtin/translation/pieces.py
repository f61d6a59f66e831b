"""The tokenizer of the translators: one for both languages, of byte-level pieces (Sennrich et al. 2016).

A word that no piece holds becomes smaller ones, in the end its bytes, and case is kept: so a name that nobody
has seen can be read, and written as it is. An elided word ("l'", "qu'") is a word by itself.
"""

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing

PAD, START, END = range(3)
"""Ids of the special tokens: a target begins with one, and both texts end with the other."""

SPECIAL = {"[PAD]": PAD, "[START]": START, "[END]": END}

_WORD = Regex(r" ?\p{L}+'?| ?\p{N}+| ?[^\s\p{L}\p{N}]+| ")


def train_pieces(texts: Iterable[str], *, vocabulary: int) -> Tokenizer:
    """A tokenizer with that many pieces, the commonest of the texts; the same texts give the same one."""
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Strip(),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Prepend(" "),  # the first word is a word like others
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_WORD, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        show_progress=False,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = TemplateProcessing(single="$A [END]", special_tokens=list(SPECIAL.items()))
    return tokenizer
