"""What attention costs as the text grows: the verbs of ``attnviz.api`` that measure it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnviz.analysis.cost import Cost, Setting
from attnviz.errors import InputError, UsageError
from attnviz.recipes import Style
from attnviz.render.plots import Chart

if TYPE_CHECKING:
    from attnviz.costs.measure import Report

LENGTHS = (128, 512, 2048, 8192)


def cost(
    lengths: Sequence[int] = LENGTHS,
    *,
    d_model: int = 256,
    n_heads: int = 8,
    window: int = 64,
    device: str = "auto",
    threads: int | None = None,
    seed: int = 0,
    budget: float = 60.0,
    report: "Report" = lambda *_: None,
) -> Cost:
    """Time and memory of layers that mix a text's positions, measured here and now: ``attnviz cost``.

    Full attention, with all its weights and fused; linear and windowed attention; a GRU of the same width.
    window: positions on either side that the windowed one sees
    device: "cpu", "cuda", "cuda:1", "mps", or "auto", a GPU if there is one; threads: of the processor
    seed:   of weights and inputs, which change no cost
    budget: seconds; what would take longer, or does not fit into memory, is skipped and says so
    Raises UsageError for what cannot be measured, ModelError for a device that is not there, InputError if
    everything would take too much memory or time.
    """
    check_cost(
        lengths,
        d_model=d_model,
        n_heads=n_heads,
        window=window,
        threads=threads,
        budget=budget,
        device=device,
    )
    import time

    import attnviz
    from attnviz.attention.threads import on_threads
    from attnviz.costs.contenders import CONTENDERS, Size
    from attnviz.costs.machine import processor_name, versions
    from attnviz.costs.measure import Bench
    from attnviz.models.devices import device_of
    from attnviz.models.devices import threads as threads_used

    where, growing = device_of(device), tuple(sorted(set(lengths)))
    with on_threads(threads):
        bench = Bench(Size(d_model, n_heads, window), where, seed, time.perf_counter() + budget, report)
        points = tuple(bench.measured(CONTENDERS, growing))
        setting = Setting(
            contenders={each.name: each.of.format(reach=window) for each in CONTENDERS},
            lengths=growing,
            d_model=d_model,
            heads=n_heads,
            reach=window,
            device=str(where),
            processor=processor_name(where),
            threads=threads_used(),
            seed=seed,
            versions={"attnviz": attnviz.__version__, **versions()},
        )
    if all(point.skipped for point in points):
        raise InputError(
            f"nothing was measured at {growing[0]:,} tokens: {points[0].contender} is not tried because "
            f"{points[0].skipped}; give shorter lengths, or a larger budget"
        )
    return Cost(setting, points)


def check_cost(
    lengths: Sequence[int],
    *,
    d_model: int = 256,
    n_heads: int = 8,
    window: int = 64,
    threads: int | None = None,
    budget: float = 60.0,
    device: str = "auto",
) -> None:
    """Raises UsageError for what cannot be measured, ModelError for a device that is not there."""
    if not lengths:
        raise UsageError("no lengths to measure at: give some, such as 128,512,2048")
    for name, value in (("lengths", min(lengths)), ("d_model", d_model), ("n_heads", n_heads),
                        ("window", window), ("threads", threads or 1)):  # fmt: skip
        if value < 1:
            raise UsageError(f"{name} {value} is too small: 1 is the least")
    if d_model % n_heads:
        near = max(heads for heads in range(1, n_heads) if d_model % heads == 0)
        raise UsageError(
            f"d_model {d_model} cannot be divided into {n_heads} heads of the same size: {near} would do"
        )
    if not budget > 0:
        raise UsageError(f"a budget of {budget:g} s leaves no time: give some seconds")
    from attnviz.models.devices import device_of

    device_of(device)


def check_chart(style: Style) -> None:
    """Raises UsageError for what cannot be drawn, before anything is measured."""
    from attnviz.render import chartfigure

    chartfigure.check(style)


def cost_chart(found: Cost, *, style: Style = Style()) -> Chart:
    """What ``attnviz cost`` shows: tables of time and memory with the powers that fit, and both as curves."""
    from attnviz.render import costpages

    return costpages.cost_chart(found, style)
