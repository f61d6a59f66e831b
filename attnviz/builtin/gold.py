"""Texts of the builtin language with their gold relations, of frames and pairs that training never has."""

from itertools import islice

from attnviz.analysis.relations import Corpus, Related, Relation, Tagged
from attnviz.builtin.encoder.questions import SEED, asked_name
from attnviz.builtin.language import Story, stories

TEXTS = 300


def gold(texts: int = TEXTS) -> Corpus:
    """So many stories, always the same ones. Source is the word that looks: verb, pronoun, adjective."""
    told = enumerate(islice(stories(SEED, split="test"), texts), 1)
    return Corpus("builtin", tuple(related(story, f"builtin-{number}") for number, story in told))


def related(story: Story, name: str) -> Related:
    """A story with its relations, named as they are asked about."""
    words = {word.span: word for word in story.words}
    relations = (
        Relation(asked_name(link, words[link.source]), link.source, link.target) for link in story.relations
    )
    tagged = (Tagged(word.span, word.pos) for word in story.words)
    return Related(story.text, tuple(relations), tuple(tagged), name)
