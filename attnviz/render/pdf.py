"""PDF files of drawings, after ISO 32000-1: matplotlib's, with the words, into which cells are put.

All cells of a page are inline images (8.9.7) in the page's own content, so that they are compressed together,
with neither an object nor a palette for each map: of many small maps these are most of a file. What a map
leaves blank at its edges, as a causal one does with all that is to come, a path cuts off (8.5.4), the same
bytes for all maps: as cells it would be a tenth to a third of a file. Of fonts what draws them is kept (9.9),
without names, hints for the dots of screens and other tables that nobody asks.
"""

import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Booleans
from attnviz.render.drawing import BLANK, COLOURS, Cells, Drawing, Levels, palette, repeated
from attnviz.render.layout import Box
from attnviz.render.pen import FRAME

MERGED = 4  # levels that have one colour here
STEPS = COLOURS // MERGED
"""Colours of a map in a PDF.

On the usual maps no cell is further than 0.013 in Oklab from the colour of its weight; CSS Color 4 takes 0.02
for what the eye just notices. They halve a file, most of which is digits of weights that nobody sees;
these are exact in .json, .csv and .npz.
"""

_BLANK = STEPS  # the number of what is not painted
_POINTS = 72  # an inch
_KEPT = ("glyf", "head", "hhea", "hmtx", "loca", "maxp")  # tables of a TrueType font in a PDF
_COLOURS = b"Levels"  # as the pages call them
_LENGTH = re.compile(rb"/Length (?:\d+ 0 R|\d+)")
_PACKED = re.compile(rb"/Filter /FlateDecode\s?")


@dataclass(frozen=True)
class _Object:
    """An indirect object: what it is before its stream, and the stream, if it has one, as it is unpacked."""

    head: bytes
    stream: bytes | None = None

    @property
    def is_font(self) -> bool:
        return b"/Length1 " in self.head

    def written(self, number: int) -> bytes:
        if self.stream is None:
            return b"%d 0 obj\n%b\nendobj\n" % (number, self.head)
        packed = _packed(self.stream)
        head = _LENGTH.sub(b"/Filter /FlateDecode /Length %d" % len(packed), self.head)
        return b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number, head, packed)


def with_cells(pdf: bytes, drawings: Sequence[Drawing], dpi: int) -> bytes:
    """A PDF of the words of drawings, a page each, with their frames and cells below the words.

    pdf: as matplotlib writes it, on pages without a ground of their own
    """
    objects = _objects(pdf)
    for number, drawing in zip(_contents(objects), drawings, strict=True):
        page = objects[number]
        objects[number] = _Object(page.head, _painted(drawing, dpi) + (page.stream or b""))
    for number, found in objects.items():
        if found.is_font and found.stream:
            objects[number] = _font(found.head, found.stream)
        elif b"/ProcSet" in found.head:  # what all pages draw with
            objects[number] = _Object(
                found.head.replace(b"/ProcSet", _colours(drawings[0].cmap) + b" /ProcSet")
            )
    return _file(objects, pdf)


def _painted(drawing: Drawing, dpi: int) -> bytes:
    """What lies below the words, as the operators of a page."""
    ground = _numbers(drawing.width * _POINTS, drawing.height * _POINTS)
    frames, cells = b"".join(_frames(drawing, 1 / dpi)), b"".join(_images(drawing))
    grey = int(FRAME[1:3], 16) / 255
    return b"q\n1 g\n0 0 %b re f\nq\n%b g\n%bQ\n%bQ\n" % (ground, _numbers(grey), frames, cells)


def _frames(drawing: Drawing, dot: float) -> Iterator[bytes]:
    """All frames, larger by a dot on each side: as much of them is seen around the cells that cover them."""
    for step, box in _placed(drawing, drawing.frames):
        sides = (-dot, -dot, box.width + 2 * dot, box.height + 2 * dot)
        yield step + b"%b re f\n" % _numbers(*(side * _POINTS for side in sides))


def _images(drawing: Drawing) -> Iterator[bytes]:
    """All cells as inline images, on the white of what they leave blank."""
    boxes = [cells.box for cells in drawing.cells]
    for (step, _), cells in zip(_placed(drawing, boxes), drawing.cells, strict=True):
        yield step + _image(cells)


def _placed(drawing: Drawing, boxes: Sequence[Box]) -> Iterator[tuple[bytes, Box]]:
    """Boxes, and how to get to the lower left corner of each from that of the one before.

    Equal steps are equal bytes. A page counts in points, upwards.
    """
    across, up = 0.0, 0.0
    for box in boxes:
        left, bottom = box.left * _POINTS, (drawing.height - box.bottom) * _POINTS
        yield b"1 0 0 1 %b cm\n" % _numbers(left - across, bottom - up), box
        across, up = left, bottom


def _numbers(*points: float) -> bytes:
    """As a page writes them: to a millionth of a point, and never with an exponent (7.3.3)."""
    return b" ".join((b"%.6f" % point).rstrip(b"0").rstrip(b".") for point in points)


