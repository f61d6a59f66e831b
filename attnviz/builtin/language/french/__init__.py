"""The French of the builtin language: every sentence with its translation and gold word alignment."""

from attnviz.builtin.language.french.baseline import word_for_word
from attnviz.builtin.language.french.bitexts import bitexts
from attnviz.builtin.language.french.translate import Bitext, translate_story

__all__ = ["Bitext", "bitexts", "translate_story", "word_for_word"]
