"""The verbs of ``import attnviz``. A command of the command line is ten lines of these."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz import DEFAULT_MODEL
from attnviz.analysis import reduce, select
from attnviz.analysis.summary import summary
from attnviz.captures import Capture
from attnviz.inputs import Sample
from attnviz.recipes import Choice, Listing, Style
from attnviz.render import headpages, pages
from attnviz.render.views import HeadGrid, HeadTable, Page, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.builtin.check import Check
    from attnviz.builtin.schedule import Progress
    from attnviz.models.base import Encoded, Source
    from attnviz.observe.base import Observer

POOLED_ABOVE = 512  # tokens; above it the overview is drawn from pooled maps
POOLED_TO = 256


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
    keep: str | None = "auto",
    statistics: bool = True,
    choice: Choice = Choice(),
    truncate: bool = False,
) -> Capture:
    """Runs a text through a model once and keeps the maps that the choice needs.

    Without chosen maps all are kept, above 512 tokens pooled to 256 x 256.
    keep:       None: no maps at all
    statistics: compute those of every head (``attnviz.metrics``)
    Raises InputError for a text the model cannot take, SelectionError for layers or heads it does not have.
    """
    from attnviz.observe.run import observe

    check(choice)
    source = load_model(model) if isinstance(model, str) else model
    encoded = source.encode(Sample(sample) if isinstance(sample, str) else sample, truncate=truncate)
    observers: list[Observer] = [] if keep is None else [_keeper(source, encoded, choice)]
    if statistics:
        from attnviz.observe.statistics import HeadStatistics

        observers.append(HeadStatistics())
    return observe(source, encoded, observers)


def _keeper(source: "Source", encoded: "Encoded", choice: Choice) -> "Observer":
    """Whole maps where they were chosen or the text is short, else pooled ones."""
    from attnviz.observe.choice import map_bytes
    from attnviz.observe.keep import KeepMaps
    from attnviz.observe.memory import check_fits
    from attnviz.observe.pool import PoolMaps

    wanted = select.wanted_heads(source.facts.layers, choice)
    length = max(len(axis) for axes in encoded.axes.values() for axis in axes)
    if length > POOLED_ABOVE and choice == Choice(kind=choice.kind):
        return PoolMaps(POOLED_TO, wanted)
    check_fits(
        map_bytes(source.facts.layers, wanted, encoded.axes),
        what=f"maps of {sum(map(len, wanted.values()))} heads over {length:,} tokens",
        instead="choose fewer with -l/--layer and -H/--head, or leave out --tokens, --special and --words",
    )
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
    seen: Capture | Iterable[Capture],
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
    listing = Listing(where=where, sort=sort, top=top, columns=columns, seed=seed)
    headpages.check(choice, listing, style)
    return headpages.head_table(summary(_each(seen), choice, seed=seed), choice, listing, style)


def head_grid(
    seen: Capture | Iterable[Capture],
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
    listing = Listing(where=where, grid=metric, seed=seed)
    headpages.check(choice, listing, style)
    return headpages.head_grid(summary(_each(seen), choice, seed=seed), choice, listing, style)


def check_heads(choice: Choice, listing: Listing, style: Style) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    select.check(choice)
    headpages.check(choice, listing, style)


def _each(seen: Capture | Iterable[Capture]) -> Iterable[Capture]:
    return [seen] if isinstance(seen, Capture) else seen


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
