"""A table as Markdown or LaTeX. Tokens are data: none is markup or a command."""

import string
from collections.abc import Iterable

from attnviz.render.columns import MISSING
from attnviz.render.lettering import LABEL_LENGTH
from attnviz.render.rows import Steps, Tabular
from attnviz.render.sheets import Shown, Strip, sheet
from attnviz.render.tex import tex

PAIR_LENGTH = 2 * LABEL_LENGTH  # longer cells with foreign texts are cut
_MARKUP = set("\\`*_{}[]<>#|~$&@")


def markdown_table(view: Tabular) -> str:
    """A table as GitHub and Pandoc read it, the recipe before it as a comment, the notes behind it."""
    made = sheet(view)
    lines = [
        f"<!-- attnviz: {_uncommented(view.recipe_json)} -->",
        "",
        f"**{_code(made.title)}**",
        "",
        _markdown_line(each.short for each in made.strips),
        _markdown_line(":---" if each.left else "---:" for each in made.strips),
        *(
            _markdown_line(_markdown_cell(each.cells[row]) for each in made.strips)
            for row in range(made.rows)
        ),
        "",
        *(f"- {_escaped(note)}" for note in made.notes),
    ]
    return "\n".join(lines) + "\n"


def markdown_steps(view: Steps) -> str:
    """All tables of the steps, one below the other."""
    lines = [f"**{_code(view.title)}**", "", *(f"- {_escaped(note)}" for note in view.notes), ""]
    return "\n".join([*lines, *(markdown_table(table) for table in view.tables)])


def tex_table(view: Tabular) -> str:
    """A ``tabular`` to be ``\\input``, with the package booktabs. What TeX's fonts lack is a code point."""
    made = sheet(view)
    lines = [
        f"% attnviz: {view.recipe_json}",
        "% \\usepackage{booktabs}",
        f"% {tex(made.title)}",
        f"\\begin{{tabular}}{{@{{}}{''.join('l' if each.left else 'r' for each in made.strips)}@{{}}}}",
        "\\toprule",
        _tex_line(tex(each.short) for each in made.strips),
        "\\midrule",
        *(_tex_line(_tex_cell(each, row) for each in made.strips) for row in range(made.rows)),
        "\\bottomrule",
        "\\end{tabular}",
        "\\par\\smallskip",
        f"{{\\footnotesize\\raggedright {tex('; '.join(made.notes))}.\\par}}",
    ]
    return "\n".join(lines) + "\n"


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(cell: Shown) -> str:
    parts = cell.fitted(PAIR_LENGTH)
    return "".join(_code(text) if place % 2 else _escaped(text) for place, text in enumerate(parts))


def _escaped(text: str) -> str:
    """Text of ours with a foreign name in it."""
    return "".join(f"\\{letter}" if letter in _MARKUP else letter for letter in text)


def _code(text: str) -> str:
    """Text that no reader of Markdown takes for markup, nor GitHub for a mention, an emoji or a formula."""
    if not set(text) & set("`|\\") and text == text.strip() and text:
        return f"`{text}`"
    letters = (f"&#{ord(letter)};" if letter in string.punctuation else letter for letter in text)
    return f"<code>{''.join(letters)}</code>"


def _uncommented(recipe: str) -> str:
    """The recipe as the inside of a comment: the same JSON, in which nothing ends one."""
    return recipe.replace("-", "\\u002d") if "--" in recipe or "->" in recipe else recipe


def _tex_line(cells: Iterable[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _tex_cell(strip: Strip, row: int) -> str:
    cell = strip.cells[row]
    if cell.foreign:
        parts = cell.fitted(PAIR_LENGTH)
        return "".join(_token(text) if place % 2 else tex(text) for place, text in enumerate(parts))
    if cell.text == MISSING:
        return "--"
    return f"${cell.text}$" if cell.text[:1] in ("+", "-", "<") else tex(cell.text)


def _token(text: str) -> str:
    return f"\\texttt{{{tex(text)}}}"
