"""How our causal language models read."""

from attnviz.builtin.decoder.model import CausalLanguageModel
from attnviz.builtin.tokenizer import BEGIN
from attnviz.models.builtin.text import Manner

DECODER = Manner(
    CausalLanguageModel, "decoder.blocks", (BEGIN,), (), trained=128, guesses=CausalLanguageModel.scores
)
