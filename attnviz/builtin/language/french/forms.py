"""How French words are formed: plurals, feminines, verb forms by rule, and which words begin with a vowel.

The rules are those of a school grammar (Grevisse, Le bon usage, chapters on noun, adjective and verb); what
does not follow them is given in the TSV files.
"""

_VOWELS = frozenset("aàâeéèêëiîïoôöuùûüœæ")
_MUTE_Y = ("y", "yeux")  # the words in y before which "le" and "de" lose their vowel

FEMININE_ENDINGS = (
    ("eux", "euse"),
    ("er", "ère"),
    ("if", "ive"),
    ("el", "elle"),
    ("en", "enne"),
    ("on", "onne"),
    ("e", "e"),
)
"""Ends of masculine adjectives and what stands there in the feminine; all others add an e."""


def begins_with_vowel(word: str, *, aspirated: bool = False) -> bool:
    """Whether the word begins with a vowel as it is spoken: "l'arbre", "l'homme", but "le hibou".

    aspirated: of a word in h: whether that h counts as a consonant
    """
    first = word[0].lower()
    return first in _VOWELS or (first == "h" and not aspirated) or word in _MUTE_Y


def plural(word: str) -> str:
    """The plural of a noun or adjective by rule; of several words the first changes: "noix de coco"."""
    head, blank, rest = word.partition(" ")
    if head.endswith(("s", "x", "z")):
        return word
    if head.endswith(("eau", "eu")):
        many = head + "x"
    elif head.endswith("al"):
        many = head[:-1] + "ux"
    else:
        many = head + "s"
    return many + blank + rest


def feminine(word: str) -> str:
    """The feminine of an adjective by rule."""
    for ending, replacement in FEMININE_ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + replacement
    return word + "e"


def present(infinitive: str) -> tuple[str, str]:
    """Third person singular and plural of a regular verb."""
    stem = infinitive[:-2]
    if infinitive.endswith("er"):
        return stem + "e", stem + "ent"
    if infinitive.endswith("ir"):
        return stem + "it", stem + "issent"
    return stem, stem + "ent"


def participle(infinitive: str) -> str:
    """The past participle of a regular verb, masculine singular."""
    return infinitive[:-2] + {"er": "é", "ir": "i", "re": "u"}[infinitive[-2:]]


def imperfect(infinitive: str, several: str) -> str:
    """Third person singular of the imparfait. several: third person plural of the present."""
    if not infinitive.endswith("er"):
        return several.removesuffix("ent") + "ait"
    stem = infinitive.removesuffix("er")
    return {"g": stem + "e", "c": stem[:-1] + "ç"}.get(stem[-1], stem) + "ait"


def agree(word: str, gender: str, many: bool) -> str:
    """A participle in gender ("m" or "f") and number."""
    word += "e" if gender == "f" else ""
    return plural(word) if many else word
