"""Views as a notebook shows them."""

from html import escape

from attnviz.frames import html_table
from attnviz.render.columns import column
from attnviz.render.views import HeadTable


def table_html(view: HeadTable) -> str:
    """The table in HTML, with its title and its notes; of long ones the first rows."""
    shown = [column(name) for name in view.columns]
    rows = ([entry.text(row) for entry in shown] for row in view.rows)
    left = [entry.short for entry in shown if entry.left]
    table = html_table([entry.short for entry in shown], rows, len(view.rows), left)
    return f"<p>{escape(view.title)}</p>{table}<p>{escape('; '.join(view.notes))}</p>"
