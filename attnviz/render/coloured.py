"""A token strip as LaTeX: running text of boxes in the colours of the weights, every token as it is."""

from collections.abc import Iterator

import numpy as np

from attnviz.render.colours import bright, colours, levels
from attnviz.render.tex import tex
from attnviz.render.views import Heatmap, Page, TokenStrip


def coloured_text(view: TokenStrip) -> bytes:
    """A file to be ``\\input``, with the package xcolor. The query's own token stands in a frame."""
    page = view.page
    lines = [
        f"% attnviz: {page.recipe_json}",
        "% \\usepackage{xcolor}",
        f"% {tex(page.title)}",
        *(line for heatmap in page.heatmaps for line in _strip(page, heatmap)),
        f"{{\\footnotesize\\raggedright {tex('; '.join(page.notes))}\\par}}" if page.notes else "%",
    ]
    return ("\n".join(lines) + "\n").encode()


def _strip(page: Page, heatmap: Heatmap) -> Iterator[str]:
    yield f"{{\\footnotesize {tex(heatmap.title)}\\par}}"
    yield "{\\setlength{\\fboxsep}{1pt}\\setlength{\\fboxrule}{0.6pt}\\raggedright"
    yield from _tokens(page, heatmap)
    yield "\\par}"


def _tokens(page: Page, heatmap: Heatmap) -> Iterator[str]:
    table, seen = colours(page.cmap), heatmap.painted[0]
    places = levels(page.scale.place(np.where(seen, heatmap.weights[0], np.float32(np.nan))))
    for key, label in enumerate(heatmap.key_labels):
        text = f"\\strut {tex(label)}"
        if seen[key]:
            fill = ",".join(map(str, table[places[key]].tolist()))
            frame = "0,0,0" if heatmap.reads(0, key) else fill
            ink = "black" if bright(table)[places[key]] else "white"
            yield f"\\fcolorbox[RGB]{{{frame}}}{{{fill}}}{{\\textcolor{{{ink}}}{{{text}}}}}"
        else:
            yield f"\\textcolor{{gray}}{{{text}}}"
