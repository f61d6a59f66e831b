"""PDF files of drawings, after ISO 32000-1: matplotlib's, with the words, into which cells are put.

All cells of a page are inline images (8.9.7) in the page's own content, so that they are compressed together,
with neither an object nor a palette for each map: of many small maps these are most of a file. Of fonts what
draws them is kept (9.9), without names, hints for the dots of screens and other tables that nobody asks.
"""

import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

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
    ground = Box(0, 0, drawing.width, drawing.height)
    dot = 1 / dpi
    frames = b"".join(_rectangle(_wider(box, dot), drawing) for box in drawing.frames)
    grey, cells = int(FRAME[1:3], 16) / 255, b"".join(_images(drawing))
    return b"q\n1 g\n%bf\n%.3f g\n%bf\n%bQ\n" % (_rectangle(ground, drawing), grey, frames, cells)


def _wider(box: Box, by: float) -> Box:
    """A box, larger on each side: as much of it is seen around the cells that cover it."""
    return Box(box.left - by, box.top - by, box.width + 2 * by, box.height + 2 * by)


def _rectangle(box: Box, drawing: Drawing) -> bytes:
    size = box.width * _POINTS, box.height * _POINTS
    return b"%b re\n" % _numbers(*_corner(box, drawing), *size)


def _numbers(*points: float) -> bytes:
    """As a page writes them: to a ten thousandth of a point, and never with an exponent (7.3.3)."""
    return b" ".join((b"%.4f" % point).rstrip(b"0").rstrip(b".") for point in points)


def _corner(box: Box, drawing: Drawing) -> tuple[float, float]:
    """The lower left one, as a page counts: in points, upwards."""
    return box.left * _POINTS, (drawing.height - box.bottom) * _POINTS


def _images(drawing: Drawing) -> Iterator[bytes]:
    """All cells as inline images, each placed from the one before: so equal steps are equal bytes."""
    across, up = 0.0, 0.0
    for cells in drawing.cells:
        left, bottom = _corner(cells.box, drawing)
        yield b"1 0 0 1 %b cm\n" % _numbers(left - across, bottom - up) + _image(cells)
        across, up = left, bottom


def _image(cells: Cells) -> bytes:
    """Cells as an inline image, column by column: down a key weights are more alike than along a query.

    No byte of it is an ``E``: nothing in it looks like its end, ``EI``.
    """
    numbers = repeated(_coarse(cells.levels))
    rows, columns = numbers.shape
    width, height = cells.box.width * _POINTS, cells.box.height * _POINTS
    turned = b"0 %b 0 %b cm" % (_numbers(-height, -width), _numbers(width, height))
    what = b"BI /W %d /H %d /BPC 8 /CS /%b" % (rows, columns, _COLOURS)
    return b"q %b %b ID %b\nEI Q\n" % (turned, what, numbers.T.tobytes())


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
