"""A page, a table or a grid as a file, by its suffix; written whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from attnviz.analysis.comparison import Comparison
from attnviz.errors import OutputError, UsageError
from attnviz.files import check_place, is_directory, write_whole
from attnviz.inputs import printable
from attnviz.recipes import Style
from attnviz.render.asdrawn import lines_as_drawn, page_as_drawn, strip_as_drawn
from attnviz.render.atlasfigure import atlas_drawing, parts
from attnviz.render.chartfigure import chart_figure
from attnviz.render.coloured import coloured_text
from attnviz.render.drawing import Drawing, vector_figure, words_figure
from attnviz.render.figure import figure
from attnviz.render.gridfigure import grid_figure
from attnviz.render.linesfigure import lines_figure
from attnviz.render.numbers import numbers_bytes
from attnviz.render.pdf import with_cells
from attnviz.render.pen import figure_bytes, pdf_pages, png_texts
from attnviz.render.plots import Chart
from attnviz.render.png import palette_png
from attnviz.render.raster import raster
from attnviz.render.rows import HeadTable, Steps, Table, Tabular
from attnviz.render.stripfigure import strip_figure
from attnviz.render.tablefigure import table_figure
from attnviz.render.tablefiles import grid_bytes, steps_bytes, table_bytes
from attnviz.render.views import Atlas, HeadGrid, HeadLines, Page, TokenStrip, View

Notes = tuple[str, ...]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    openings: what such a file begins with: one of these
    write:    the file's bytes, and what its maker should be told
    """

    openings: tuple[bytes, ...]
    write: Callable[[Any, Style], tuple[bytes, Notes]]


Formats = Mapping[str, Format]
"""The kinds of file that a view can become, by their suffix."""


def save(view: View | Comparison, path: Path, style: Style, *, force: bool = False) -> Notes:
    """Writes the view in the format of the path's suffix. Returns what its maker should be told.

    Raises OutputError as ``checked`` does, and if the writing fails; then nothing is left behind. Raises
    UsageError for what is no view.
    """
    view = _viewed(view, path, style)
    data, notes = checked(path, formats_of(type(view)), force=force).write(view, style)
    write_whole(path, data)
    return notes


def _viewed(made: View | Comparison, path: Path, style: Style) -> View:
    """A view as it is; of a comparison that which files of this suffix usually hold."""
    if isinstance(made, Comparison):
        from attnviz.render.comparepages import comparison_view, usual

        return comparison_view(made, usual(path.suffix), style)
    if not isinstance(made, View):
        raise UsageError(
            f"cannot save a {type(made).__name__}: give a view, which heatmap, heads, comparison_view or "
            "probe_table make"
        )
    return made


def formats_of(kind: type[View]) -> Formats:
    """The kinds of file that such a view can become."""
    return {Page: FORMATS, HeadTable: TABLE_FORMATS, HeadGrid: GRID_FORMATS, Table: TABLE_FORMATS,
            HeadLines: LINES_FORMATS, TokenStrip: STRIP_FORMATS, Chart: CHART_FORMATS,
            Steps: STEPS_FORMATS}[kind]  # fmt: skip


def json_text(view: View, style: Style) -> str:
    """The view's numbers as one JSON document."""
    data, _ = formats_of(type(view))[".json"].write(view, style)
    return data.decode().strip()


def checked(path: Path, formats: Formats | None = None, *, force: bool = False) -> Format:
    """The format that a file of this name will have, if it may be written; to be asked before long work.

    Raises OutputError for an unknown suffix, a directory, a place that is not there, and an existing file
    of another format unless forced.
    """
    suffix, known = path.suffix.lower(), FORMATS if formats is None else formats
    if suffix not in known and not is_directory(path):
        unknown = f"no format is known by the suffix {suffix!r}"
        why = f"{suffix} is no format for what this shows" if suffix in _OPENINGS else unknown
        raise OutputError(f"cannot write {_shown(path)}: {why}; these are: {', '.join(known)}")
    check_place(
        path, same=lambda path: _is_one(path, known[suffix]), kind=f"{suffix} of this kind", force=force
    )
    return known[suffix]


def _is_one(path: Path, kind: Format) -> bool:
    """Whether the file is of this format, or empty."""
    try:
        with path.open("rb") as file:
            opening = file.read(max(map(len, kind.openings)))
    except OSError as error:
        raise OutputError(f"cannot replace {_shown(path)}: {error.strerror or error}") from error
    return opening.startswith(kind.openings) or not opening


