"""What an English sentence does not show: then it has several translations, and is no use for exact match.

Hidden may be the tense ("the girls cut the bread"), the number of a noun ("the sheep slept"), which of two
words it is ("the glasses"), and the gender of a name that is in no dictionary.
"""

from collections import Counter

from attnviz.builtin.language.draft import Story, Word
from attnviz.builtin.language.lexicon import NOUNS, VERBS

_VERBS = {verb.lemma: verb.forms for verb in VERBS}
_ALIKE = {noun.lemma for noun in NOUNS if noun.forms[0] == noun.forms[1] and noun.count == "count"}
_SHARED = {
    form for form, count in Counter(form for noun in NOUNS for form in set(noun.forms)).items() if count > 1
}


def undecided(story: Story) -> bool:
    """Whether the English leaves open what the French has to say."""
    return (
        not any(_shows_tense(word) for word in story.words if word.pos == "verb")
        or any(word.pos == "noun" and word.text.lower() in _SHARED for word in story.words)
        or _hides_a_number(story)
    )


def shows_gender(story: Story, name: str) -> bool:
    """Whether some "he" or "her" stands for this name."""
    at = {word.span: word for word in story.words}
    return any(
        link.name == "pronoun-antecedent"
        and at[link.target].lemma == name
        and at[link.source].lemma in ("he", "she")
        for link in story.relations
    )


def _shows_tense(verb: Word) -> bool:
    if verb.lemma == "be":
        return True
    base, third, past, _ = _VERBS[verb.lemma]
    return past != (base if verb.number == "plural" else third)


def _hides_a_number(story: Story) -> bool:
    """Whether a noun that is the same in both numbers has nothing beside it that tells which."""
    alike = {word.span for word in story.words if word.pos == "noun" and word.lemma in _ALIKE}
    if not alike:
        return False
    at = {word.span: word for word in story.words}
    telling = {
        link.target for link in story.relations if link.target in alike and _tells_number(at[link.source])
    }
    return telling != alike


def _tells_number(word: Word) -> bool:
    """Whether this determiner, verb or pronoun shows the number of its noun."""
    match word.pos:
        case "determiner" | "pronoun" | "reflexive":
            return word.number != ""
        case "verb":
            return word.tense == "present" or word.lemma == "be"
        case _:
            return False
