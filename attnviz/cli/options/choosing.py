"""Options that say what of it is shown, and how heads are compared."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from typer import Option

if TYPE_CHECKING:
    from attnviz.recipes import Choice, Comparing, Listing


class Kind(StrEnum):
    SELF = "self"
    CROSS = "cross"


class Mean(StrEnum):
    HEADS = "heads"
    LAYERS = "layers"
    ALL = "all"


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
class Most:
    """How many heads are shown, those with the most first."""

    top: Annotated[
        int | None,
        Option(metavar="N", min=1, help="The N heads that changed most: rows of the table (10), or of the "
               "maps that are chosen."),
    ] = None  # fmt: skip


LayerNumbers = Annotated[
    str | None, Option("-l", "--layer", metavar="0,2-4,-1", help="Layers, from 0; -1 is the last.")
]
HeadNumbers = Annotated[
    str | None, Option("-H", "--head", metavar="0-3|3.5,7.1", help="Heads, or exact heads.")
]
Special = Annotated[
    str,
    Option(metavar="show|hide|renorm[:first]", help="Special tokens: hide them, or rescale the rows too; "
           ":first means the first token alone."),
]  # fmt: skip
Averaged = Annotated[Mean | None, Option(help="Average over heads, layers or all of what is chosen.")]


@dataclass(frozen=True)
class Choices:
    """What of it is shown, in the order in which it is applied."""

    layer: LayerNumbers = None
    head: HeadNumbers = None
    kind: Annotated[Kind | None, Option(help="Self-attention or cross-attention alone.")] = None
    tokens: Annotated[str | None, Option(metavar="0:40", help="This part of the text alone.")] = None
    special: Special = "show"
    words: Annotated[bool, Option("--words", help="Put sub-tokens together to words.")] = False
    mean: Averaged = None

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
class Varied:
    """What else a head's queries and keys are made into: each score with each temperature under each mask."""

    score: Annotated[
        str | None,
        Option(metavar="dot,scaled,...", help="dot, scaled, cosine, linear; of models that learnt their "
               "parameters general, concat, additive.  [default: scaled; with nothing varied all four]",
               show_default=False),
    ] = None  # fmt: skip
    temperature: Annotated[
        str | None,
        Option(metavar="0.1,1,5", help="What scores are divided by before the softmax; 0: the largest has it "
               "all.  [default: 1]", show_default=False),
    ] = None  # fmt: skip
    mask: Annotated[
        str | None,
        Option(metavar="causal,window:2,global:0,block:4", help="Besides the model's own; & is what both "
               "allow, + what either does: 'causal&window:2+global:0'."),
    ] = None  # fmt: skip


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
class Linking:
    """Which heads of a translator are shown, and which words they link."""

    layer: LayerNumbers = None
    head: HeadNumbers = None
    mean: Averaged = None
    best: Annotated[
        bool,
        Option("--best", help="The head that aligned best on texts kept from the training. That is what is "
               "shown where it is known; else it is the mean over the heads of the last layer but one."),
    ] = False  # fmt: skip
    threshold: Annotated[
        float | None,
        Option(metavar="WEIGHT", help="Link all words with at least this weight, besides each target word's "
               "strongest."),
    ] = None  # fmt: skip
    special: Special = "show"

    def choice(self) -> "Choice":
        from attnviz.recipes import Choice

        return Choice(
            layers=self.layer,
            heads=self.head,
            special=self.special,
            mean=self.mean.value if self.mean else None,
        )
