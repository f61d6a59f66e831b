"""A French sentence as it is written: words one after the other, then elision, contraction and text."""

from dataclasses import dataclass, field

from attnviz.builtin.language.french.forms import begins_with_vowel
from attnviz.inputs import Span

_CONTRACTED = {("à", "le"): "au", ("à", "les"): "aux", ("de", "le"): "du", ("de", "les"): "des"}


@dataclass(eq=False, slots=True)
class Piece:
    """A French word whose place in the text is not known yet.

    sources:      numbers of the English words it stands for
    before_vowel: the form it takes before a vowel ("l'", "cet", "bel"), if that is another
    vowel:        whether it begins with one itself
    meets:        "preposition" (à, de) or "article" (le, les): one of each, in this order, become one word
    after:        the punctuation that follows it
    """

    text: str
    lemma: str
    sources: list[int]
    before_vowel: str = ""
    vowel: bool = False
    meets: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """The finished text with its words, their lemmas, and (source word, target word) links."""

    text: str
    words: tuple[Span, ...]
    lemmas: tuple[str, ...]
    links: tuple[tuple[int, int], ...]


@dataclass(eq=False)
class FrenchDraft:
    """The words so far."""

    pieces: list[Piece] = field(default_factory=list)

    def add(
        self,
        text: str,
        lemma: str,
        *sources: int,
        before_vowel: str = "",
        aspirated: bool = False,
        meets: str = "",
    ) -> None:
        """Write one word."""
        vowel = begins_with_vowel(text, aspirated=aspirated)
        self.pieces.append(Piece(text, lemma, list(sources), before_vowel, vowel, meets))

    def add_all(self, text: str, source: int, *, aspirated: bool = False) -> None:
        """Write fixed words ("à côté de", "faire de l'exercice"): the last "à" or "de" meets an article.

        aspirated: whether the first of them begins with an h that counts as a consonant
        """
        *first, last = text.replace("'", "' ").split(" ")
        for word in first:
            self.add(word, word, source, aspirated=aspirated)
        if last in ("à", "de"):
            self.add(last, last, source, before_vowel="d'" if last == "de" else "", meets="preposition")
        else:
            before_vowel = "qu'" if last == "que" else ""
            self.add(last, last, source, before_vowel=before_vowel, aspirated=aspirated)

    def add_name(self, name: str, source: int) -> None:
        """Write a name as it is; "que Hugo", "près de Yves", but "qu'Anna"."""
        self.add(name, name, source, aspirated=True)
        self.pieces[-1].vowel = begins_with_vowel(name, aspirated=True)

    @property
    def last(self) -> Piece:
        return self.pieces[-1]

    def finish(self, *, capitals: bool) -> Written:
        """The text in ordinary spelling. capitals: False for lower case throughout."""
        self._elide()
        self._contract()
        text, words, begins = "", [], capitals
        for piece in self.pieces:
            shown = piece.text if capitals else piece.text.lower()
            if begins:
                shown = shown[0].upper() + shown[1:]
            words.append(Span(0, len(text), len(text) + len(shown)))
            text += shown + piece.after + ("" if shown.endswith("'") else " ")
            begins = capitals and "." in piece.after
        return Written(text.rstrip(" "), tuple(words), tuple(p.lemma for p in self.pieces), self._links())

    def _elide(self) -> None:
        for piece, follower in zip(self.pieces, self.pieces[1:], strict=False):
            if piece.before_vowel and follower.vowel and not piece.after:
                piece.text = piece.before_vowel

    def _contract(self) -> None:
        kept: list[Piece] = []
        for piece in self.pieces:
            before = kept[-1] if kept else None
            if before and before.meets == "preposition" and piece.meets == "article":
                contracted = _CONTRACTED.get((before.text, piece.text))
                if contracted:
                    before.text = contracted
                    before.sources += piece.sources
                    continue
            kept.append(piece)
        self.pieces = kept

    def _links(self) -> tuple[tuple[int, int], ...]:
        return tuple(
            sorted(
                (source, number) for number, piece in enumerate(self.pieces) for source in set(piece.sources)
            )
        )
