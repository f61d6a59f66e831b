"""Every option, defined once. A command takes the groups that it needs as parameters.

    @command
    def heatmap(inputs: Inputs, model: Model, choice: Choices) -> None: ...

Each field of a group becomes an option of the command.
"""

import errno
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from typer import Argument, Context, Option

from attnviz import DEFAULT_MODEL
from attnviz.cli.advice import advising
from attnviz.errors import OutputError, UsageError

if TYPE_CHECKING:
    from attnviz.models.base import Source
    from attnviz.recipes import Choice, Comparing, Listing, Style, ViewName


class DType(StrEnum):
    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Kind(StrEnum):
    SELF = "self"
    CROSS = "cross"


class Mean(StrEnum):
    HEADS = "heads"
    LAYERS = "layers"
    ALL = "all"


class Scale(StrEnum):
    LINEAR = "linear"
    LOG = "log"
    SQRT = "sqrt"


class Medium(StrEnum):
    PAPER = "paper"
    TALK = "talk"
    POSTER = "poster"


class View(StrEnum):
    HEATMAP = "heatmap"
    MAPS = "maps"
    ATLAS = "atlas"
    LINES = "lines"
    STRIP = "strip"


class Measure(StrEnum):
    JS = "js"
    CKA = "cka"


class Match(StrEnum):
    ONE_TO_ONE = "one-to-one"
    NEAREST = "nearest"


class Compared(StrEnum):
    MATCHES = "matches"
    RANKED = "ranked"
    HEADS = "heads"
    LAYERS = "layers"
    MAPS = "maps"
    CHANGE = "change"


@dataclass(frozen=True)
class Texts:
    """What is read."""

    texts: Annotated[
        list[str] | None,
        Argument(
            metavar="TEXT", help="What the model reads; several are several samples, - is standard input."
        ),
    ] = None
    file: Annotated[Path | None, Option("--file", "-f", help="Read the text from a file.")] = None
    lines: Annotated[bool, Option("--lines", help="With --file or -: a sample a line.")] = False
    pair: Annotated[
        str | None,
        Option(
            metavar="TEXT",
            help="The second segment, for models that take two; for an "
            "encoder-decoder what it is to have written.",
        ),
    ] = None
    chat: Annotated[bool, Option("--chat", help="Put the text through the model's chat template.")] = False
    truncate: Annotated[
        bool, Option("--truncate", help="Cut a text that is longer than the model allows.")
    ] = False


