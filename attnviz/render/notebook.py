"""Views, captures and comparisons as a notebook shows them. All text is data: none becomes markup."""

from base64 import b64encode
from html import escape

from attnviz.analysis.comparison import Comparison
from attnviz.captures import Capture
from attnviz.frames import html_table
from attnviz.recipes import Choice, Style
from attnviz.render.comparepages import comparison_view
from attnviz.render.files import formats_of
from attnviz.render.pages import heatmap_page, title_of
from attnviz.render.rows import Tabular
from attnviz.render.sheets import sheet
from attnviz.render.tablefigure import MOST_ROWS
from attnviz.render.views import View

STYLE = Style(dpi=110)


def table_html(view: Tabular) -> str:
    """The table in HTML, with its title and its notes; of long ones the first rows."""
    made = sheet(view)
    rows = ([strip.cells[row].text for strip in made.strips] for row in range(made.rows))
    left = [strip.short for strip in made.strips if strip.left]
    table = html_table([strip.short for strip in made.strips], rows, made.rows, left)
    return f"<p>{escape(made.title)}</p>{table}<p>{escape('; '.join(made.notes))}</p>"


def view_png(view: View) -> bytes | None:
    """The view as a picture, title and notes within; None for a table of too many rows for one."""
    if isinstance(view, Tabular) and len(view.rows) > MOST_ROWS:
        return None
    return _drawn(view)


def capture_html(seen: Capture) -> str:
    """A picture of all maps, or what else was kept, in words."""
    data = capture_png(seen)
    return f"<p>{escape(repr(seen))}</p>" if data is None else _image(data, title_of(seen))


def capture_png(seen: Capture) -> bytes | None:
    """A picture of all maps; None where no maps were kept that could be drawn."""
    if not seen.maps and not seen.pooled:
        return None
    return _drawn(heatmap_page(seen, Choice(), STYLE))


def comparison_html(found: Comparison) -> str:
    """All heads beside all, and the table of matches."""
    table = comparison_view(found, "matches", STYLE)
    assert isinstance(table, Tabular)
    return _image(comparison_png(found), table.title) + table_html(table)


def comparison_png(found: Comparison) -> bytes:
    """All heads beside all."""
    return _drawn(comparison_view(found, "heads", STYLE))


def _drawn(view: View) -> bytes:
    data, _ = formats_of(type(view))[".png"].write(view, STYLE)
    return data


def _image(data: bytes, title: str) -> str:
    """A picture inside of HTML, with what it shows for those who do not see it."""
    return f'<img alt="{escape(title)}" src="data:image/png;base64,{b64encode(data).decode()}">'
