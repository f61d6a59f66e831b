"""Known relations between the words of a text: the truth that a head's weights are tested against."""

from dataclasses import dataclass

from attnviz.inputs import Span


@dataclass(frozen=True)
class Relation:
    """One link between two pieces of a text, under any name: "nsubj", "coreference", "verb-subject".

    source: the piece that belongs to the other: the dependent, the pronoun
    target: the piece that it belongs to: its head, what it means
    """

    name: str
    source: Span
    target: Span


@dataclass(frozen=True)
class Tagged:
    """A piece of a text of some category, such as a part of speech."""

    span: Span
    category: str


@dataclass(frozen=True)
class Related:
    """A text with its relations.

    tagged: the pieces whose category is known: among them a guess looks for the nearest of a category
    name:   how messages call it
    """

    text: str
    relations: tuple[Relation, ...]
    tagged: tuple[Tagged, ...] = ()
    name: str = "text"

    def __post_init__(self) -> None:
        for relation in self.relations:
            for end in (relation.source, relation.target):
                check_span(end, self.text)
        for tagged in self.tagged:
            check_span(tagged.span, self.text)


@dataclass(frozen=True)
class Corpus:
    """Texts with relations, under the name that pictures and recipes give them."""

    name: str
    texts: tuple[Related, ...]

    @property
    def related(self) -> tuple[Related, ...]:
        """The texts that have any relation."""
        return tuple(text for text in self.texts if text.relations)


def check_span(span: Span, text: str) -> None:
    """Raises ValueError unless the span holds characters of the text that are not all blank."""
    if not 0 <= span.start < span.stop <= len(text):
        raise ValueError(
            f"characters {span.start} to {span.stop} are no piece of a text of {len(text)} characters"
        )
    if not text[span.start : span.stop].strip():
        raise ValueError(f"characters {span.start} to {span.stop} are blank")