@dataclass(frozen=True)
class Inputs(Texts):
    """What is read, and what the model goes on to write."""

    generate: Annotated[
        int,
        Option(metavar="N", min=0, help="Let the model write N tokens after the text, always the likeliest, "
               "and look at them too.", show_default=False),
    ] = 0  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What was seen before, in place of inputs and a model."""

    captures: Annotated[
        Path | None,
        Option("--from", metavar="CAPTURE", help="Show what attnviz capture kept, without a model; or a .npz "
               "with attention[layer,head,query,key] and tokens."),
    ] = None  # fmt: skip


@dataclass(frozen=True)
class KeptModels:
    """What several models saw before, in place of inputs and models."""

    captures: Annotated[
        list[Path] | None,
        Option("--from", metavar="CAPTURE", help="What attnviz capture --keep words kept of a model, instead "
               "of running it; once for each."),
    ] = None  # fmt: skip


@dataclass(frozen=True)
class KeptTwo:
    """What was seen before of two samples, in place of inputs and a model."""

    captures: Annotated[
        list[Path] | None,
        Option("--from", metavar="CAPTURE", help="Two samples that attnviz capture kept, without a model: "
               "one file of both, or --from twice."),
    ] = None  # fmt: skip


Device = Annotated[str, Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where it runs.")]
Precision = Annotated[DType, Option(help="auto: float32 on a CPU, the checkpoint's own on a GPU.")]
Offline = Annotated[bool, Option("--offline", help="Use what is on disk alone, as HF_HUB_OFFLINE=1 does.")]
RemoteCode = Annotated[bool, Option("--allow-remote-code", help="Run Python code that comes with the model.")]
Pickle = Annotated[
    bool, Option("--allow-pickle", help="Load weights that are not safetensors; they can run code.")
]
MODEL_VARIABLE = "ATTNVIZ_MODEL"


@dataclass(frozen=True)
class Model:
    """Which model, and how it is loaded."""

    model: Annotated[
        str,
        Option("-m", "--model", metavar="NAME[@REVISION]", envvar=MODEL_VARIABLE, help="A model that ships "
               "(builtin:encoder), a directory, or a name on the Hugging Face hub."),
    ] = DEFAULT_MODEL  # fmt: skip
    device: Device = "auto"
    dtype: Precision = DType.AUTO
    offline: Offline = False
    allow_remote_code: RemoteCode = False
    allow_pickle: Pickle = False

    def load(self, *, generates: bool = False) -> "Source":
        """The model; generates: it is to write text too."""
        from attnviz import api

        return api.load_model(
            self.model,
            device=self.device,
            dtype=self.dtype.value,
            offline=self.offline,
            allow_remote_code=self.allow_remote_code,
            allow_pickle=self.allow_pickle,
            generates=generates,
        )


@dataclass(frozen=True)
class Models:
    """Which models, and how they are loaded."""

    several: Annotated[
        list[str] | None,
        Option("-m", "--model", metavar="NAME[@REVISION]", help="A model that ships (builtin:encoder), a "
               "directory, or a name on the Hugging Face hub; once for each.", show_default=False),
    ] = None  # fmt: skip
    device: Device = "auto"
    dtype: Precision = DType.AUTO
    offline: Offline = False
    allow_remote_code: RemoteCode = False
    allow_pickle: Pickle = False

    def names(self) -> list[str]:
        """Those that were named, or else the usual one."""
        return self.several or [os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL]

    def model(self, name: str) -> Model:
        """One of them."""
        return Model(name, self.device, self.dtype, self.offline, self.allow_remote_code, self.allow_pickle)


@dataclass(frozen=True)
class Most:
    """How many heads are shown, those with the most first."""

    top: Annotated[
        int | None,
        Option(metavar="N", min=1, help="The N heads that changed most: rows of the table (10), or of the "
               "maps that are chosen."),
    ] = None  # fmt: skip


@dataclass(frozen=True)
class Choices:
    """What of it is shown, in the order in which it is applied."""

    layer: Annotated[
        str | None, Option("-l", "--layer", metavar="0,2-4,-1", help="Layers, from 0; -1 is the last.")
    ] = None
    head: Annotated[
        str | None, Option("-H", "--head", metavar="0-3|3.5,7.1", help="Heads, or exact heads.")
    ] = None
    kind: Annotated[Kind | None, Option(help="Self-attention or cross-attention alone.")] = None
    tokens: Annotated[str | None, Option(metavar="0:40", help="This part of the text alone.")] = None
    special: Annotated[
        str,
        Option(metavar="show|hide|renorm[:first]", help="Special tokens: hide them, or rescale the rows too; "
               ":first means the first token alone."),
    ] = "show"  # fmt: skip
    words: Annotated[bool, Option("--words", help="Put sub-tokens together to words.")] = False
    mean: Annotated[Mean | None, Option(help="Average over heads, layers or all of what is chosen.")] = None

    def choice(self) -> "Choice":
        from attnviz.recipes import Choice

        return Choice(
            layers=self.layer,
            heads=self.head,
            kind=self.kind.value if self.kind else None,
            tokens=self.tokens,
            special=self.special,
            words=self.words,
            mean=self.mean.value if self.mean else None,
        )


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
        Option(metavar="TOKEN|N", help="With --view strip: whose attention; a token, or its number from 0."),
    ] = None

    pages: Annotated[
        bool, Option("--pages", help="With --view atlas -o FILE.pdf: over as many pages as it takes.")
    ] = False

    def styled(self, drawing: "Drawing") -> "Style":
        """How it is drawn, over pages if that was asked for. Raises UsageError where there are no pages."""
        if self.pages and not (self.view == View.ATLAS and (drawing.output or "").lower().endswith(".pdf")):
            raise UsageError("--pages goes with --view atlas and -o FILE.pdf: only a PDF has pages")
        return replace(drawing.style(), pages=self.pages)

    def asked(self, choice: "Choice") -> "Choice":
        """The choice with the query that was named."""
        return replace(choice, query=self.query)

    def name(self) -> "ViewName":
        name: ViewName = self.view.value
        return name


@dataclass(frozen=True)
class Heads:
    """Which heads a table shows, in which order, and what of them."""

    where: Annotated[
        str | None,
        Option(metavar="CONDITION", help="The heads of which it holds: 'induction>0.4 and layer<6'; and, or, "
               "not, brackets."),
    ] = None  # fmt: skip
    sort: Annotated[
        str | None,
        Option(metavar="NAME", help="By this number, the largest first; -NAME: the smallest first."),
    ] = None
    top: Annotated[int | None, Option(metavar="N", min=1, help="The first N alone.")] = None
    columns: Annotated[
        str | None,
        Option(metavar="NAME,...", help="These columns alone; there are also NAME.baseline, .rows, .samples "
               "and .interval."),
    ] = None  # fmt: skip
    grid: Annotated[
        str | None,
        Option(metavar="NAME", help="Instead of a table, this statistic of all heads as a colour."),
    ] = None
    explain: Annotated[bool, Option("--explain", help="Print what the patterns and the statistics mean.")] = (
        False
    )
    seed: Annotated[
        int, Option(metavar="N", min=0, help="Of the samples drawn for intervals, which ten samples have.")
    ] = 0

    def listing(self) -> "Listing":
        from attnviz.recipes import Listing

        return Listing(self.where, self.sort, self.top, self.columns, self.grid, self.seed)


@dataclass(frozen=True)
class Pairing:
    """How heads of two models are compared, and what is shown of that."""

    measure: Annotated[
        Measure,
        Option(help="js: 1 - Jensen-Shannon distance, row by row; cka: linear centred kernel alignment."),
    ] = Measure.JS
    match: Annotated[
        Match, Option(help="Each head of A has a head of B for its own, or its nearest, whosever else it is.")
    ] = Match.ONE_TO_ONE
    as_is: Annotated[
        bool,
        Option("--as-is", help="Compare also what only one of the two may see: causal models with others."),
    ] = False
    seed: Annotated[
        int, Option(metavar="N", min=0, help="Of the samples drawn for the null and for intervals.")
    ] = 0
    view: Annotated[
        Compared | None,
        Option(help="The table of matches; of models of one architecture the heads ranked by their change, "
               "or the change of each in its place; every head, or layer, of A beside every one of B; or the "
               "maps of the best and worst matches.  [default: ranked, change and matches, as there are; "
               "for a picture heads; for numbers matches]", show_default=False),
    ] = None  # fmt: skip
    top: Annotated[
        int | None,
        Option(metavar="N", min=1, help="The first N rows of a table alone. In a terminal, of models of one "
               "architecture, 10."),
    ] = None  # fmt: skip
    expect: Annotated[
        str | None,
        Option(metavar="CONDITION", help="What must hold, else exit status 3: 'max_js_change<0.05'; matches, "
               "matched (their share), min_, mean_ and max_similarity, and of one architecture "
               "min_, mean_ and max_js_change."),
    ] = None  # fmt: skip

    def comparing(self) -> "Comparing":
        from attnviz.recipes import Comparing

        return Comparing(self.measure.value, self.match.value, self.as_is, self.seed)


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


def command(function: Callable[..., None]) -> Callable[..., None]:
    """The function as typer sees it: each field of a group is a parameter of its own."""
    groups: dict[str, Any] = {
        name: hint for name, hint in get_type_hints(function).items() if is_dataclass(hint)
    }

    @wraps(function)
    def flat(context: Context, **values: Any) -> None:
        _check_idle(context)
        grouped = {
            name: {entry.name: values[entry.name] for entry in fields(group)}
            for name, group in groups.items()
        }
        try:
            with advising(function.__name__):
                function(**{name: group(**grouped[name]) for name, group in groups.items()})
            sys.stdout.flush()
        except BrokenPipeError:
            _forget_output()  # whoever read it is gone
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EIO):
                raise
            _forget_output()
            raise OutputError(f"cannot write to standard output: {error.strerror}") from error

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Context)
    parameters = [context, *(parameter for group in groups.values() for parameter in _parameters(group))]
    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return flat


def _check_idle(context: Context) -> None:
    """Raises UsageError for inputs and a model beside --from, where nothing is run."""
    if not context.params.get("captures"):
        return
    idle = {entry.name for group in (Inputs, Model, Models) for entry in fields(group)}
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in idle and source is not None and source.name == "COMMANDLINE":
            name = option.opts[-1] if option.opts[-1].startswith("-") else "TEXT"
            raise UsageError(f"--from shows what was seen before and runs no model: leave out {name}")


def _forget_output() -> None:
    """Let the interpreter close standard output without a complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parameters(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            entry.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hints[entry.name],
            default=inspect.Parameter.empty if entry.default is MISSING else entry.default,
        )
        for entry in fields(group)
    ]
