"""Gold relations between the words of a text: the known truth that a head's weights are tested against."""

from dataclasses import dataclass

from attnviz.inputs import Span

RELATIONS = (
    "determiner-noun",
    "adjective-noun",
    "verb-subject",
    "verb-object",
    "preposition-object",
    "pronoun-antecedent",
)


@dataclass(frozen=True)
class Relation:
    """One gold link: the word that looks, and the word that it should look at.

    name: one of RELATIONS, the looking word first
    """

    name: str
    source: Span
    target: Span

    def __post_init__(self) -> None:
        if self.name not in RELATIONS:
            raise ValueError(f"no relation is called {self.name!r}: there are {', '.join(RELATIONS)}")