def _image(cells: Cells) -> bytes:
    """Cells as an inline image, column by column: down a key weights are more alike than along a query.

    No byte of it is an ``E``: nothing in it looks like its end, ``EI``.
    """
    numbers = np.ascontiguousarray(repeated(_coarse(cells.levels)).T)
    keys, queries = numbers.shape
    seen, path = numbers != _BLANK, b""
    if not seen.all() and _is_outlined(seen):
        numbers = np.where(seen, numbers, _commonest(numbers[seen]))
        path = b"0 0 %d %d re f %b W n " % (keys, queries, _outline(seen))
    wide, high = cells.box.width * _POINTS / keys, cells.box.height * _POINTS / queries
    cell = b"%b cm" % _numbers(wide, 0, 0, -high, 0, queries * high)  # counted from the upper left corner
    turned = b"0 %d %d 0 %d 0 cm" % (queries, -keys, keys)
    what = b"BI /W %d /H %d /BPC 8 /CS /%b" % (queries, keys, _COLOURS)
    return b"q %b %b%b %b ID %b\nEI Q\n" % (cell, path, turned, what, numbers.tobytes())


def _is_outlined(seen: Booleans) -> bool:
    """Whether what is seen of each key, if anything, is one run of queries. seen: ``[keys, queries]``"""
    edges = np.diff(seen, axis=1, prepend=False, append=False)
    return bool((edges.sum(1) <= 2).all())


def _outline(seen: Booleans) -> bytes:
    """A path around what is seen: along where it begins of each key, and back along where it ends."""
    begins = seen.argmax(1)
    there, back = _edge(begins), _edge(begins + seen.sum(1))[::-1]
    return b" ".join(
        b"%d %d %b" % (*corner, b"l" if place else b"m") for place, corner in enumerate(there + back)
    )


def _edge(heights: NDArray[np.intp]) -> list[tuple[int, int]]:
    """The corners of stairs, from the left to the right."""
    borders = [0, *(np.flatnonzero(np.diff(heights)) + 1), len(heights)]
    return [(across, heights[start]) for start, stop in pairwise(borders) for across in (start, stop)]


def _commonest(numbers: Levels) -> np.uint8:
    """What most of them are: a viewer that mixes what meets in a dot shows a little of what was cut off."""
    return np.bincount(numbers, minlength=1).argmax().astype(np.uint8)


def _coarse(levels: Levels) -> Levels:
    """The number of each level's colour: 0 to 47 on the map, then the two that are not of it."""
    return np.where(levels < BLANK, levels // MERGED, levels - BLANK + STEPS).astype(np.uint8)


def _colours(cmap: str) -> bytes:
    """The colour of each number, as a colour space; on the map the mean of those that it stands for."""
    fine = palette(cmap).astype(np.float64)
    steps = fine[:BLANK].reshape(STEPS, MERGED, 3).mean(1)
    table = np.concatenate([steps, fine[BLANK:]]).round().astype(np.uint8)
    return b"/ColorSpace << /%b [/Indexed /DeviceRGB %d <%b>] >>" % (
        _COLOURS,
        len(table) - 1,
        table.tobytes().hex().encode(),
    )


def _objects(pdf: bytes) -> dict[int, _Object]:
    """The objects of a file by their numbers, found by its table of them (7.5.4)."""
    start = int(pdf[pdf.rindex(b"startxref") :].split()[1])
    rows = pdf[start : pdf.rindex(b"trailer")].splitlines()[2:]
    places = {number: int(row[:10]) for number, row in enumerate(rows) if row[17:18] == b"n"}
    ends = dict(zip(sorted(places.values()), [*sorted(places.values())[1:], start], strict=True))
    return {number: _object(pdf[place : ends[place]]) for number, place in places.items()}


def _object(written: bytes) -> _Object:
    body = written[written.index(b" obj") + 4 : written.rindex(b"endobj")].strip(b"\n")
    head, stream, data = body.partition(b"\nstream\n")
    if not stream:
        return _Object(body)
    data = data[: data.rindex(b"\nendstream")]
    return _Object(_PACKED.sub(b"", head), zlib.decompress(data) if _PACKED.search(head) else data)


def _contents(objects: Mapping[int, _Object]) -> list[int]:
    """The numbers of what is drawn on each page, in their order."""
    pages = [each.head for _, each in sorted(objects.items()) if re.search(rb"/Type /Page\b", each.head)]
    found = (re.search(rb"/Contents (\d+) 0 R", page) for page in pages)
    return [int(match[1]) for match in found if match]


def _font(head: bytes, data: bytes) -> _Object:
    """A TrueType font without what only others than a PDF need."""
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(data), recalcBBoxes=False, recalcTimestamp=False)
    for name in font.getGlyphOrder():
        font["glyf"][name].removeHinting()
    for table in set(font.keys()) - {"GlyphOrder", *_KEPT}:
        del font[table]
    file = io.BytesIO()
    font.save(file, reorderTables=False)
    size = b"/Length1 %d" % file.tell()
    return _Object(re.sub(rb"/Length1 \d+", size, head), file.getvalue())


def _packed(stream: bytes) -> bytes:
    """The smallest that zlib makes of it, for bytes that are mostly small numbers."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_FILTERED)
    return packer.compress(stream) + packer.flush()


def _file(objects: Mapping[int, _Object], pdf: bytes) -> bytes:
    """Objects as a file, which begins and ends as another one does."""
    opening, trailer = (
        re.match(rb"%PDF-.*\n%.*\n", pdf),
        pdf[pdf.rindex(b"trailer") : pdf.rindex(b"startxref")],
    )
    file = bytearray(opening[0] if opening else b"")
    table = [b"0000000000 65535 f \n"]
    for number in range(1, max(objects) + 1):
        table.append(b"%010d 00000 n \n" % len(file))
        file += objects.get(number, _Object(b"null")).written(number)
    start = len(file)
    return bytes(file) + b"xref\n0 %d\n%b%bstartxref\n%d\n%%%%EOF\n" % (
        len(table),
        b"".join(table),
        trailer,
        start,
    )
