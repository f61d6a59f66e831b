"""The verbs of ``import attnviz``. A command of the command line is ten lines of these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from attnviz import DEFAULT_MODEL
from attnviz.analysis import reduce, select
from attnviz.captures import Capture, Captures, LayerFacts, numbered
from attnviz.errors import InputError, UsageError
from attnviz.files import begins_with
from attnviz.inputs import Sample, check_texts
from attnviz.recipes import Choice, Listing, Style, ViewName
from attnviz.render import pages
from attnviz.render.views import HeadGrid, HeadTable, Page, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy import floating
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import PreTrainedModel

    from attnviz.builtin.check import Check
    from attnviz.builtin.schedule import Progress
    from attnviz.models.base import Encoded, Source
    from attnviz.models.diagnosis import Diagnosis, Needs
    from attnviz.observe.base import Observer
    from attnviz.observe.progress import Report

    Readable = str | Sample | Mapping[str, Tensor]

POOLED_ABOVE = 512  # tokens; above it the overview is drawn from pooled maps
POOLED_TO = 256

ALL, AUTO = "all", "auto"
"""What to keep: every map whole; or what a picture needs."""

ZIP = b"PK\x03\x04"
"""What a ``.npz`` begins with."""


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
    report: "Report | None" = ...,
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
    report: "Report | None" = ...,
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
    report: "Report | None" = None,
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
    report:     told how far a run is, several times a second
    Raises InputError for a sample the model cannot take, SelectionError for layers or heads it does not have,
    ModelError for a model that cannot be captured exactly.
    """
    from attnviz.models.given import encoded, source_of
    from attnviz.observe.run import observe

    wishes = _Wishes(keep, choice, pooled, statistics=statistics)
    samples = _several(sample, labels)
    source = source_of(model, tokenizer)
    batch = [encoded(source, each, labels=labels, truncate=truncate) for each in samples]

    def look(place: int) -> Capture:
        each = batch[place]
        return observe(source, each, _observers(source, each, wishes), report=report)

    captures = Captures(len(batch), look)
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
        check_keep(self.keep)
        if self.pooled is not None and not (isinstance(self.pooled, int) and self.pooled > 0):
            raise UsageError(
                f"pooled={self.pooled!r} is no size: give the most rows and columns, such as 256"
            )


def _several(
    sample: "Readable | Sequence[Readable]", labels: Sequence[str] | None
) -> "list[Sample | Mapping[str, Tensor]]":
    """The samples, of which none may be empty: that is said before a model is loaded."""
    alone = isinstance(sample, str | Sample | Mapping)
    samples = [sample] if isinstance(sample, str | Sample | Mapping) else sample
    if not isinstance(samples, Sequence):
        raise UsageError(
            f"a {type(sample).__name__} is no sample: give a text, a Sample, tensors, or a list of these"
        )
    if not samples:
        raise InputError("no samples: give one at least")
    if labels is not None and not alone:
        raise UsageError("labels are those of one sample, not of a list of them")
    named = [_named(each, "text" if alone else f"text-{number}") for number, each in enumerate(samples, 1)]
    check_texts([each for each in named if isinstance(each, Sample)])
    return named


def _named(sample: "Readable", name: str) -> "Sample | Mapping[str, Tensor]":
    """What can be read, a text with a name. Raises UsageError for anything else."""
    if isinstance(sample, str):
        return Sample(sample, name=name)
    if not isinstance(sample, Sample | Mapping):
        raise UsageError(
            f"{name} is of type {type(sample).__name__}, which is none: give a text, a Sample, or tensors"
        )
    if isinstance(sample, Sample) and sample.generate < 0:
        raise UsageError(f"generate={sample.generate} of {sample.name}: give how many tokens to write, or 0")
    return sample


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
    return KeepMaps(wanted)