def _picture(page: Page, style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    page = page_as_drawn(page, style, suffix)
    if page.atlas is not None and not page.heatmaps:
        if style.pages and suffix == ".pdf":
            return _pages(page, page.atlas, style)
        drawing = atlas_drawing(page, page.atlas, style, vector=suffix != ".png")
        return _drawing_picture(page, drawing, style, suffix=suffix)
    drawn, notes = figure(page, style)
    return figure_bytes(drawn, suffix, page), notes


def _pages(page: Page, atlas: Atlas, style: Style) -> tuple[bytes, Notes]:
    """A PDF of many pages."""
    drawings = [
        atlas_drawing(part, part.atlas, style, vector=True)
        for part in parts(page, atlas, style)
        if part.atlas
    ]
    return _pdf(page, drawings, style), drawings[0].fonts.notes


def _pdf(view: View, drawings: Sequence[Drawing], style: Style) -> bytes:
    """Drawings as the pages of a PDF."""
    words = [words_figure(drawing, style.dpi) for drawing in drawings]
    return with_cells(pdf_pages(words, view), drawings, style.dpi)


def _drawing_picture(view: View, drawing: Drawing, style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    """A drawing, as dots where dots are asked for: that takes a small part of the time."""
    if suffix == ".png":
        return palette_png(*raster(drawing, style.dpi), png_texts(view), style.dpi), drawing.fonts.notes
    if suffix == ".pdf":
        return _pdf(view, [drawing], style), drawing.fonts.notes
    return figure_bytes(vector_figure(drawing, style.dpi), suffix, view), drawing.fonts.notes


def _numbers(page: Page, _style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    return numbers_bytes(page, suffix), ()


def _lines_picture(view: HeadLines, style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    view = lines_as_drawn(view)
    drawn, notes = lines_figure(view, style)
    return figure_bytes(drawn, suffix, view), notes


def _strip_picture(view: TokenStrip, style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    view = strip_as_drawn(view)
    drawn, notes = strip_figure(view, style)
    return figure_bytes(drawn, suffix, view), notes


def _shown_numbers(view: HeadLines | TokenStrip, _style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    return numbers_bytes(view.page, suffix), ()


def _strip_text(view: TokenStrip, _style: Style, *, suffix: str) -> tuple[bytes, Notes]:  # noqa: ARG001 - one
    return coloured_text(view), ()


def _shown(path: Path) -> str:
    return printable(str(path))


def _table_picture(view: Tabular, style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    drawn, notes = table_figure(view, style)
    return figure_bytes(drawn, suffix, view), notes


def _table_numbers(view: Tabular, _style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    return table_bytes(view, suffix), ()


def _grid_picture(view: HeadGrid, style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    drawn, notes = grid_figure(view, style)
    return figure_bytes(drawn, suffix, view), notes


def _grid_numbers(view: HeadGrid, _style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    return grid_bytes(view, suffix), ()


def _chart_picture(view: Chart, style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    drawn, notes = chart_figure(view, style)
    return figure_bytes(drawn, suffix, view), notes


def _chart_numbers(view: Chart, _style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    return table_bytes(view.numbers, suffix), ()


def _steps(view: Steps, _style: Style, *, suffix: str) -> tuple[bytes, Notes]:
    return steps_bytes(view, suffix), ()


_OPENINGS = {
    ".png": (b"\x89PNG\r\n",),
    ".pdf": (b"%PDF-",),
    ".svg": (b"<?xml", b"<svg"),
    ".json": (b'{"schema":',),
    ".csv": (b"# {", b'"layer"'),
    ".npz": (b"PK\x03\x04",),
    ".md": (b"<!-- attnviz",),
    ".tex": (b"% attnviz",),
}


def _formats(write: Callable[..., tuple[bytes, Notes]], suffixes: str) -> dict[str, Format]:
    return {suffix: Format(_OPENINGS[suffix], partial(write, suffix=suffix)) for suffix in suffixes.split()}


_PICTURES = ".png .pdf .svg"
FORMATS = _formats(_picture, _PICTURES) | _formats(_numbers, ".json .csv .npz")
LINES_FORMATS = _formats(_lines_picture, _PICTURES) | _formats(_shown_numbers, ".json .csv .npz")
STRIP_FORMATS = (
    _formats(_strip_picture, _PICTURES)
    | _formats(_shown_numbers, ".json .csv .npz")
    | _formats(_strip_text, ".tex")
)
TABLE_FORMATS = _formats(_table_picture, _PICTURES) | _formats(_table_numbers, ".json .csv .md .tex")
STEPS_FORMATS = _formats(_steps, ".json .md")
CHART_FORMATS = _formats(_chart_picture, _PICTURES) | _formats(_chart_numbers, ".json .csv .md .tex")
GRID_FORMATS = _formats(_grid_picture, _PICTURES) | _formats(_grid_numbers, ".json .csv")
