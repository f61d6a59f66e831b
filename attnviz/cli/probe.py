"""``attnviz probe``: heads against known relations, repeated random tokens, and the first token."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from attnviz.cli.options import Choices, Drawing, Inputs, Kept, Model, command
from attnviz.errors import UsageError

if TYPE_CHECKING:
    from attnviz.cli.progress import Bar
    from attnviz.recipes import Choice, Style
    from attnviz.render.rows import Table

SEQUENCES, LENGTH = 20, 50


@dataclass(frozen=True)
class Probes:
    """What a model is probed with."""

    relations: Annotated[
        str | None,
        Option(metavar="FILE|builtin", help="Which heads find the relations of a file: CoNLL-U (source is "
               "the dependent, target its head) or lines of JSON; or those of the builtin language."),
    ] = None  # fmt: skip
    induction: Annotated[
        bool, Option("--induction", help="Which heads go on as random tokens went on before.")
    ] = False
    sink: Annotated[
        bool,
        Option("--sink", help="How much heads look at the first token, of random tokens and of the texts."),
    ] = False
    sequences: Annotated[
        int | None, Option(metavar="N", min=1, help=f"Sequences of random tokens, else {SEQUENCES}.")
    ] = None
    length: Annotated[
        int | None, Option(metavar="N", min=2, help=f"Random tokens drawn for each, else {LENGTH}.")
    ] = None
    top: Annotated[int | None, Option(metavar="N", min=1, help="The first N heads alone.")] = None
    seed: Annotated[
        int, Option(metavar="N", min=0, help="Of the halves, the random tokens and the intervals.")
    ] = 0


@command
def probe(
    *, inputs: Inputs, kept: Kept, model: Model, probes: Probes, choices: Choices, drawing: Drawing
) -> None:
    """Test heads: against known relations, on repeated random tokens, or for how much a first token takes.

    One of --relations, --induction and --sink; TEXT is for --sink.
    """
    from attnviz import api
    from attnviz.cli import output, progress
    from attnviz.recipes import Listing
    from attnviz.render.rows import Table

    choice, style = choices.choice(), drawing.style()
    _check(inputs, kept, probes)
    api.check_heads(choice, Listing(), style)
    files = output.target(drawing, Table)
    asking = _Asking(inputs, kept, model, probes, choice, style)
    with progress.Bar() as bar:
        view = asking.relations(bar) if probes.relations is not None else asking.tokens(bar)
    output.show([view], files, drawing, style)


def _check(inputs: Inputs, kept: Kept, probes: Probes) -> None:
    """Raises UsageError unless one probe was named, with options of its own alone."""
    named = [probes.relations is not None, probes.induction, probes.sink]
    if sum(named) != 1:
        raise UsageError("name one probe: --relations FILE (or builtin), --induction, or --sink")
    if not probes.sink and (inputs.texts or inputs.file):
        raise UsageError("only --sink reads a TEXT: relations bring theirs, and induction draws tokens")
    drawn = {"--sequences": probes.sequences, "--length": probes.length, "--top": probes.top}
    for option, value in drawn.items():
        if probes.relations is not None and value is not None:
            raise UsageError(f"{option} is for --induction and --sink: leave it out with --relations")
    if probes.relations is None and kept.captures is not None:
        raise UsageError("--from goes with --relations: random tokens have to be read by a model")


@dataclass(frozen=True)
class _Asking:
    """A probe, ready to be made."""

    inputs: Inputs
    kept: Kept
    model: Model
    probes: Probes
    choice: "Choice"
    style: "Style"

    def relations(self, bar: "Bar") -> "Table":
        from attnviz import api
        from attnviz.cli import read
        from attnviz.probes import corpus_of

        corpus = corpus_of(self.probes.relations or "")  # before a model is loaded
        seen = read.captures(self.kept)
        options: dict[str, Any] = {"choice": self.choice, "seed": self.probes.seed, "report": bar.show}
        if seen is not None:
            found = api.probe(corpus, seen=seen, **options)
        else:
            truncate = self.inputs.truncate
            found = api.probe(corpus, model=self.model.load(), truncate=truncate, **options)
        return api.probe_table(found, style=self.style)

    def tokens(self, bar: "Bar") -> "Table":
        from attnviz import api
        from attnviz.cli import read

        inputs, probes = self.inputs, self.probes
        options: dict[str, Any] = {
            "sequences": probes.sequences or SEQUENCES,
            "length": probes.length or LENGTH,
            "seed": probes.seed,
            "top": probes.top,
            "choice": self.choice,
            "style": self.style,
            "report": bar.show,
        }
        if probes.induction:
            return api.induction(model=self.model.load(), **options)
        texts = read.samples(inputs) if inputs.texts or inputs.file else None
        source = self.model.load(generates=inputs.generate > 0)
        return api.sink(texts, model=source, truncate=inputs.truncate, **options)
