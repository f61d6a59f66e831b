"""Dependencies in the CoNLL-U format (https://universaldependencies.org/format.html).

A reader of our own: what a broken file needs said, the number of the line, the packages for it do not tell.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from attnviz.analysis.relations import Related, Relation, Tagged
from attnviz.inputs import Span, printable

COLUMNS = 10
LEFT_OUT = ("root", "punct")
"""Relations that are none between words."""

_WORD = re.compile("[1-9][0-9]{0,8}")
_RANGE = re.compile("([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_EMPTY = re.compile(r"[0-9]+\.[1-9][0-9]*")
_HEAD = re.compile("0|[1-9][0-9]{0,8}")
_TEXT, _ID = re.compile(r"#\s*text\s*=\s?(.*)"), re.compile(r"#\s*sent_id\s*=\s*(.*)")


class LineError(ValueError):
    """What is wrong with a line of a file. line: its number, from 1"""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


def sentences(content: str, name: str) -> Iterator[Related]:
    """The sentences of a file, each with its dependencies: source is the dependent, target its head.

    name: of the file; a sentence without an id of its own is called after it
    Their text is that of ``# text``, else put together of the forms and SpaceAfter=No; words that are written
    as one (1-2 don't) have the characters they spell, or where they spell others all of them. Empty nodes,
    enhanced dependencies, roots and punctuation are left out; subtypes (nsubj:pass) are kept.
    Raises LineError for the first line that is broken.
    """
    for number, lines in enumerate(_blocks(content), 1):
        yield _Sentence.of(lines).related(f"{name}-{number}")


Lines = Sequence[tuple[int, str]]


def _blocks(content: str) -> Iterator[Lines]:
    """The numbered lines of each sentence; comments alone are none."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*content.replace("\r\n", "\n").split("\n"), ""], 1):
        if line.strip():
            block.append((number, line))
        else:
            if any(not line.startswith("#") for _, line in block):
                yield block
            block = []


@dataclass(frozen=True)
class _Row:
    """A line of a word, or of several written as one.

    words: the numbers of the words it covers
    glued: no blank follows it
    head:  0 for a root, None where several words are written as one
    """

    line: int
    words: range
    form: str
    category: str
    head: int | None
    relation: str
    glued: bool


@dataclass(frozen=True)
class _Sentence:
    """The lines of a sentence, read.

    words:   the rows of words, in order
    written: those of what stands in the text: words, and in place of some the row of several
    """

    line: int
    text: str | None
    name: str | None
    words: Sequence[_Row]
    written: Sequence[_Row]

    @classmethod
    def of(cls, lines: Lines) -> "_Sentence":
        comments = [line for _, line in lines if line.startswith("#")]
        rows = [row for number, line in lines if not line.startswith("#") and (row := _row(number, line))]
        words = [row for row in rows if row.head is not None]
        _check_order(rows)
        _check_heads(words)
        covered = {word for row in rows if row.head is None for word in row.words}
        written = [row for row in rows if row.head is None or row.words.start not in covered]
        return cls(lines[0][0], _said(_TEXT, comments), _said(_ID, comments), words, written)

    def related(self, name: str) -> Related:
        text = self.text if self.text is not None else _joined(self.written)
        spans = self._spans(text)
        relations = (
            Relation(row.relation, spans[row.words.start], spans[row.head])
            for row in self.words
            if row.head and row.relation.partition(":")[0] not in LEFT_OUT
        )
        tagged = (Tagged(spans[row.words.start], row.category) for row in self.words if row.category != "_")
        return Related(text, tuple(relations), tuple(tagged), self.name or name)

    def _spans(self, text: str) -> dict[int, Span]:
        """Where each word stands in the text. Raises LineError for a form that is not there."""
        spans: dict[int, Span] = {}
        place = 0
        for row in self.written:
            place += len(text[place:]) - len(text[place:].lstrip())
            if not text.startswith(row.form, place):
                raise LineError(
                    row.line,
                    f"the text goes on with {printable(text[place : place + 12])!r}, not with "
                    f"{printable(row.form)!r}",
                )
            stop = place + len(row.form)
            spans |= self._parts(row, place, stop)
            place = stop
        return spans

    def _parts(self, row: _Row, start: int, stop: int) -> dict[int, Span]:
        """The characters of each word of a row: its own if the words spell the form, else all."""
        forms = [self.words[word - 1].form for word in row.words]
        if "".join(forms).casefold() != row.form.casefold() or sum(map(len, forms)) != stop - start:
            return dict.fromkeys(row.words, Span(0, start, stop))
        spans = {}
        for word, form in zip(row.words, forms, strict=True):
            spans[word] = Span(0, start, start + len(form))
            start += len(form)
        return spans


def _row(line: int, text: str) -> _Row | None:
    """A line that is no comment; None for an empty node. Raises LineError if it is broken."""
    columns = text.split("\t")
    if len(columns) != COLUMNS:
        raise LineError(line, f"it has {len(columns)} columns between tabs, and CoNLL-U {COLUMNS}")
    number, form, _, category, _, _, head, relation, _, other = columns
    glued = "SpaceAfter=No" in other.split("|")
    if not form.strip():
        raise LineError(line, "the word has no form (column 2)")
    if _EMPTY.fullmatch(number):
        return None
    if several := _RANGE.fullmatch(number):
        words = range(int(several[1]), int(several[2]) + 1)
        return _Row(line, words, form, "_", None, "_", glued)
    if not _WORD.fullmatch(number):
        raise LineError(line, f"{printable(number)!r} is no number of a word (column 1): write 1, 1-2 or 1.1")
    if not _HEAD.fullmatch(head):
        raise LineError(line, f"{printable(head)!r} is no head (column 7): write the number of a word, or 0")
    if relation in ("", "_"):
        raise LineError(line, "the word has a head and no relation to it (column 8)")
    first = int(number)
    return _Row(line, range(first, first + 1), form, category, int(head), relation, glued)


def _check_order(rows: Sequence[_Row]) -> None:
    """Raises LineError unless words are numbered from 1 on, and a row of several precedes its words."""
    expected, free = 1, 1  # the next word, and the first that no row of several has yet
    for row in rows:
        several = row.head is None
        if row.words.start != expected or (several and (len(row.words) < 2 or row.words.start < free)):
            shown = f"{row.words.start}-{row.words.stop - 1}" if several else f"{row.words.start}"
            raise LineError(row.line, f"word {shown} stands where word {expected} is expected (column 1)")
        if several:
            free = row.words.stop
        else:
            expected += 1
    if free > expected:
        raise LineError(
            rows[-1].line, f"the sentence ends before word {free - 1}, which is written with others"
        )


def _check_heads(words: Sequence[_Row]) -> None:
    for row in words:
        if row.head is not None and row.head > len(words):
            raise LineError(
                row.line, f"the head is word {row.head} (column 7), and the sentence has {len(words)}"
            )
        if row.head == row.words.start:
            raise LineError(row.line, f"word {row.head} is its own head (column 7)")


def _said(comment: re.Pattern[str], comments: Sequence[str]) -> str | None:
    return next((found[1] for each in comments if (found := comment.fullmatch(each))), None)


def _joined(rows: Sequence[_Row]) -> str:
    pieces = (row.form + ("" if row.glued else " ") for row in rows)
    return "".join(pieces).rstrip(" ")
