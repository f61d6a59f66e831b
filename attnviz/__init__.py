"""See where a transformer looks.

    import attnviz
    seen = attnviz.capture("The cat sat on the mat")
    seen.map("3.5")                                  # weights of layer 3, head 5: [queries, keys]
    attnviz.save(attnviz.heatmap(seen), "cat.pdf")
    attnviz.save(attnviz.heads(seen, sort="previous"), "heads.tex")

The verbs are those of ``attnviz.api``; each is imported when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnviz.api import (
        align,
        alignment_view,
        caption,
        capture,
        check_trained,
        compare,
        comparison_view,
        cost,
        cost_chart,
        diff,
        doctor,
        explain,
        export,
        from_arrays,
        growth,
        growth_chart,
        head_grid,
        heads,
        heatmap,
        induction,
        load,
        load_model,
        probe,
        probe_table,
        replay,
        save,
        sink,
        sweep,
        sweep_chart,
        train,
        variants,
    )

__version__ = "0.1.0"
DEFAULT_MODEL = "builtin:encoder"
DEFAULT_TRANSLATOR = "builtin:translator"
__all__ = [
    "align",
    "alignment_view",
    "caption",
    "capture",
    "check_trained",
    "compare",
    "comparison_view",
    "cost",
    "cost_chart",
    "diff",
    "doctor",
    "explain",
    "export",
    "from_arrays",
    "growth",
    "growth_chart",
    "head_grid",
    "heads",
    "heatmap",
    "induction",
    "load",
    "load_model",
    "probe",
    "probe_table",
    "replay",
    "save",
    "sink",
    "sweep",
    "sweep_chart",
    "train",
    "variants",
]


def __dir__() -> list[str]:
    return [*__all__, "DEFAULT_MODEL", "DEFAULT_TRANSLATOR", "__doc__", "__version__"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'attnviz' has no attribute {name!r}")
    from attnviz import api

    return getattr(api, name)
