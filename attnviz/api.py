"""The verbs of ``import attnviz``. A command of the command line is ten lines of these."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args, get_type_hints, overload

from attnviz import DEFAULT_MODEL
from attnviz.analysis import reduce, select
from attnviz.analysis.comparison import Comparison, Matching, Measure
from attnviz.captures import Capture, Captures, numbered
from attnviz.errors import InputError, UsageError
from attnviz.files import begins_with
from attnviz.inputs import Sample
from attnviz.recipes import Choice, Comparing, Listing, Style, ViewName
from attnviz.render import pages
from attnviz.render.views import HeadGrid, HeadLines, HeadTable, Page, Table, TokenStrip, View
from attnviz.wishes import AUTO, WORDS, Wishes, encoded_all, observers_of, several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy import floating
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import PreTrainedModel

    from attnviz.analysis.probe import Probe
    from attnviz.analysis.relations import Corpus
    from attnviz.builtin.check import Check
    from attnviz.builtin.schedule import Progress
    from attnviz.models.base import Source
    from attnviz.models.diagnosis import Diagnosis, Needs
    from attnviz.observe.progress import Report
    from attnviz.wishes import Readable

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
                what a picture of the choice needs, without one all, above 512 tokens pooled to 256 x 256;
                "words": those of all heads, with sub-tokens put together to words (``seen.words``)
    pooled:     keep the maps of all heads pooled to so many rows and columns at most, too
    statistics: compute those of every head (``attnviz.metrics``)
    labels:     what to call the tokens of prepared tensors
    tokenizer:  that of a model of yours, for texts, and for labels where none are given
    truncate:   cut a text that is longer than the model can read
    report:     told how far a run is, several times a second
    Raises InputError for a sample the model cannot take, SelectionError for layers or heads it does not have,
    ModelError for a model that cannot be captured exactly.
    """
    from attnviz.models.given import source_of
    from attnviz.observe.run import observe

    wishes = Wishes(keep, choice, pooled, statistics=statistics)
    samples = several(sample, labels)
    source = source_of(model, tokenizer)
    batch = encoded_all(source, samples, labels, truncate=truncate)
    for each in batch:
        observers_of(source, each, wishes)  # what the model does not have is told now, not when one is read

    def look(place: int) -> Capture:
        each = batch[place]
        return observe(source, each, observers_of(source, each, wishes), report=report)

    captures = Captures(len(batch), look)
    return captures[0] if isinstance(sample, str | Sample | Mapping) else captures


