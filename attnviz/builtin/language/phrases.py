"""Noun phrases, their modifiers and pronouns: the parts that sentences are put together from."""

from dataclasses import dataclass, field

from attnviz.builtin.language.draft import Draft
from attnviz.builtin.language.fits import (
    BE,
    Dice,
    Options,
    adjectives,
    belongs_to,
    determiners,
    nouns,
    numbers,
    prepositions,
    pronoun,
    subjects,
    surroundings,
    verbs,
)
from attnviz.builtin.language.frames import NP, Phrase, Split
from attnviz.builtin.language.lexicon import Noun, Verb

_TRIES = 6
_FIT_BOTH = ("the", "my", "your", "our", "some")  # determiners of either number


class StuckError(Exception):
    """No word fits here; the sentence has to be begun again."""


@dataclass(eq=False, slots=True)
class Mention:
    """Something that the story speaks of. word: the number of the noun that named it last, -1 before."""

    noun: Noun
    number: str
    word: int = -1

    @property
    def refers(self) -> str:
        """The pronoun for it; "person" if the word leaves open whether that is he or she."""
        if self.number == "plural":
            return "they"
        return {"m": "he", "f": "she", "n": "it", "c": "person"}[self.noun.gender]


def alike(one: Mention, other: Mention) -> bool:
    """Whether a pronoun for the one could be taken for the other."""
    pair = {one.refers, other.refers}
    return len(pair) == 1 or pair in ({"he", "person"}, {"she", "person"})


