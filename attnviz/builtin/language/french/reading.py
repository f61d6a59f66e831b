"""What an English story says, as its translation needs it: who belongs to whom, and what each word means."""

from attnviz.builtin.language.draft import Story
from attnviz.builtin.language.french import lexicon
from attnviz.builtin.language.french.lexicon import FrenchVerb

Features = tuple[str, bool]
"""Gender ("m" or "f") and whether it is several."""


class Reading:
    """A story with its relations looked up. Words are known by their number in it.

    subject_of, object_of: of verbs
    noun_of, noun_after:   of determiners, of prepositions
    antecedent:            of pronouns, possessives and reflexives
    """

    def __init__(self, story: Story) -> None:
        self.story = story
        self.words = story.words
        number = {word.span: count for count, word in enumerate(story.words)}

        def linked(relation: str) -> dict[int, int]:
            links = (link for link in story.relations if link.name == relation)
            return {number[link.source]: number[link.target] for link in links}

        self.subject_of = linked("verb-subject")
        self.object_of = linked("verb-object")
        self.noun_of = linked("determiner-noun")
        self.noun_after = linked("preposition-object")
        self.antecedent = linked("pronoun-antecedent")
        self.subjects = frozenset(self.subject_of.values())

    def mark_after(self, number: int) -> str:
        """The punctuation that follows a word."""
        end = self.words[number].span.stop
        begin = self.words[number + 1].span.start if number + 1 < len(self.words) else len(self.story.text)
        return self.story.text[end:begin].strip()

    def meant(self, number: int) -> int:
        """The noun or name that a word is or stands for."""
        while number in self.antecedent:
            number = self.antecedent[number]
        return number

    def features(self, number: int) -> Features:
        """Gender and number in French of what a noun, a name or a pronoun means."""
        word = self.words[self.meant(number)]
        if word.pos == "name":
            return word.gender, False
        noun = lexicon.NOUNS[word.lemma]
        return noun.gender, (noun.number or word.number) == "plural"

    def noun(self, number: int) -> str:
        """The lemma of what a word means, for choosing a sense."""
        word = self.words[self.meant(number)]
        return lexicon.NAMED if word.pos == "name" else word.lemma

    def person(self, number: int) -> bool:
        """Whether a word means a person ("à qui", "lui"), not a thing or an animal ("auquel", "y")."""
        return self.words[self.meant(number)].gender != "n"

    def reflexive(self, verb: int) -> int | None:
        """The "himself" of a verb."""
        following = verb + 1
        if following < len(self.words) and self.words[following].pos == "reflexive":
            return following
        return None

    def verb(self, number: int) -> FrenchVerb:
        """The French verb for an English one, in the sense that it has here."""
        target = self.object_of.get(number)
        reflexive = self.reflexive(number) is not None
        use = "reflexive" if reflexive else "intransitive" if target is None else "transitive"
        decides = self.subject_of[number] if target is None else target
        return lexicon.verb(self.words[number].lemma, use, self.noun(decides))

    def next_verb(self, number: int) -> int:
        """The first verb after a word."""
        return next(one for one in range(number, len(self.words)) if self.words[one].pos == "verb")

    def last_verb(self, number: int) -> int:
        """The last verb before a word."""
        return next(one for one in range(number, -1, -1) if self.words[one].pos == "verb")

    def meanwhile(self, verb: int) -> bool:
        """Whether "while" begins the clause of this verb: that goes on, and is in the imparfait."""
        for before in reversed(range(verb)):
            if self.words[before].lemma == "while":
                return True
            if "." in self.mark_after(before):
                return False
        return False

    def object_before(self, verb: int) -> int | None:
        """The object of a verb if the French names it before that: a pronoun, or what "that" stands for."""
        target = self.object_of.get(verb)
        if target is None or (target > verb and self.words[target].pos != "pronoun"):
            return None
        return target

    def object_after(self, verb: int) -> int | None:
        """The object of a verb if it follows that in French too."""
        return None if self.object_before(verb) is not None else self.object_of.get(verb)
