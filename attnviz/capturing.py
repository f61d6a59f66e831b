"""Models loaded, captured from, and examined: the verbs of ``attnviz.api`` that run one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from attnviz import DEFAULT_MODEL
from attnviz.captures import Capture, Captures, numbered
from attnviz.errors import InputError
from attnviz.inputs import Sample
from attnviz.recipes import Choice
from attnviz.wishes import AUTO, Wishes, encoded_all, observers_of, several

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from attnviz.models.base import Source
    from attnviz.models.diagnosis import Diagnosis, Needs
    from attnviz.observe.progress import Report
    from attnviz.wishes import Readable


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
