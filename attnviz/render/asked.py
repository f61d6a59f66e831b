"""The row of one query: which one is meant, and pages that show it alone."""

from dataclasses import replace

from attnviz.errors import SelectionError
from attnviz.inputs import printable
from attnviz.render.views import Heatmap, Page

_FEW = 12  # tokens that a message lists


def asked(page: Page, query: str) -> Page:
    """The page with that query's row alone in each map.

    query: a token, or its number in the text from 0
    Raises SelectionError if there is no such token, or more than one.
    """
    maps = tuple(_alone(heatmap, row_of(heatmap, query)) for heatmap in page.heatmaps)
    told = dict.fromkeys(
        f"query: “{heatmap.query_labels[0]}”, token {heatmap.query_positions[0]}" for heatmap in maps
    )
    return replace(page, heatmaps=maps).noted(*told)


def row_of(heatmap: Heatmap, query: str) -> int:
    """Which row is meant. Raises as ``asked`` does."""
    if query.isdecimal() and int(query) in heatmap.query_positions:
        return heatmap.query_positions.index(int(query))
    for same in (query.__eq__, lambda label: label.casefold() == query.casefold()):
        rows = [row for row, label in enumerate(heatmap.query_labels) if same(label)]
        if len(rows) == 1:
            return rows[0]
        if rows:
            places = ", ".join(str(heatmap.query_positions[row]) for row in rows)
            raise SelectionError(
                f"--query {printable(query)!r} stands at {places}: give the number of the one that is meant"
            )
    some = ", ".join(heatmap.query_labels[:_FEW]) + (", …" if len(heatmap.query_labels) > _FEW else "")
    raise SelectionError(f"--query {printable(query)!r} is none of the tokens: there are {some}")


def _alone(heatmap: Heatmap, row: int) -> Heatmap:
    rows = slice(row, row + 1)
    return replace(
        heatmap,
        weights=heatmap.weights[rows],
        visible=heatmap.visible[rows],
        computed=heatmap.computed[rows],
        query_labels=heatmap.query_labels[rows],
        query_positions=heatmap.query_positions[rows],
    )
