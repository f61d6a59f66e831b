"""What only a figure does to a view: in notes, which are on it, in its recipe and in its caption."""

from attnviz.recipes import Style
from attnviz.render.atlasfigure import annotated as atlas_annotated
from attnviz.render.figure import annotated
from attnviz.render.linesfigure import FAINTEST
from attnviz.render.pdf import STEPS
from attnviz.render.pooling import Room, fitted
from attnviz.render.views import HeadLines, Page, TokenStrip, View

_LINES = Room(cells=64, pooled=64)
_STRIP = Room(cells=1024, pooled=512)


def as_drawn(view: View, style: Style, suffix: str) -> View:
    """The view as a file of this suffix shows it: maps too large for it pooled, with notes.

    A view that this made stays as it is.
    """
    if isinstance(view, Page):
        return page_as_drawn(view, style, suffix)
    if isinstance(view, HeadLines):
        return lines_as_drawn(view)
    return strip_as_drawn(view) if isinstance(view, TokenStrip) else view


def page_as_drawn(page: Page, style: Style, suffix: str) -> Page:
    """The same for a page. The cells of an atlas have fewer colours in a PDF, which are named."""
    if page.atlas is None or page.heatmaps:
        return annotated(page)
    page = atlas_annotated(page, style, vector=suffix != ".png")
    return page.noted(f"colours in {STEPS} steps") if suffix == ".pdf" else page


def lines_as_drawn(view: HeadLines) -> HeadLines:
    """The same for lines, of which the faintest are left out."""
    return HeadLines(
        fitted(view.page, _LINES).noted(f"lines under {FAINTEST * 100:.0f} % of the scale left out")
    )


def strip_as_drawn(view: TokenStrip) -> TokenStrip:
    """The same for a strip."""
    return TokenStrip(fitted(view.page, _STRIP))
