"""How files are called: patterns such as ``{model}-{sample}-{layer}.{head}.pdf``, and names fit for them.

A substitution of our own: nothing in a pattern, or in a name that is put into one, is ever evaluated.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath

from attnviz.errors import InputError
from attnviz.inputs import printable

FIELDS = ("model", "sample", "layer", "head", "view")
LONGEST_NAME = 100  # bytes of a model's or a sample's name in a file's
LONGEST_FILE = 240  # of 255 that file systems allow
DIGEST = 8  # hexadecimal digits

_FIELD = re.compile(r"\{([^{}]*)\}")
_PLAIN = set("-_.+=@,")


def fields_of(pattern: str) -> frozenset[str]:
    """The fields in a pattern."""
    return frozenset(_FIELD.findall(pattern))


def check_pattern(pattern: str) -> None:
    """Raises InputError for a pattern that has no sense, or would leave the directory."""
    shown = printable(pattern)
    if unknown := sorted(fields_of(pattern) - set(FIELDS)):
        there = ", ".join(f"{{{field}}}" for field in FIELDS)
        raise InputError(f"file {shown!r}: {{{printable(unknown[0])}}} stands for nothing; there are {there}")
    if set("{}") & set(_FIELD.sub("", pattern)):
        raise InputError(f"file {shown!r}: a bracket is open; fields are written as {{sample}}")
    path = PurePosixPath(pattern)
    if not path.name or ".." in path.parts or path.is_absolute() or PureWindowsPath(pattern).anchor:
        raise InputError(f"file {shown!r} leaves the directory of the figures: name a file in it")
    if odd := sorted({letter for letter in _FIELD.sub("", pattern) if not _is_plain(letter)} - {"/"}):
        raise InputError(
            f"file {shown!r}: {printable(odd[0])!r} is not taken by every system and TeX: use letters, "
            "digits, - _ . + = @ and , and / between directories"
        )


def filled(pattern: str, values: Mapping[str, str]) -> str:
    """The pattern with each field replaced by its value, made fit for a file's name.

    Raises InputError if the name becomes too long for file systems.
    """
    file = str(PurePosixPath(_FIELD.sub(lambda field: safe_name(values[field[1]]), pattern)))
    for part in PurePosixPath(file).parts:
        if len(part.encode()) > LONGEST_FILE:
            raise InputError(
                f"file {printable(pattern)!r}: a name of {len(part.encode())} bytes is too long; "
                f"{LONGEST_FILE} are the most"
            )
    return file


def safe_name(name: str) -> str:
    """A name as part of a file's: what would act there is replaced, and what is long cut short.

    ``/`` becomes ``__``, blanks ``_``. Where more than that had to be changed a digest of the whole name
    follows, so that different names stay different.
    """
    composed = unicodedata.normalize("NFC", name).replace("/", "__").replace("\\", "__")
    kept = "".join(letter if _is_plain(letter) else "_" for letter in composed)
    harmless = all(_is_plain(letter) or letter == " " for letter in composed)
    if kept.startswith("."):
        kept, harmless = f"_{kept[1:]}", False
    if harmless and len(kept.encode()) <= LONGEST_NAME and kept:
        return kept
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST]
    return f"{_cut(kept, LONGEST_NAME - DIGEST - 1)}-{digest}"


def same_file(file: str) -> str:
    """What two names have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", file).casefold()


def _is_plain(letter: str) -> bool:
    return letter in _PLAIN or unicodedata.category(letter)[0] in "LNM"


def _cut(text: str, most: int) -> str:
    """The first characters that together take at most so many bytes."""
    return text.encode()[:most].decode(errors="ignore")