@dataclass(eq=False)
class Teller:
    """One story as it is told: its words so far, and whom it speaks of.

    guarded: those that pronouns will stand for; further nouns differ from them in gender or number
    """

    dice: Dice
    topic: str
    split: Split
    tense: str
    draft: Draft = field(default_factory=Draft)
    mentions: list[Mention] = field(default_factory=list)
    guarded: list[Mention] = field(default_factory=list)

    def fresh(self, options: Options[Noun], *, singular: float = 0.5) -> Mention:
        """Something not spoken of yet, in a number that keeps it apart from the guarded ones.

        singular: how often it is one thing, if it could be several
        """
        for _ in range(_TRIES if options else 0):
            noun = self.dice.pick(options)
            if any(noun.lemma == mention.noun.lemma for mention in self.mentions):
                continue
            number = self.dice.pick(numbers(noun, singular))
            for choice in (number, *(other for other in numbers(noun).values if other != number)):
                mention = Mention(noun, choice)
                if not any(alike(mention, guarded) for guarded in self.guarded):
                    return mention
        raise StuckError

    def fresh_subject(self, phrase: Phrase, uses: tuple[str, ...], *, meant: bool) -> Mention:
        """Something new that can do all of this. meant: a pronoun will stand for it."""
        options = subjects(uses, self.topic, self.split, "name" if phrase.kind == "name" else "noun")
        for _ in range(_TRIES):
            mention = self.fresh(options)
            if not meant or self.singled_out(mention):
                return mention
        raise StuckError

    def singled_out(self, mention: Mention) -> bool:
        """Whether its pronoun could mean no other noun so far."""
        others = (other for other in self.mentions if other.noun is not mention.noun)
        return mention.refers != "person" and not any(alike(mention, other) for other in others)

    def choose_verb(self, subject: Mention, use: str) -> Verb:
        """Something that the subject may do."""
        options = verbs(subject.noun, use, self.topic, self.split)
        if not options:
            raise StuckError
        return self.dice.pick(options)

    def conjugate(self, verb: Verb, subject: Mention, said_by: int) -> int:
        """Write the verb in agreement. said_by: the word that is its subject in this clause.

        Nothing but "is" is said twice in a story.
        """
        if verb is not BE and any(said == verb.lemma for _, said in self.draft.pairs):
            raise StuckError
        base, third, past, _ = verb.forms
        plural = subject.number == "plural"
        if verb is BE:
            form = ("are" if plural else "is") if self.tense == "present" else ("were" if plural else "was")
        else:
            form = past if self.tense == "past" else base if plural else third
        word = self.draft.add(form, verb.lemma, "verb", number=subject.number, tense=self.tense)
        self.draft.link("verb-subject", word, said_by)
        self.draft.pairs.append((subject.noun.lemma, verb.lemma))
        return word

    def write(self, mention: Mention, phrase: Phrase = NP, *, owner: Mention | None = None) -> None:
        """Write a noun and all that belongs to it, or a name. owner: who "her" is in "her dog"."""
        if mention.noun.pos == "name":
            self._write_noun(mention)
            return
        determiner = self.refer(owner, "possessive") if owner else self._write_determiner(mention)
        described = self._write_adjectives(mention, phrase.adjectives)
        self._write_noun(mention)
        self.draft.link("determiner-noun", determiner, mention.word)
        for word in described:
            self.draft.link("adjective-noun", word, mention.word)
        if phrase.after == "pp":
            self.write_place(self.fresh(surroundings(mention.noun, self.topic), singular=0.6))
        elif phrase.after:
            self._write_relative(mention, phrase.after)

    def _write_noun(self, mention: Mention) -> None:
        noun = mention.noun
        if mention.word < 0:
            self.mentions.append(mention)
        form = noun.forms[-1] if mention.number == "plural" else noun.forms[0]
        mention.word = self.draft.add(form, noun.lemma, noun.pos, number=mention.number, gender=noun.gender)

    def _write_determiner(self, mention: Mention) -> int:
        again = mention.word >= 0
        word = "the" if again else self.dice.pick(determiners(mention.noun, mention.number))
        return self.draft.add(word, word, "determiner", number="" if word in _FIT_BOTH else mention.number)

    def _write_adjectives(self, mention: Mention, count: int) -> list[int]:
        options = adjectives(mention.noun, "attributive")
        if count and not options:
            raise StuckError
        chosen = sorted((self.dice.pick(options) for _ in range(count)), key=lambda word: word.rank)
        if len({word.rank for word in chosen}) != count:
            raise StuckError
        return [self.draft.add(word.lemma, word.lemma, "adjective") for word in chosen]

    def refer(self, mention: Mention, pos: str, *, decided: bool = False) -> int:
        """Write a pronoun for something named before, of a pos that ``fits.pronoun`` knows.

        decided: what is said of it leaves no doubt, even if other nouns have its gender and number
        """
        if not decided and not self.singled_out(mention):
            raise StuckError
        word = self.draft.add(
            pronoun(mention.refers, pos),
            mention.refers,
            pos.removeprefix("object "),
            number=mention.number,
            gender=mention.noun.gender if mention.number == "singular" else "",
        )
        self.draft.link("pronoun-antecedent", word, mention.word)
        return word

    def write_place(
        self, place: Mention, *, moving: bool = False, tool: bool = False, being: bool = False
    ) -> None:
        """Write a prepositional phrase: at this place.

        moving: to it; tool: with it; being: after "is", where "with the hat" would not do
        """
        preposition = "with" if tool else self.dice.pick(prepositions(place.noun, moving))
        if being and preposition == "with":
            raise StuckError
        word = self.draft.add(preposition, preposition, "preposition")
        self.write(place, Phrase("np", int(self.dice.chance(0.45))))
        self.draft.link("preposition-object", word, place.word)

    def _write_relative(self, mention: Mention, shape: str) -> None:
        if shape == "orel":
            self._write_seen_by(mention)
            return
        word = "who" if mention.noun.kind == "person" and self.dice.chance(0.5) else "that"
        self.draft.add(word, word, "relative")
        verb = self.choose_verb(mention, "intransitive" if shape == "irel" else "transitive")
        said = self.conjugate(verb, mention, mention.word)
        if shape == "srel":
            self.write_object(verb, said, NP)

    def _write_seen_by(self, mention: Mention) -> None:
        """Write "that the girls see"."""
        seers = subjects(("transitive",), self.topic, self.split, "noun")
        for _ in range(_TRIES):
            seer = self.fresh(seers)
            verb = self.choose_verb(seer, "transitive")
            if mention.noun in nouns(verb.objects, self.topic):
                break
        else:
            raise StuckError
        self.draft.add("that", "that", "relative")
        self.write(seer)
        self.draft.link("verb-object", self.conjugate(verb, seer, seer.word), mention.word)

    def write_object(self, verb: Verb, said: int, phrase: Phrase, owner: Mention | None = None) -> Mention:
        """Write something that the verb (word number ``said``) is done to. owner: whose, for "her dog"."""
        options = nouns(verb.objects, self.topic)
        for _ in range(_TRIES):
            mention = self.fresh(options, singular=0.6)
            named = mention.noun.pos == "name"
            if named == (phrase.kind == "name") and (owner is None or belongs_to(mention.noun, owner.noun)):
                break
        else:
            raise StuckError
        self.write(mention, phrase, owner=owner)
        self.draft.link("verb-object", said, mention.word)
        return mention
