"""The verbs of ``import attnviz``. A command of the command line is ten lines of these."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz import DEFAULT_MODEL
from attnviz.analysis import reduce, select
from attnviz.captures import Capture, Captures
from attnviz.files import begins_with
from attnviz.inputs import Sample, check_texts
from attnviz.recipes import Choice, Listing, Style
from attnviz.render import pages
from attnviz.render.views import HeadGrid, HeadTable, Page, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy import floating
    from numpy.typing import NDArray

    from attnviz.builtin.check import Check
    from attnviz.builtin.schedule import Progress
    from attnviz.models.base import Encoded, Source
    from attnviz.observe.base import Observer
    from attnviz.observe.progress import Report

POOLED_ABOVE = 512  # tokens; above it the overview is drawn from pooled maps
POOLED_TO = 256

ALL, AUTO = "all", "auto"
"""Maps to keep: every one whole; or what a picture needs."""

ZIP = b"PK\x03\x04"
"""What a ``.npz`` begins with."""


def load_model(
    name: str = DEFAULT_MODEL,
    *,
    device: str = "auto",
    dtype: str = "auto",
    offline: bool = False,
    allow_remote_code: bool = False,
    allow_pickle: bool = False,
) -> "Source":
    """A model to capture from: ``builtin:encoder``, a directory, or a hub name with ``@revision``.

    Raises ModelError if it cannot be found, or not be captured exactly.
    """
    from attnviz.models import families

    return families.load(
        name,
        device=device,
        dtype=dtype,
        offline=offline,
        allow_remote_code=allow_remote_code,
        allow_pickle=allow_pickle,
    )


def capture(
    sample: str | Sample,
    *,
    model: "str | Source" = DEFAULT_MODEL,
    keep: str | None = AUTO,
    pooled: int | None = None,
    statistics: bool = True,
    choice: Choice = Choice(),
    truncate: bool = False,
    report: "Report | None" = None,
) -> Capture:
    """Runs a text through a model once and keeps the maps that are asked for, or that the choice needs.

    keep:   which maps are kept whole: "all", exact heads such as "3.5,7.1", or None; "auto": as chosen
    pooled: keep all maps pooled to so many rows and columns at most, too
    choice: keep what a picture of it needs; without chosen maps that is all, above 512 tokens pooled
    report: told how far the run is, several times a second.
    Raises InputError for a text the model cannot take, SelectionError for layers or heads it does not have.
    """
    from attnviz.observe.pool import PoolMaps
    from attnviz.observe.run import observe

    wanted = choice if keep == AUTO else Choice(heads=None if keep == ALL else keep)
    check(wanted)
    sample = Sample(sample) if isinstance(sample, str) else sample
    check_texts([sample])
    source = load_model(model) if isinstance(model, str) else model
    encoded = source.encode(sample, truncate=truncate)
    observers: list[Observer] = [PoolMaps(pooled)] if pooled else []
    if keep is not None:
        observers.append(_keeper(source, encoded, wanted, whole=keep != AUTO))
    if statistics:
        from attnviz.observe.statistics import HeadStatistics

        observers.append(HeadStatistics())
    return observe(source, encoded, observers, report=report)


def _keeper(source: "Source", encoded: "Encoded", choice: Choice, *, whole: bool) -> "Observer":
    """Whole maps where they were chosen or the text is short, else pooled ones."""
    from attnviz.observe.keep import KeepMaps
    from attnviz.observe.pool import PoolMaps

    wanted = select.wanted_heads(source.facts.layers, choice)
    length = max(len(axis) for axes in encoded.axes.values() for axis in axes)
    if not whole and length > POOLED_ABOVE and choice == Choice(kind=choice.kind):
        return PoolMaps(POOLED_TO, wanted)
    return KeepMaps(wanted)


def check(choice: Choice, style: Style | None = None) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    select.check(choice)
    reduce.check(choice)
    if style is not None:
        pages.check(style)


def heatmap(seen: Capture, *, choice: Choice = Choice(), style: Style = Style()) -> Page:
    """What ``attnviz heatmap`` shows of a capture, ready to be drawn."""
    return pages.heatmap_page(seen, choice, style)


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
    Raises UsageError for what cannot be understood, SelectionError for a capture without statistics.
    """
    from attnviz.analysis.summary import summary
    from attnviz.render import headpages

    listing = Listing(where=where, sort=sort, top=top, columns=columns, seed=seed)
    headpages.check(choice, listing, style)
    return headpages.head_table(summary(_each(seen), choice, seed=seed), choice, listing, style)


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
    return headpages.head_grid(summary(_each(seen), choice, seed=seed), choice, listing, style)


def check_heads(choice: Choice, listing: Listing, style: Style) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    from attnviz.render import headpages

    select.check(choice)
    headpages.check(choice, listing, style)


def _each(seen: "Capture | Iterable[Capture]") -> "Iterable[Capture]":
    return [seen] if isinstance(seen, Capture) else seen


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


def from_arrays(attention: "NDArray[floating]", tokens: "Sequence[str]", *, name: str = "arrays") -> Capture:
    """A capture of self-attention that was taken elsewhere, such as by another library.

    attention: ``[layers, heads, queries, keys]``, rows summing to 1, or to 0 where nothing is seen
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
