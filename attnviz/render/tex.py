"""Text for TeX, whatever is in it."""

import string
import unicodedata

_WRITTEN = {
    "%": "\\%", "$": "\\$", "&": "\\&", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\\": "\\textbackslash{}",
    "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}",
    "'": "\\textquotesingle{}", "`": "\\textasciigrave{}", '"': "{\\ttfamily\\char34}",
    "-": "{-}", "–": "--", "×": "$\\times$", "→": "$\\to$", "←": "$\\gets$", "≤": "$\\leq$",
    "“": "``", "”": "''", "…": "\\dots{}", "’": "'",
    "ß": "ß", "æ": "æ", "ø": "ø", "œ": "œ", "Æ": "Æ", "Ø": "Ø", "Œ": "Œ",
}  # fmt: skip
_MARKS = set(
    "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327"
)  # accents of TeX's first fonts
_PLAIN = set(string.ascii_letters + string.digits + " .,:;()[]/+=")  # as they are in TeX, whatever is loaded


def tex(text: str) -> str:
    """Text that LaTeX (of 2020 or later) prints as it is, in whatever encoding its fonts are.

    By its number only what stands at the place of its ASCII code in all of them: in LaTeX's first fonts ``<``
    does not, nor does a straight quotation mark but in those of a typewriter.
    """
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", text))


def _letter(letter: str) -> str:
    if letter in _PLAIN:
        return letter
    if letter in _WRITTEN:
        return _WRITTEN[letter]
    base, marks = (decomposed := unicodedata.normalize("NFD", letter))[0], decomposed[1:]
    if letter < "\u0180" and base.isascii() and base.isalpha() and marks in _MARKS:
        return letter
    return f"{{\\char{ord(letter)}}}" if letter.isascii() else f"U+{ord(letter):04X}"
