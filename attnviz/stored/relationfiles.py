"""Files of texts with relations: CoNLL-U, or JSON line by line; which of them is seen by how they begin."""

from pathlib import Path

from attnviz.analysis.relations import Corpus
from attnviz.errors import InputError
from attnviz.inputs import printable
from attnviz.stored import conllu, relationlines


def read(path: Path) -> Corpus:
    """The texts of a file with their relations.

    Raises InputError if it cannot be read, holds none, or at its first broken line.
    """
    shown = printable(str(path))
    content = _content(path, shown)
    reader = relationlines.texts if content.lstrip()[:1] in ("{", "[") else conllu.sentences
    try:
        texts = tuple(reader(content, path.stem))
    except conllu.LineError as error:
        raise InputError(f"line {error.line} of {shown}: {error}") from error
    if not any(text.relations for text in texts):
        raise InputError(
            f"no relations in {shown}: give CoNLL-U, or a line of JSON a text with its relations"
        )
    return Corpus(path.name, texts)


def _content(path: Path, shown: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {shown}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{shown} is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}"
        ) from error
