"""Relations of any kind, a text a line: JSON with spans of characters.

    {"text": "The cat slept. It snored.",
     "relations": [{"name": "coreference", "source": [15, 17], "target": [4, 7]}],
     "candidates": [[4, 7]]}

Spans are (start, stop) in characters from 0. ``candidates`` may be left out: what a source could mean too,
for the guess that the nearest one is meant.
"""

import json
from collections.abc import Iterator, Sequence

from attnviz.analysis.relations import Related, Relation, Tagged, check_span
from attnviz.inputs import Span, printable
from attnviz.stored.conllu import LineError

CANDIDATE = "candidate"


def texts(content: str, name: str) -> Iterator[Related]:
    """The texts of a file, each with its relations.

    name: of the file; a text is called after it and its line
    Raises LineError for the first line that is broken.
    """
    for number, line in enumerate(content.replace("\r\n", "\n").split("\n"), 1):
        if line.strip():
            try:
                yield _text(line, f"{name}-{number}")
            except (ValueError, RecursionError) as error:
                raise LineError(number, _said(error)) from error


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON: {error.msg} at character {error.pos + 1}"
    if isinstance(error, RecursionError):
        return "it is no JSON that can be read: brackets in brackets, too deep"
    return str(error)


def _text(line: str, name: str) -> Related:
    """Raises ValueError for anything but a text with relations."""
    data = json.loads(line)
    if not isinstance(data, dict) or not isinstance(data.get("text"), str) or not data["text"].strip():
        raise ValueError('it has no "text"')
    text = data["text"]
    relations = [_relation(entry, text) for entry in _list(data, "relations")]
    candidates = [_span(entry, "a candidate", text) for entry in _list(data, "candidates")]
    targets = [relation.target for relation in relations] if candidates else []
    tagged = (Tagged(span, CANDIDATE) for span in dict.fromkeys((*candidates, *targets)))
    return Related(text, tuple(relations), tuple(tagged), name)


def _list(data: dict[str, object], name: str) -> Sequence[object]:
    entries = data.get(name, [])
    if not isinstance(entries, list):
        raise ValueError(f'"{name}" is no list')
    return entries


def _relation(entry: object, text: str) -> Relation:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"].strip():
        raise ValueError('a relation has no "name"')
    name = printable(entry["name"])
    ends = (_span(entry.get(end), f'"{end}" of {name}', text) for end in ("source", "target"))
    return Relation(entry["name"], *ends)


def _span(entry: object, what: str, text: str) -> Span:
    numbers = entry if isinstance(entry, list) else []
    if len(numbers) != 2 or not all(type(number) is int for number in numbers):
        raise ValueError(f"{what} is no span: write [start, stop], in characters from 0")
    span = Span(0, *numbers)
    try:
        check_span(span, text)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    return span
