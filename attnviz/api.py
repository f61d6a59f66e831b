"""The verbs of ``import attnviz``. A command of the command line is ten lines of these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from attnviz import DEFAULT_MODEL
from attnviz.analysis import reduce, select
from attnviz.captures import Capture, Captures, LayerFacts, numbered
from attnviz.errors import InputError, UsageError
from attnviz.inputs import Sample
from attnviz.recipes import Choice, Style
from attnviz.render import pages
from attnviz.render.views import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from transformers import PreTrainedModel

    from attnviz.builtin.check import Check
    from attnviz.builtin.schedule import Progress
    from attnviz.models.base import Encoded, Source
    from attnviz.models.diagnosis import Diagnosis, Needs
    from attnviz.observe.base import Observer

    Readable = str | Sample | Mapping[str, Tensor]

POOLED_ABOVE = 512  # tokens; above it the overview is drawn from pooled maps
POOLED_TO = 256

ALL, AUTO = "all", "auto"
"""What to keep: every map whole; or what a picture needs."""


def load_model(
    name: "str | PreTrainedModel" = DEFAULT_MODEL,
    *,
    tokenizer: Any = None,
    device: str = "auto",
    dtype: str = "auto",
    offline: bool = False,
    allow_remote_code: bool = False,
    allow_pickle: bool = False,
    generates: bool = False,
) -> "Source":
    """A model to capture from: ``builtin:encoder``, a directory, or a hub name with ``@revision``.

    name: or a model of transformers that is there already, with its tokenizer; it is looked over only once
    generates: samples may ask it to write on (``Sample("The cat", generate=20)``)
    Raises ModelError if it cannot be found, or not be captured exactly.
    """
    from attnviz.models import families

    if not isinstance(name, str) or tokenizer is not None:
        from attnviz.models.given import source_of

        return source_of(name, tokenizer)
    return families.load(
        name,
        device=device,
        dtype=dtype,
        offline=offline,
        allow_remote_code=allow_remote_code,
        allow_pickle=allow_pickle,
        generates=generates,
    )


@overload
def capture(  # type: ignore[overload-overlap]  # a text is a sequence of texts too, but never meant as one
    sample: "Readable",
    *,
    model: "str | Source | PreTrainedModel" = ...,
    keep: str | None = ...,
    pooled: int | None = ...,
    statistics: bool = ...,
    labels: Sequence[str] | None = ...,
    tokenizer: Any = ...,
    choice: Choice = ...,
    truncate: bool = ...,
) -> Capture: ...
@overload
def capture(
    sample: "Sequence[Readable]",
    *,
    model: "str | Source | PreTrainedModel" = ...,
    keep: str | None = ...,
    pooled: int | None = ...,
    statistics: bool = ...,
    labels: None = ...,
    tokenizer: Any = ...,
    choice: Choice = ...,
    truncate: bool = ...,
) -> Captures: ...


def capture(
    sample: "Readable | Sequence[Readable]",
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    keep: str | None = AUTO,
    pooled: int | None = None,
    statistics: bool = True,
    labels: Sequence[str] | None = None,
    tokenizer: Any = None,
    choice: Choice = Choice(),
    truncate: bool = False,
) -> Capture | Captures:
    """Runs a text through a model once and keeps what is seen of its attention.

    sample:     a text, a Sample, or the tensors that a model of yours is called with (a batch of one); of a
                list of these the captures are made one at a time, as they are asked for
    model:      a name, what ``load_model`` returns, or any model of transformers: fine-tuned, quantised,
                compiled, with adapters; it is left as it was
    keep:       which whole maps: "all", exact heads and layers ("3.5,7.1", "0-3,cross.1"), or None; "auto":
                what a picture of the choice needs, without one all, above 512 tokens pooled to 256 x 256
    pooled:     keep the maps of all heads pooled to so many rows and columns at most, too
    statistics: compute those of every head (``attnviz.metrics``)
    labels:     what to call the tokens of prepared tensors
    tokenizer:  that of a model of yours, for texts, and for labels where none are given
    truncate:   cut a text that is longer than the model can read
    Raises InputError for a sample the model cannot take, SelectionError for layers or heads it does not have,
    ModelError for a model that cannot be captured exactly.
    """
    from attnviz.models.given import encoded, source_of
    from attnviz.observe.run import observe
    from attnviz.observe.several import OneAtATime

    wishes = _Wishes(keep, choice, pooled, statistics=statistics)
    samples = _several(sample, labels)
    source = source_of(model, tokenizer)
    batch = [encoded(source, each, labels=labels, truncate=truncate) for each in samples]

    def look(each: "Encoded") -> Capture:
        return observe(source, each, _observers(source, each, wishes))

    captures = OneAtATime(batch, look)
    return captures[0] if isinstance(sample, str | Sample | Mapping) else captures


@dataclass(frozen=True)
class _Wishes:
    """What is to be kept of a run, as ``capture`` says. Raises UsageError for what cannot be understood."""

    keep: str | None
    choice: Choice
    pooled: int | None
    statistics: bool

    def __post_init__(self) -> None:
        check(self.choice)
        if self.keep not in (None, AUTO, ALL):
            select.check_named(self.keep)
        if self.pooled is not None and self.pooled < 1:
            raise UsageError(f"pooled={self.pooled} is no size: give the most rows and columns, such as 256")


def _several(
    sample: "Readable | Sequence[Readable]", labels: Sequence[str] | None
) -> "list[Sample | Mapping[str, Tensor]]":
    """The samples, of which none may be empty: that is said before a model is loaded."""
    alone = isinstance(sample, str | Sample | Mapping)
    samples = [sample] if isinstance(sample, str | Sample | Mapping) else sample
    if not samples:
        raise InputError("no samples: give one at least")
    if labels is not None and not alone:
        raise UsageError("labels are those of one sample, not of a list of them")
    named = [_named(each, "text" if alone else f"text-{number}") for number, each in enumerate(samples, 1)]
    for each in named:
        if isinstance(each, Sample) and "" in (each.text.strip(), each.pair and each.pair.strip()):
            raise InputError(f"{each.name} is empty: give at least one word")
    return named


def _named(sample: "Readable", name: str) -> "Sample | Mapping[str, Tensor]":
    return Sample(sample, name=name) if isinstance(sample, str) else sample


def _observers(source: "Source", encoded: "Encoded", wishes: _Wishes) -> "list[Observer]":
    """Whoever has to look at a run for the wishes to come true."""
    from attnviz.observe.pool import PoolMaps

    keeper = _keeper(source, encoded, wishes)
    observers = [keeper] if keeper else []
    if wishes.pooled is not None:
        observers.append(PoolMaps(wishes.pooled))
    if wishes.statistics:
        from attnviz.observe.statistics import HeadStatistics

        observers.append(HeadStatistics())
    return observers


def _keeper(source: "Source", encoded: "Encoded", wishes: _Wishes) -> "Observer | None":
    """Whole maps where they were asked for or the text is short, else pooled ones."""
    from attnviz.observe.keep import KeepMaps
    from attnviz.observe.pool import PoolMaps

    if wishes.keep is None:
        return None
    wanted = _wanted(source.facts.layers, wishes)
    length = max(len(axis) for axes in encoded.axes.values() for axis in axes)
    overview = wishes.keep == AUTO and wishes.choice == Choice(kind=wishes.choice.kind)
    if overview and length > POOLED_ABOVE:
        return None if wishes.pooled else PoolMaps(POOLED_TO, wanted)
    _check_fits(source, encoded, wanted, wishes)
    return KeepMaps(wanted)


def _wanted(layers: Sequence[LayerFacts], wishes: _Wishes) -> select.Wanted:
    """The heads whose maps are wanted, by layer."""
    if wishes.keep in (None, AUTO, ALL):
        return select.wanted_heads(layers, wishes.choice if wishes.keep == AUTO else Choice())
    return select.named_heads(layers, wishes.keep)


def _check_fits(source: "Source", encoded: "Encoded", wanted: select.Wanted, wishes: _Wishes) -> None:
    """Raises InputError if maps of so many heads take more memory than there is."""
    from attnviz.observe.choice import map_bytes
    from attnviz.observe.memory import check_fits

    length = max(len(axis) for axes in encoded.axes.values() for axis in axes)
    options = "choose fewer with -l/--layer and -H/--head, or leave out --tokens, --special and --words"
    check_fits(
        map_bytes(source.facts.layers, wanted, encoded.axes),
        what=f"maps of {sum(map(len, wanted.values()))} heads over {length:,} tokens",
        instead=options if wishes.keep == AUTO else "keep fewer, such as 3.5, or pooled ones",
    )


def doctor(
    text: str,
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    tokens: Sequence[int] = (),
) -> "Diagnosis":
    """Whether a model is captured exactly, layer by layer, examined on a text; see ``Diagnosis.passed``.

    tokens: also say what looking at texts of so many tokens takes
    Raises InputError for a text the model cannot take, ModelError for a model that is not captured at all.
    """
    from attnviz.models.doctor import RowSums, examined
    from attnviz.models.given import source_of
    from attnviz.observe.keep import KeepMaps
    from attnviz.observe.run import observe

    source = source_of(model, tokenizer)
    encoded = source.encode(Sample(text))
    if any(len(axis) == 1 for pair in encoded.axes.values() for axis in pair):
        encoded = source.encode(Sample(text, pair=text))  # a decoder that has written nothing sees nothing
    sums = RowSums()
    seen = observe(source, encoded, [KeepMaps(), sums])
    needs = tuple(_needs(source, encoded, count) for count in tokens)
    return examined(source.opened(encoded), seen, sums, needs)


def _needs(source: "Source", encoded: "Encoded", tokens: int) -> "Needs":
    """What looking at a text of so many tokens takes."""
    from attnviz.models.diagnosis import Needs
    from attnviz.observe.choice import map_bytes

    axes = {name: (numbered(tokens), numbered(tokens)) for name in encoded.axes}
    return Needs(tokens, map_bytes(source.facts.layers, None, axes))


def check(choice: Choice, style: Style | None = None) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    select.check(choice)
    reduce.check(choice)
    if style is not None:
        pages.check(style)


def heatmap(seen: Capture, *, choice: Choice = Choice(), style: Style = Style()) -> Page:
    """What ``attnviz heatmap`` shows of a capture, ready to be drawn."""
    return pages.heatmap_page(seen, choice, style)


def save(page: Page, file: str | Path, *, style: Style = Style(), force: bool = False) -> tuple[str, ...]:
    """Writes a page as a picture (.png .pdf .svg) or its numbers (.json .csv .npz), whole or not at all.

    force: replace an existing file of another kind too.
    Returns what its maker should be told, such as characters that no font here can draw.
    Raises OutputError if it cannot be written there.
    """
    from attnviz.render import files

    return files.save(page, Path(file), style, force=force)


def train(
    directory: str | Path,
    *,
    report: "Callable[[Progress], None]" = lambda _: None,
    threads: int = 2,
) -> None:
    """Trains ``builtin:encoder`` from its seed into a directory; takes an interrupted training up again.

    report:  told after every step
    Raises ModelError if the directory holds a training by another schedule.
    """
    from attnviz.builtin.train import train

    train(Path(directory), report=report, threads=threads)


def check_trained(directory: str | Path | None = None) -> "Check":
    """What the model that ships, or one in a directory, has learnt: agreement, and heads that find relations.

    Raises ModelError if the directory holds no such model.
    """
    from attnviz.builtin.check import check
    from attnviz.builtin.store import shipped

    return check(Path(directory) if directory else shipped())
