"""Captions and alternative texts of views as they will be drawn."""

from attnviz.recipes import Style
from attnviz.render import prose
from attnviz.render.atlasfigure import annotated as atlas_annotated
from attnviz.render.figure import annotated
from attnviz.render.linesfigure import FAINTEST
from attnviz.render.pooling import Room, fitted
from attnviz.render.tex import tex
from attnviz.render.views import HeadLines, Page, TokenStrip, View

_LINES = Room(cells=64, pooled=64)
_STRIP = Room(cells=1024, pooled=512)


def caption(view: View) -> str:
    """A line for the reader of a figure: see ``prose.caption``. Empty if nobody knows how it was made."""
    recipe = as_drawn(view).recipe
    return prose.caption(recipe) if recipe else ""


def tex_caption(view: View) -> str:
    """The same for TeX, which prints every token as it is."""
    return tex(caption(view))


def alternative_text(view: View) -> str:
    """What can be seen, for who cannot see it: see ``prose.alternative_text``."""
    return prose.alternative_text(as_drawn(view))


def as_drawn(view: View) -> View:
    """The view with what only a figure does to it: maps too large for it pooled, with a note."""
    if isinstance(view, Page):
        return page_as_drawn(view, view.recipe.style if view.recipe else Style())
    if isinstance(view, HeadLines):
        return lines_as_drawn(view)
    return strip_as_drawn(view) if isinstance(view, TokenStrip) else view


def page_as_drawn(page: Page, style: Style) -> Page:
    """The same for a page, in a style."""
    alone = page.atlas is not None and not page.heatmaps
    return atlas_annotated(page, style) if alone else annotated(page)


def lines_as_drawn(view: HeadLines) -> HeadLines:
    """The same for lines, of which the faintest are left out."""
    return HeadLines(
        fitted(view.page, _LINES).noted(f"lines under {FAINTEST * 100:.0f} % of the scale left out")
    )


def strip_as_drawn(view: TokenStrip) -> TokenStrip:
    """The same for a strip."""
    return TokenStrip(fitted(view.page, _STRIP))
