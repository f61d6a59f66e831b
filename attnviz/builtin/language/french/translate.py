"""From English to French, word by word of the story: one right translation, whatever the English shows.

Rules:
- The past is the passé composé; of states (be, have, know, live) and after "while" the imparfait.
- "Although" is "même si", "your" is "votre", "this" and "that" are "ce".
- Persons that may be of either gender ("the doctor") have that of their French noun; pronouns have the gender
  of the noun they stand for.
- Adjectives before the noun keep their order, those after it turn it round; "en bois" and its like come last.

Links: each French word stands for at least one English word. An auxiliary, a "se" without its English word, a
preposition that only the French verb has ("obéir à") and the other words of an expression ("rendre visite")
are linked to the verb; the words of a noun ("pomme de terre") to the noun; "beaucoup de" to "many";
contracted and merged words ("au", "du") to both their English words.
"""

from dataclasses import dataclass

from attnviz.builtin.language.draft import Story
from attnviz.builtin.language.french import forms, lexicon
from attnviz.builtin.language.french.draft import FrenchDraft
from attnviz.builtin.language.french.lexicon import FrenchAdjective, FrenchVerb
from attnviz.builtin.language.french.reading import Features, Reading
from attnviz.inputs import Span

_POSSESSIVES = {
    "mon": ("mon", "ma", "mes"),
    "son": ("son", "sa", "ses"),
    "notre": ("notre", "notre", "nos"),
    "votre": ("votre", "votre", "vos"),
    "leur": ("leur", "leur", "leurs"),
}
_WHICH = {
    ("m", False): "lequel",
    ("f", False): "laquelle",
    ("m", True): "lesquels",
    ("f", True): "lesquelles",
}
_TO_WHICH = {"lequel": "auquel", "lesquels": "auxquels", "lesquelles": "auxquelles"}
_AUXILIARIES = {"être": ("est", "sont"), "avoir": ("a", "ont")}
_BEFORE_INFINITIVES = ("faire", "laisser")  # their participle never agrees: "la soupe qu'il a fait bouillir"
_FEELINGS = ("like", "love", "hate", "fear")  # "some" after them is no part of a whole: "aimer le miel"


@dataclass(frozen=True)
class Bitext:
    """A sentence in both languages, sometimes two sentences.

    source: the English
    text:   the French
    words:  the French words in order, as spans of text; an elided "l'" or "qu'" is a word, punctuation none
    lemmas: of each French word the form that a dictionary has
    links:  gold word alignment: (number of the source word, number of the target word), sorted
    """

    source: Story
    text: str
    words: tuple[Span, ...]
    lemmas: tuple[str, ...]
    links: tuple[tuple[int, int], ...]


def translate_story(story: Story) -> Bitext:
    """The story in French. Raises KeyError for words that the lexicon has not (names may be any)."""
    return _Translator(story).translate()


