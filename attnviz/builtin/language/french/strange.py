"""Names that are in no dictionary, the same in both languages: from them copying can be learnt."""

from dataclasses import replace
from random import Random
from string import ascii_lowercase

from attnviz.analysis.relations import Relation
from attnviz.builtin.language.draft import Story, Word
from attnviz.builtin.language.frames import Split, held_out_name
from attnviz.builtin.language.lexicon import NAMES
from attnviz.inputs import Span

_KNOWN = {name.lemma for name in NAMES}
_VOWELS = "aeiou"
_CONSONANTS = "".join(letter for letter in ascii_lowercase if letter not in _VOWELS)
SHORTEST, LONGEST = 3, 10


def invented_name(random: Random, split: Split) -> str:
    """3 to 10 letters, every other time pronounceable, a capital first; no split has one of the other."""
    while True:
        length = random.randint(SHORTEST, LONGEST)
        letters = (
            _syllables(random, length) if random.random() < 0.5 else random.choices(ascii_lowercase, k=length)
        )
        name = "".join(letters).capitalize()
        if name not in _KNOWN and held_out_name(name) == (split == "test"):
            return name


def _syllables(random: Random, length: int) -> list[str]:
    first = random.randrange(2)
    return [random.choice((_VOWELS, _CONSONANTS)[(first + at) % 2]) for at in range(length)]


def renamed(story: Story, old: str, new: str) -> Story:
    """The story with another name in place of one; lower case where the story is."""
    small = story.text[0].islower()
    moved: dict[Span, Span] = {}
    words: list[Word] = []
    text, done, shift = "", 0, 0
    for word in story.words:
        named = word.pos == "name" and word.lemma == old
        form = (new.lower() if small else new) if named else word.text
        text += story.text[done : word.span.start] + form
        done = word.span.stop
        span = Span(word.span.text, word.span.start + shift, word.span.start + shift + len(form))
        shift += len(form) - len(word.text)
        moved[word.span] = span
        words.append(replace(word, text=form, lemma=new if named else word.lemma, span=span))
    return replace(
        story,
        text=text + story.text[done:],
        words=tuple(words),
        relations=tuple(
            Relation(link.name, moved[link.source], moved[link.target]) for link in story.relations
        ),
        pairs=tuple((new if subject == old else subject, verb) for subject, verb in story.pairs),
    )


def regendered(story: Story, name: str) -> Story:
    """The story with that name of the other gender, for seeing whether that matters."""
    other = {"m": "f", "f": "m"}
    return replace(
        story,
        words=tuple(
            replace(word, gender=other[word.gender]) if word.pos == "name" and word.lemma == name else word
            for word in story.words
        ),
    )