def doctor(
    text: str,
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    tokens: Sequence[int] = (),
) -> "Diagnosis":
    """Whether a model is captured exactly, layer by layer, examined on a text; see ``Diagnosis.passed``.

    tokens: also say what looking at texts of so many tokens takes, or why the model cannot
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
    longer = [_needs_or_why_not(source, text, count) for count in tokens]
    return examined(
        source.opened(encoded),
        seen,
        sums.away,
        needs=tuple(one for one in longer if not isinstance(one, str)),
        unread=tuple(one for one in longer if isinstance(one, str)),
    )


def _needs_or_why_not(source: "Source", text: str, tokens: int) -> "Needs | str":
    """What looking at the text takes, or in a line why it cannot be read."""
    try:
        return _needs(source, text, tokens)
    except InputError as error:
        return str(error)


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


def diff(
    first: Capture,
    second: Capture,
    *,
    top: int | None = None,
    choice: Choice = Choice(),
    style: Style = Style(),
) -> Page:
    """What ``attnviz diff`` shows of two captures: of one model and two texts, or of two models and one text.

    top: how many heads, those that changed most: so many rows of the table (10), or of chosen maps so many
    Raises UsageError or SelectionError for a choice that means nothing here, InputError for captures that
    have nothing in common.
    """
    from attnviz.render import differencepages

    return differencepages.difference_page(first, second, choice, style, top)


def check_diff(choice: Choice, style: Style, *, top: int | None = None) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    from attnviz.render import differencepages

    check(choice)
    differencepages.check(choice, style, top)


def heatmap(
    seen: Capture, *, choice: Choice = Choice(), style: Style = Style(), view: ViewName = "heatmap"
) -> Page | HeadLines | TokenStrip:
    """What ``attnviz heatmap`` shows of a capture, ready to be drawn.

    view: "heatmap": the chosen maps, or an overview of every layer and head; "maps": every chosen map under
          its labels; "atlas": every chosen map, small, under its name; "lines": lines from queries to
          keys; "strip": the text in the colours of the weights that ``choice.query`` gives
    Raises UsageError or SelectionError for a choice that means nothing here.
    """
    return pages.heatmap_view(seen, choice, style, view)


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


def compare(
    models: "Sequence[str | Source | PreTrainedModel | Capture | Sequence[Capture]]",
    texts: "str | Sequence[str | Sample] | None" = None,
    *,
    measure: Measure = "js",
    match: Matching = "one-to-one",
    as_is: bool = False,
    seed: int = 0,
    truncate: bool = False,
    report: "Report | None" = None,
) -> Comparison:
    """Every head of one model beside every head of another, over some texts: what ``attnviz compare`` finds.

    models:  two, each a name, what ``load_model`` returns, a model of transformers; or what was captured of
             the texts, with the maps of all heads (``keep="words"`` or ``"all"``)
    texts:   what both read; left out beside captures. Maps of no more than a few texts are held at a time
    measure: "js", 1 - Jensen-Shannon distance; "cka", centred kernel alignment
    match:   each head has one of its own ("one-to-one"), or its "nearest"
    as_is:   compare also what only one of the two may see
    seed:    of what is drawn for the null and for the intervals
    To compare more than two: ``[attnviz.compare([first, other], texts) for other in others]``.
    Raises UsageError for what cannot be understood, InputError for texts that a model cannot take and for
    models that have nothing in common.
    """
    from attnviz.analysis import compare as comparing

    check_comparing(Comparing(measure, match, as_is, seed))
    if isinstance(models, str) or len(models) != 2:
        count = 1 if isinstance(models, str) else len(models)
        raise UsageError(f"compare takes two models, not {count}: give [first, second]")
    first, second = (_seen_by(model, texts, truncate, report) for model in models)
    return comparing.compare(first, second, measure=measure, matching=match, as_is=as_is, seed=seed)


def comparison_view(
    found: Comparison,
    view: str = "matches",
    *,
    seen: "Sequence[Capture]" = (),
    style: Style = Style(),
    top: int | None = None,
) -> Page | HeadGrid | Table:
    """A comparison as a table of "matches"; every head, or layer, beside every other ("heads", "layers"); of
    models of one architecture the heads "ranked" by their change, or the "change" of each in its place; or
    the "maps" of the best and worst matches.

    seen: for "maps": two captures of one text, by the first model and by the second
    top:  so many rows of a table ("matches", the most alike first, and "ranked"); else all
    Raises UsageError for another view, SelectionError for changes of models with other heads.
    """
    from attnviz.render import comparepages

    both = comparepages.Seen(*seen) if seen else None
    return comparepages.comparison_view(found, view, style, both, top=top)


def check_comparing(comparing: Comparing) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    for name, value in (("measure", comparing.measure), ("match", comparing.match)):
        known = get_args(get_type_hints(Comparing)[name])
        if value not in known:
            raise UsageError(f"{name}={value!r} is none of {', '.join(known)}")


def _seen_by(
    model: "str | Source | PreTrainedModel | Capture | Sequence[Capture]",
    texts: "str | Sequence[str | Sample] | None",
    truncate: bool,
    report: "Report | None",
) -> "Sequence[Capture]":
    """What a model sees of the texts, one at a time; captures as they are."""
    if isinstance(model, Capture):
        return [model]
    if isinstance(model, Sequence) and not isinstance(model, str):
        return cast("Sequence[Capture]", model)
    if texts is None:
        raise UsageError(
            "no texts: compare models on some, compare([first, second], texts), or give captures"
        )
    samples: list[str | Sample] = [texts] if isinstance(texts, str) else list(texts)
    return capture(samples, model=model, keep=WORDS, statistics=False, truncate=truncate, report=report)


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


def probe(
    relations: "str | Path | Corpus",
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    seen: "Sequence[Capture] | None" = None,
    choice: Choice = Choice(),
    seed: int = 0,
    truncate: bool = False,
    report: "Report | None" = None,
) -> "Probe":
    """How often heads find what a word belongs to, beside what guesses by distance find: ``attnviz probe``.

    relations: a file (CoNLL-U, or JSON line by line), "builtin" for texts of the language of the model that
               ships, or your own as an ``attnviz.analysis.relations.Corpus``
    seen:      captures of the same texts with all maps, whole or of words, in place of a model
    choice:    among which heads
    seed:      of the halves (one chooses a head, the other reports on it) and of the intervals
    Raises InputError for a file that cannot be read or has a broken line, a text that the model cannot take.
    """
    from attnviz import probes

    corpus = probes.corpus_of(relations)
    if seen is not None:
        return probes.of_captures(corpus, seen, choice, seed=seed)
    from attnviz.models.given import source_of

    source = source_of(model, tokenizer)
    return probes.of_model(corpus, source, choice, seed=seed, truncate=truncate, report=report)


def probe_table(found: "Probe", *, style: Style = Style()) -> Table:
    """What ``attnviz probe --relations`` shows: a row a relation and direction."""
    from attnviz.render import probepages

    return probepages.findings_table(found, style)


def induction(
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    sequences: int = 20,
    length: int = 50,
    seed: int = 0,
    top: int | None = None,
    choice: Choice = Choice(),
    style: Style = Style(),
    report: "Report | None" = None,
) -> Table:
    """Which heads go on as a sequence went on before: ``attnviz probe --induction``.

    sequences, length: how many random tokens stand in each, twice one after the other
    Raises InputError for more tokens than the model reads or knows.
    """
    from attnviz import probes
    from attnviz.models.given import source_of
    from attnviz.render.probepages import Drawn, induction_table

    source, drawn = source_of(model, tokenizer), Drawn(sequences, length, 2, seed)
    return induction_table(
        probes.measured(source, drawn, choice, report=report), drawn, choice, style, top=top
    )


def sink(
    texts: "Sequence[str | Sample] | None" = None,
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    sequences: int = 20,
    length: int = 50,
    seed: int = 0,
    top: int | None = None,
    choice: Choice = Choice(),
    style: Style = Style(),
    truncate: bool = False,
    report: "Report | None" = None,
) -> Table:
    """How much heads look at the first token, whatever comes after it: ``attnviz probe --sink``.

    texts: natural ones; without, as many of the language of the model that ships as there are sequences
    sequences, length: how many random tokens stand in each
    Raises as ``induction`` and ``capture`` do.
    """
    from attnviz import probes
    from attnviz.analysis.summary import summary
    from attnviz.models.given import source_of
    from attnviz.render.probepages import Drawn, sink_table

    source = source_of(model, tokenizer)
    drawn = Drawn(sequences, length, 1, seed, first=probes.first_of(source))
    random = probes.measured(source, drawn, choice, report=report)
    read = [*texts] if texts is not None else probes.stories(sequences)
    natural = capture(read, model=source, keep=None, truncate=truncate, report=report)
    return sink_table(random, summary(natural, choice, seed=seed), drawn, choice, style, top=top)


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


def save(
    view: View | Comparison, file: str | Path, *, style: Style = Style(), force: bool = False
) -> tuple[str, ...]:
    """Writes a view as a picture (.png .pdf .svg) or its numbers, whole or not at all.

    Numbers are .json and .csv, of maps also .npz, of tables also .md and .tex. Of a comparison a picture
    shows all heads beside all, and numbers are those of the matches.

    force: replace an existing file of another kind too.
    Returns what its maker should be told, such as characters that no font here can draw.
    Raises OutputError if it cannot be written there, UsageError for what is no view.
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