def _wanted(layers: Sequence[LayerFacts], wishes: _Wishes) -> select.Wanted:
    """The heads whose maps are wanted, by layer."""
    if wishes.keep in (None, AUTO, ALL):
        return select.wanted_heads(layers, wishes.choice if wishes.keep == AUTO else Choice())
    return select.named_heads(layers, wishes.keep)


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
    from attnviz.models.doctor import examined
    from attnviz.models.given import source_of
    from attnviz.observe.keep import KeepMaps
    from attnviz.observe.run import observe
    from attnviz.observe.sums import RowSums

    source = source_of(model, tokenizer)
    encoded = source.encode(Sample(text))
    if any(len(axis) == 1 for pair in encoded.axes.values() for axis in pair):
        encoded = source.encode(Sample(text, pair=text))  # a decoder that has written nothing sees nothing
    sums = RowSums()
    seen = observe(source, encoded, [KeepMaps(), sums])
    needs = tuple(_needs(source, text, count) for count in tokens)
    return examined(source.opened(encoded), seen, sums.away, needs)


def _needs(source: "Source", text: str, tokens: int) -> "Needs":
    """What looking at the text takes, repeated until it has so many tokens.

    Raises InputError if the model cannot read as many.
    """
    from attnviz.models.diagnosis import Needs
    from attnviz.observe.keep import KeepMaps
    from attnviz.observe.progress import seconds_for
    from attnviz.observe.statistics import HeadStatistics

    limit = source.facts.positions
    if limit is not None and tokens > limit:
        raise InputError(f"{source.facts.name} cannot read {tokens:,} tokens: it has positions for {limit:,}")
    read = next(iter(source.encode(Sample(text)).axes.values()))[0]
    times = tokens // max(1, len(read) - sum(read.special)) + 1
    encoded = source.encode(Sample(" ".join([text] * times)), truncate=True)
    axes = {name: (numbered(tokens), numbered(tokens)) for name in encoded.axes}
    layers, statistics = source.facts.layers, HeadStatistics()
    taken = statistics.needs(layers, axes)
    return Needs(
        tokens=tokens,
        maps=KeepMaps().needs(layers, axes).host,
        statistics=max(taken.host, taken.device),
        seconds=seconds_for(source, encoded, [statistics]),
    )


def check(choice: Choice, style: Style | None = None, view: ViewName = "heatmap") -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    pages.check_view(view, choice)
    select.check(choice)
    reduce.check(choice)
    if style is not None:
        pages.check(style)


def check_keep(keep: str | None) -> None:
    """Raises UsageError if that is no way to say which maps to keep."""
    if keep is not None and not isinstance(keep, str):
        raise UsageError(f'keep={keep!r} is no text: write heads and layers in one, such as "3.5,7.1"')
    if keep not in (None, AUTO, ALL):
        select.check_named(keep)


def heatmap(
    seen: Capture, *, choice: Choice = Choice(), style: Style = Style(), view: ViewName = "heatmap"
) -> Page:
    """What ``attnviz heatmap`` shows of a capture, ready to be drawn.

    view: "heatmap": the chosen maps, or an overview of every layer and head; "maps": every chosen map under
          its labels; "atlas": every chosen map, small, under its name
    Raises UsageError or SelectionError for a choice that means nothing here.
    """
    return pages.heatmap_page(seen, choice, style, view)


def heads(
    seen: "Capture | Iterable[Capture]",
    *,
    where: str | None = None,
    sort: str | None = None,
    top: int | None = None,
    columns: str | None = None,
    seed: int = 0,
    choice: Choice = Choice(),
    style: Style = Style(),
) -> HeadTable:
    """What ``attnviz heads`` shows: a row a head, over one capture or the means over several.

    where:   which heads: "induction>0.4 and layer<6" (``attnviz.analysis.where``)
    sort:    by which number, the largest first; "-entropy" the smallest first; top: how many of them
    columns: "previous,previous.baseline"; else all that have a value
    seed:    of the samples drawn for the intervals, which are there from ten samples on
    Of a capture without statistics they are computed from its maps, where those of all heads were kept.
    Raises UsageError for what cannot be understood, SelectionError for a capture that holds neither.
    """
    from attnviz.analysis.summary import summary
    from attnviz.render import headpages

    listing = Listing(where=where, sort=sort, top=top, columns=columns, seed=seed)
    headpages.check(choice, listing, style)
    return headpages.head_table(summary(_measured(seen), choice, seed=seed), choice, listing, style)