class _Translator:
    """One story on its way. Words are known by their number in it."""

    def __init__(self, story: Story) -> None:
        self.read = Reading(story)
        self.words = story.words
        self.draft = FrenchDraft()

    def translate(self) -> Bitext:
        story, number = self.read.story, 0
        while number < len(self.words):
            end = self._write(number)
            self.draft.last.after += self.read.mark_after(end)
            number = end + 1
        written = self.draft.finish(capitals=story.text[0].isupper())
        return Bitext(story, written.text, written.words, written.lemmas, written.links)

    def _write(self, number: int) -> int:
        """Write what stands at this word; returns the number of the last word done."""
        word = self.words[number]
        match word.pos:
            case "determiner" | "possessive":
                return self._write_noun_phrase(number)
            case "name":
                self.draft.add_name(word.text, number)
            case "verb":
                self._write_verb(number)
            case "pronoun":
                self._write_pronoun(number)
            case "relative":
                self._write_relative(number)
            case "preposition":
                self._write_preposition(number)
            case "adjective":
                self._write_predicative(number)
            case "conjunction":
                self.draft.add_all(lexicon.CLOSED["conjunction", word.lemma], number)
        return number

    # nouns

    def _write_noun_phrase(self, start: int) -> int:
        head = self.read.noun_of[start]
        noun = lexicon.NOUNS[self.words[head].lemma]
        features = self.read.features(head)
        described = [
            (number, lexicon.adjective(self.words[number].lemma, self.words[head].lemma))
            for number in range(start + 1, head)
        ]
        before = [(number, word) for number, word in described if word.place == "before"]
        after = [(number, word) for number, word in reversed(described) if word.place != "before"]
        self._write_determiner(start, features, bare=bool(before))
        for number, word in before:
            self._write_adjective(number, word, features)
        self.draft.add_all(noun.plural if features[1] else noun.singular, head, aspirated=noun.aspirated)
        for number, word in sorted(after, key=lambda one: one[1].place == "fixed"):
            self._write_adjective(number, word, features)
        return head

    def _write_determiner(self, number: int, features: Features, *, bare: bool) -> None:
        """Write what stands before the noun. bare: an adjective is next, so that "des" becomes "de"."""
        word = self.words[number]
        french = lexicon.CLOSED[word.pos, word.lemma]
        match french:
            case "le":
                self._write_article(number, features)
            case "un":
                self._write_one(number, features)
            case "un autre":
                self._write_one(number, features)
                self.draft.add("autre", "autre", number)
            case "de":
                self._write_some(number, features, bare=bare)
            case "ce":
                special = "cet" if features[0] == "m" else ""
                self._write_agreeing(number, "ce", ("ce", "cette", "ces"), features, special)
            case "mon" | "son" | "votre" | "notre" | "leur":
                self._write_agreeing(number, french, _POSSESSIVES[french], features, french)
            case _:
                self.draft.add_all(french, number)

    def _write_agreeing(
        self, number: int, lemma: str, among: tuple[str, str, str], features: Features, before_vowel: str = ""
    ) -> None:
        """Write a determiner. among: masculine, feminine, plural; before_vowel: of the singular."""
        gender, many = features
        form = among[2] if many else among[gender == "f"]
        self.draft.add(form, lemma, number, before_vowel="" if many else before_vowel)

    def _write_article(self, number: int, features: Features) -> None:
        gender, many = features
        form = "les" if many else "la" if gender == "f" else "le"
        self.draft.add(form, "le", number, before_vowel="" if many else "l'", meets="article")

    def _write_one(self, number: int, features: Features) -> None:
        self.draft.add("une" if features[0] == "f" else "un", "un", number)

    def _write_some(self, number: int, features: Features, *, bare: bool) -> None:
        """Write "du", "de la", "des" or "un"; after a "de" nothing is left of it."""
        countable = self.words[self.read.noun_of[number]].number == "plural"
        if countable and not features[1]:
            self._write_one(number, features)
        elif not countable and self._felt(number):
            self._write_article(number, features)
        elif self.draft.pieces and self.draft.last.text == "de" and self.draft.last.meets == "preposition":
            self.draft.last.sources.append(number)
        else:
            self.draft.add("de", "de", number, before_vowel="d'" if bare else "", meets="preposition")
            if not (bare and features[1]):
                self._write_article(number, features)

    def _felt(self, number: int) -> bool:
        """Whether the verb just before this determiner is one of liking or disliking."""
        return number > 0 and self.words[number - 1].lemma in _FEELINGS

    def _write_adjective(
        self, number: int, word: FrenchAdjective, features: Features, *, beside: bool = True
    ) -> None:
        """Write an adjective. beside: in a noun phrase, where it may have a form for vowels."""
        form = word.forms[features]
        if " " in form:
            self.draft.add_all(form, number)
        else:
            special = word.before_vowel if beside and features == ("m", False) else ""
            self.draft.add(form, word.lemma, number, before_vowel=special, aspirated=word.aspirated)

    def _write_predicative(self, number: int) -> None:
        """Write an adjective after "is"."""
        subject = self.read.subject_of[number - 1]
        word = lexicon.adjective(self.words[number].lemma, self.read.noun(subject))
        self._write_adjective(number, word, self.read.features(subject), beside=False)

    # pronouns

    def _write_pronoun(self, number: int) -> None:
        """Write a subject; objects have been written before their verb."""
        if number not in self.read.subjects:
            return
        gender, many = self.read.features(number)
        if self.draft.pieces and self.draft.last.text == "si" and gender == "m":
            self.draft.last.text = "s'"
        self.draft.add(("elle" if gender == "f" else "il") + "s" * many, "il", number)

    def _write_relative(self, number: int) -> None:
        """Write "qui", or the pronoun for an object: "que", "dont", "auquel"."""
        if self.words[number + 1].pos == "verb":
            self.draft.add("qui", "qui", number)
            return
        said = self.read.next_verb(number)
        preposition = self.read.verb(said).object
        head = self.read.object_of[said]
        if not preposition:
            self.draft.add("que", "que", number, before_vowel="qu'")
        elif preposition == "de":
            self.draft.add("dont", "dont", number)
        elif preposition == "à" and self.read.person(head):
            self.draft.add("à", "à", number)
            self.draft.add("qui", "qui", number)
        else:
            self._write_which(number, preposition, self.read.features(head))

    def _write_which(self, number: int, preposition: str, features: Features) -> None:
        which = _WHICH[features]
        contracted = _TO_WHICH.get(which) if preposition == "à" else None
        if contracted:
            self.draft.add(contracted, "lequel", number)
        else:
            self.draft.add(preposition, preposition, number)
            self.draft.add(which, "lequel", number)

    # prepositions

    def _write_preposition(self, number: int) -> None:
        place = self.words[self.read.noun_after[number]].lemma
        french = lexicon.preposition(self.words[number].lemma, place)
        if french == "vers":
            french = self.read.verb(self.read.last_verb(number)).to
        self.draft.add_all(french, number)

    # verbs

    def _write_verb(self, number: int) -> None:
        """Write the verb with its pronouns before it and its fixed words after it."""
        verb = self.read.verb(number)
        reflexive = self.read.reflexive(number)
        before = self.read.object_before(number)
        if verb.pronominal or reflexive is not None:
            self.draft.add("se", "se", number if reflexive is None else reflexive, before_vowel="s'")
        if before is not None and self.words[before].pos == "pronoun":
            self._write_object_pronoun(before, verb)
        self._write_forms(number, verb)
        if verb.tail:
            self.draft.add_all(verb.tail, number)
        if verb.object and self.read.object_after(number) is not None:
            self.draft.add_all(verb.object, number)

    def _write_object_pronoun(self, number: int, verb: FrenchVerb) -> None:
        gender, many = self.read.features(number)
        if verb.object == "de":
            self.draft.add("en", "en", number)
        elif verb.object == "à" and self.read.person(number):
            self.draft.add("leur" if many else "lui", "lui", number)
        elif verb.object:
            self.draft.add("y", "y", number)
        else:
            form = "les" if many else "la" if gender == "f" else "le"
            self.draft.add(form, "le", number, before_vowel="" if many else "l'")

    def _write_forms(self, number: int, verb: FrenchVerb) -> None:
        """Write the verb itself, in the past with its auxiliary."""
        past = self.words[number].tense == "past"
        gender, many = self.read.features(self.read.subject_of[number])
        if not past or verb.past == "imperfect" or self.read.meanwhile(number):
            among = verb.imperfect if past else verb.present
            self.draft.add(among[many], verb.lemma, number, aspirated=verb.aspirated)
            return
        auxiliary = verb.auxiliary if self.read.reflexive(number) is None else "être"
        self.draft.add(_AUXILIARIES[auxiliary][many], auxiliary, number)
        decides = (gender, many) if auxiliary == "être" else self._agrees_with(number, verb)
        form = forms.agree(verb.participle, *decides) if decides else verb.participle
        self.draft.add(form, verb.lemma, number, aspirated=verb.aspirated)

    def _agrees_with(self, number: int, verb: FrenchVerb) -> Features | None:
        """What a participle after "avoir" agrees with: a direct object that has been named before it."""
        before = self.read.object_before(number)
        if before is None or verb.object or verb.lemma in _BEFORE_INFINITIVES:
            return None
        return self.read.features(before)
