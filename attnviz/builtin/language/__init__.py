"""A small English of our own: sentences and stories, every one with its gold relations.

The words are in the TSV files, the structures in ``frames.py``; ``stories.py`` puts them together. A fifth
of the structures and one in eight pairs of subject and verb are held out, for testing on what is new.
"""

from attnviz.builtin.language.agreement import Agreement, agreement_items
from attnviz.builtin.language.draft import Story, Word
from attnviz.builtin.language.frames import held_out_frame, held_out_pair
from attnviz.builtin.language.lexicon import LEXICON
from attnviz.builtin.language.stories import stories

__all__ = [
    "LEXICON",
    "Agreement",
    "Story",
    "Word",
    "agreement_items",
    "held_out_frame",
    "held_out_pair",
    "stories",
]
