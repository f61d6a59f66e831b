"""``attnviz caption``: what a file that attnviz wrote says of itself, in sentences."""

import sys
from dataclasses import dataclass
from typing import Annotated

from typer import Option

from attnviz.cli.options import Written, command


@dataclass(frozen=True)
class Captioned:
    """Which file is described, and how."""

    file: Written
    tex: Annotated[bool, Option("--tex", help="For TeX, which prints every token as it is.")] = False


@command
def caption(captioned: Captioned) -> None:
    """Write the caption of a figure: model, layers and heads, what was averaged or hidden, the scale."""
    from attnviz import exporting

    sys.stdout.write(exporting.caption(captioned.file, tex=captioned.tex) + "\n")
