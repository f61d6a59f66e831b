"""Options that say as what it is shown, how it looks and where it goes, one picture or a plan of many."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from attnviz.errors import UsageError

if TYPE_CHECKING:
    from attnviz.cli.options.reading import Kept
    from attnviz.recipes import Choice, Style, ViewName


class Scale(StrEnum):
    LINEAR = "linear"
    LOG = "log"
    SQRT = "sqrt"


class Medium(StrEnum):
    PAPER = "paper"
    TALK = "talk"
    POSTER = "poster"


@dataclass(frozen=True)
class Drawing:
    """How it looks and where it goes."""

    output: Annotated[
        str | None,
        Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write a picture (.png .pdf .svg) or the numbers (.json .csv, of maps .npz, of tables .md "
            ".tex).",
        ),
    ] = None
    json: Annotated[bool, Option("--json", help="Print the numbers as one JSON document.")] = False
    cmap: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="A colour map of matplotlib, instead of viridis, or coolwarm for differences.",
        ),
    ] = None
    scale: Annotated[Scale, Option(help="How weights become colours.")] = Scale.LINEAR
    vmax: Annotated[
        float | None,
        Option(metavar="WEIGHT", help="The weight at the top of the colours, instead of 1, or the largest "
               "difference."),
    ] = None  # fmt: skip
    title: Annotated[str | None, Option(metavar="TEXT", help="Instead of the model's name and the text.")] = (
        None
    )
    medium: Annotated[
        Medium, Option("--style", help="Sizes for print, for slides, or for reading from afar.")
    ] = Medium.PAPER
    width: Annotated[
        str | None,
        Option(metavar="3.3in|acl|acl:page", help="Of a figure; or that of a column or page of acl, "
               "neurips, cvpr or nature, with letters of its size."),
    ] = None  # fmt: skip
    dpi: Annotated[int, Option(metavar="N", min=30, max=1200, help="Dots an inch of a PNG.")] = 200
    font_size: Annotated[
        float | None,
        Option(metavar="POINTS", min=2, max=40, help="Size of a figure's text, else as the style has it."),
    ] = None
    force: Annotated[bool, Option("--force", help="Replace a file of another kind.")] = False

    def style(self) -> "Style":
        from attnviz.recipes import Style
        from attnviz.venues import inches, points

        return Style(
            cmap=self.cmap,
            scale=self.scale.value,
            vmax=self.vmax,
            title=self.title,
            medium=self.medium.value,
            width=None if self.width is None else inches(self.width),
            dpi=self.dpi,
            font_size=self.font_size or points(self.medium.value, self.width),
        )


class Drawn(StrEnum):
    HEATMAP = "heatmap"
    MAPS = "maps"
    ATLAS = "atlas"
    LINES = "lines"
    STRIP = "strip"
    HEADS = "heads"
    GRID = "grid"
    ROLLOUT = "rollout"


class EngineName(StrEnum):
    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True)
class Planned:
    """What is made of what, where no plan says it."""

    plan: Annotated[
        Path | None,
        Argument(metavar="PLAN.toml", help="Models, samples and figures; or else --texts and options."),
    ] = None
    texts: Annotated[
        Path | None,
        Option(metavar="FILE", help="Without a plan: a sample a line, or a row of a .jsonl or .csv file."),
    ] = None
    view: Annotated[Drawn, Option(help="Without a plan: what is drawn of each.")] = Drawn.HEATMAP
    truncate: Annotated[
        bool, Option("--truncate", help="Cut a text that is longer than the model allows.")
    ] = False


@dataclass(frozen=True)
class Exporting:
    """How a plan is carried out."""

    check: Annotated[
        bool, Option("--check", help="Only check the plan: models, layers, heads, files. Loads no model.")
    ] = False
    dry_run: Annotated[bool, Option("--dry-run", help="Only list what would be made.")] = False
    verify: Annotated[
        bool, Option("--verify", help="Look at the bytes of all files and weights, not only at their sizes.")
    ] = False
    engine: Annotated[EngineName, Option(help="What makes the figures: this machine, or a Ray cluster.")] = (
        EngineName.LOCAL
    )
    address: Annotated[
        str | None,
        Option(metavar="HOST:PORT", help="Of the Ray cluster; else one is looked for, or started."),
    ] = None
    workers: Annotated[
        int | None, Option(metavar="N", min=1, help="Processes that draw, or of Ray that run models.")
    ] = None


@dataclass(frozen=True)
class Keeping:
    """What is kept of a run, and where."""

    output: Annotated[
        Path, Option("-o", "--output", metavar="FILE", help="Where to: a .safetensors file, of all samples.")
    ]
    keep: Annotated[
        str,
        Option(
            metavar="all|3.5,7.1|words|none",
            help="Which maps are kept whole: all, exact heads, or none; words: all, "
            "with sub-tokens put together, which is what compare needs.",
        ),
    ] = "all"
    pooled: Annotated[
        int | None,
        Option(metavar="N", min=1, help="Keep all maps pooled to N rows and columns at most, too."),
    ] = None
    statistics: Annotated[
        bool, Option("--statistics/--no-statistics", help="Keep the statistics of every head.")
    ] = True
    text: Annotated[
        bool, Option("--text/--no-text", help="Keep the text; without it only its digest is kept.")
    ] = True
    json: Annotated[bool, Option("--json", help="Print what was kept as one JSON document.")] = False
    force: Annotated[bool, Option("--force", help="Replace a file that is no capture.")] = False


class View(StrEnum):
    HEATMAP = "heatmap"
    MAPS = "maps"
    ATLAS = "atlas"
    LINES = "lines"
    STRIP = "strip"


@dataclass(frozen=True)
class Views:
    """As what it is shown."""

    view: Annotated[
        View,
        Option(help="heatmap: the chosen maps, or an overview; maps: each with labels; atlas: each small, "
               "under its name; lines: from query to key; strip: the text in the colours of one query."),
    ] = View.HEATMAP  # fmt: skip
    query: Annotated[
        str | None,
        Option(
            metavar="WORD|N",
            help="With --view strip: whose attention; a token by its number from 0, "
            "else a token or a word, the first where there are several.",
        ),
    ] = None

    explain: Annotated[
        str | None,
        Option(metavar="WORD|N", help="Instead of a picture the numbers of one query, named as in --query, "
               "step by step, in the head of -H or the one that looks hardest beyond its neighbours."),
    ] = None  # fmt: skip

    pages: Annotated[
        bool, Option("--pages", help="With --view atlas -o FILE.pdf: over as many pages as it takes.")
    ] = False

    def styled(self, drawing: "Drawing") -> "Style":
        """How it is drawn, over pages if that was asked for. Raises UsageError where there are no pages."""
        if self.pages and not (self.view == View.ATLAS and (drawing.output or "").lower().endswith(".pdf")):
            raise UsageError("--pages goes with --view atlas and -o FILE.pdf: only a PDF has pages")
        return replace(drawing.style(), pages=self.pages)

    def check_explained(self, kept: "Kept") -> None:
        """Raises UsageError for what does not go with --explain."""
        if kept.captures is not None:
            raise UsageError("--explain needs q and k, which captures do not keep: give a TEXT and a model")
        if self.view != View.HEATMAP or self.pages or self.query is not None:
            raise UsageError("--explain prints numbers, no picture: leave out --view, --query and --pages")

    def asked(self, choice: "Choice") -> "Choice":
        """The choice with the query that was named."""
        return replace(choice, query=self.query)

    def name(self) -> "ViewName":
        name: ViewName = self.view.value
        return name
