"""How our masked language models read."""

from attnviz.builtin.encoder.model import MaskedLanguageModel
from attnviz.builtin.tokenizer import CLS, SEP
from attnviz.models.builtin.text import Manner

ENCODER = Manner(MaskedLanguageModel, "encoder.blocks", (CLS,), (SEP,), trained=80)
