"""Views as a notebook shows them."""

from html import escape

from attnviz.frames import html_table
from attnviz.render.sheets import sheet
from attnviz.render.views import Tabular


def table_html(view: Tabular) -> str:
    """The table in HTML, with its title and its notes; of long ones the first rows."""
    made = sheet(view)
    rows = ([strip.cells[row].text for strip in made.strips] for row in range(made.rows))
    left = [strip.short for strip in made.strips if strip.left]
    table = html_table([strip.short for strip in made.strips], rows, made.rows, left)
    return f"<p>{escape(made.title)}</p>{table}<p>{escape('; '.join(made.notes))}</p>"