def head_grid(
    seen: "Capture | Iterable[Capture]",
    metric: str,
    *,
    where: str | None = None,
    seed: int = 0,
    choice: Choice = Choice(),
    style: Style = Style(),
) -> HeadGrid:
    """One statistic of every head as a colour, layers downwards and heads to the right: ``heads --grid``.

    Raises as ``heads`` does.
    """
    from attnviz.analysis.summary import summary
    from attnviz.render import headpages

    listing = Listing(where=where, grid=metric, seed=seed)
    headpages.check(choice, listing, style)
    return headpages.head_grid(summary(_measured(seen), choice, seed=seed), choice, listing, style)


def check_heads(choice: Choice, listing: Listing, style: Style) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    from attnviz.render import headpages

    select.check(choice)
    headpages.check(choice, listing, style)


def _measured(seen: "Capture | Iterable[Capture]") -> "Iterator[Capture]":
    """Each capture with its statistics, which of maps that were taken elsewhere nobody has computed yet."""
    for each in [seen] if isinstance(seen, Capture) else seen:
        yield each if each.statistics is not None or not each.maps else _from_maps(each)


def _from_maps(seen: Capture) -> Capture:
    from attnviz.observe.again import with_statistics

    for maps in seen.maps:
        select.check_weights(maps)
    return with_statistics(seen)


def load(file: str | Path) -> Capture | Captures:
    """What ``seen.save`` or ``attnviz capture`` wrote: one Capture, or several as a sequence.

    Maps stay in the file and are read when they are looked at. A foreign ``.npz`` with
    ``attention[layer, head, query, key]`` and ``tokens`` is taken too.
    Raises InputError if the file cannot be read, is damaged, or of a later schema.
    """
    from attnviz.stored import files

    path = Path(file)
    if begins_with(path, ZIP):
        return _foreign(path)
    captures = files.read(path)
    return captures if len(captures) > 1 else captures[0]


def _foreign(path: Path) -> Capture:
    """The capture in a ``.npz``, if its arrays fit into memory."""
    from attnviz.observe.memory import check_fits
    from attnviz.stored import npz

    check_fits(npz.needed(path), what=f"the arrays in {path.name}", instead="give a smaller file")
    return npz.read(path)


def from_arrays(
    attention: "NDArray[floating] | Tensor", tokens: "Sequence[str]", *, name: str = "arrays"
) -> Capture:
    """A capture of self-attention that was taken elsewhere, such as by another library.

    attention: ``[layers, heads, queries, keys]``, rows summing to 1, or to 0 where nothing is seen; a numpy
               array or a tensor of torch, copied
    tokens:    what was read, one for each query and key
    name:      what the model is called
    Assumed, since nobody says otherwise: each token is a word and none is special; where no layer has any
    weight after the diagonal, a query sees only itself and what is before it (a note says so).
    Raises InputError for what is no attention over these tokens.
    """
    from attnviz.stored import arrays

    return arrays.from_arrays(attention, tokens, name=name)


def save(view: View, file: str | Path, *, style: Style = Style(), force: bool = False) -> tuple[str, ...]:
    """Writes a view as a picture (.png .pdf .svg) or its numbers, whole or not at all.

    Numbers are .json and .csv, of maps also .npz, of tables also .md and .tex.

    force: replace an existing file of another kind too.
    Returns what its maker should be told, such as characters that no font here can draw.
    Raises OutputError if it cannot be written there.
    """
    from attnviz.render import files

    return files.save(view, Path(file), style, force=force)


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
