"""The dictionary alone, as a translator to be beaten."""

from attnviz.builtin.language.draft import Story, Word
from attnviz.builtin.language.french import lexicon


def word_for_word(story: Story) -> str:
    """The story with a French word in place of each English one, in the English order and with its marks.

    Each lemma has one form (nouns and adjectives masculine singular, verbs third person singular of the
    present) and one sense, the general one: nothing agrees, is elided or changes its place.
    """
    text, done = "", 0
    for word in story.words:
        french = _dictionary_form(word)
        shown = french[0].upper() + french[1:] if word.text[0].isupper() else french
        text += story.text[done : word.span.start] + shown
        done = word.span.stop
    return text + story.text[done:]


def _dictionary_form(word: Word) -> str:
    match word.pos:
        case "name":
            return word.text
        case "noun":
            noun = lexicon.NOUNS[word.lemma]
            return noun.plural if noun.number == "plural" else noun.singular
        case "verb":
            verb = lexicon.verb(word.lemma, "", "")
            form = f"{verb.present[0]} {verb.tail}".rstrip()
            return f"se {form}" if verb.pronominal else form
        case "adjective":
            return lexicon.adjective(word.lemma, "").lemma
        case "preposition":
            return lexicon.preposition(word.lemma, "")
        case _:
            return lexicon.CLOSED[word.pos, word.lemma]
