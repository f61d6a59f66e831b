"""What else a head makes of its queries and keys, as small multiples: which maps, words and notes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from attnviz.analysis.average import heatmaps
from attnviz.analysis.reduce import reduced
from attnviz.captures import Capture
from attnviz.errors import UsageError
from attnviz.inputs import printable
from attnviz.projections import Projections
from attnviz.recipes import Choice, Style, Varying, recipe
from attnviz.render import pages
from attnviz.render.views import Heatmap, Page, Scale
from attnviz.variation import Variant, titles

SAME = 1e-5  # two ways to compute one weight differ by less
_ACROSS = 6  # maps that stand side by side on a figure, at most


def check(choice: Choice, style: Style) -> None:
    """Raises UsageError for what cannot be drawn of variants."""
    pages.check(style)
    if choice.mean:
        raise UsageError(f"--mean {choice.mean}: variants are of one head, and no mean: leave it out")


def variant_page(
    made: Projections,
    variants: Sequence[Variant],
    seen: Capture,
    *,
    choice: Choice,
    style: Style,
    asked: Varying | None = None,
    notes: Sequence[str] = (),
) -> Page:
    """The page of ``attnviz variants``.

    seen:  the maps of the variants in their order, with their statistics
    asked: the same variants as the user wrote them
    notes: what is to be said first
    Raises SelectionError where the choice leaves nothing.
    """
    outcome = reduced(seen.maps, choice)
    entropies = _entropies(seen)
    named = titles(variants)
    shown = tuple(
        replace(_map(made, heatmap, variant, entropy), title=title)
        for heatmap, variant, entropy, title in zip(
            heatmaps(outcome.maps), variants, entropies, named, strict=True
        )
    )
    every = (*notes, *_told(made, variants, seen), *seen.notes, *outcome.notes)
    reduction = {
        "head": made.head.name,
        "variants": [variant.name for variant in variants],
        "shown": named,
        "hidden": outcome.hidden,
        "notes": list(every),
    }
    title = f"{printable(made.seen.model.name)}  head {made.head.name}  {pages.quoted(made.seen)}"
    return Page(
        title=title if style.title is None else printable(style.title),
        heatmaps=shown,
        scale=Scale(style.scale, style.vmax or 1.0),
        cmap=style.cmap or "viridis",
        notes=every,
        recipe=recipe(
            "variants", made.seen, choice, style, varying=asked, view="variants", reduction=reduction
        ),
        across=_across(variants),
        beside=True,
    )


def _map(made: Projections, heatmap: Heatmap, variant: Variant, entropy: float) -> Heatmap:
    bits = (
        ("entropy -", "-") if math.isnan(entropy) else (f"entropy {entropy:.2f} bits", f"{entropy:.2f} bits")
    )
    return replace(
        heatmap,
        name=f"{made.head.name}/{variant.name}",
        foot=bits,
        facts={
            "score": variant.score,
            "temperature": variant.temperature,
            "mask": variant.mask.text if variant.mask else None,
            "entropy": entropy,
        },
    )


def _entropies(seen: Capture) -> list[float]:
    """Of each variant, in bits."""
    if seen.statistics is None or "entropy" not in seen.statistics.values:
        return [math.nan] * len(seen.maps[0].heads)
    return [float(value) for value in seen.statistics.values["entropy"]]


def _across(variants: Sequence[Variant]) -> int | None:
    """So many side by side that what is varied last runs to the right; None if they fill no rectangle."""
    for varied in ([each.temperature for each in variants], [each.score for each in variants]):
        count = len(set(varied))
        if 1 < count <= _ACROSS and list(varied) == list(varied[:count]) * (len(variants) // count):
            return count
    return None


def _told(made: Projections, variants: Sequence[Variant], seen: Capture) -> Iterator[str]:
    """What each panel is."""
    scores = list(dict.fromkeys(variant.score for variant in variants))
    yield "; ".join(_meaning(made, score) for score in scores)
    yield from _added(made, scores)
    if any(variant.temperature != 1 for variant in variants):
        yield "T: the temperature, which scores are divided by; at 0 the largest has it all"
    yield from _of_masks(made, variants, seen)
    yield "entropy: mean over the rows that see more than one key"
    yield from _own(made, variants, seen)


def _meaning(made: Projections, score: str) -> str:
    """A score's formula."""
    size = made.query.shape[-1]
    usual = math.isclose(made.scale, size**-0.5, rel_tol=1e-6)
    factor = f" / √{size}" if usual else "" if made.scale == 1 else f" × {made.scale:.3g}"
    return {
        "dot": "dot: q·k",
        "scaled": f"scaled: q·k{factor}" + (" (this model does not scale)" if made.scale == 1 else ""),
        "cosine": "cosine: q·k / |q||k|",
        "linear": "linear: (elu q + 1)·(elu k + 1) over their sum, without a softmax",
        "general": "general: q W k with the W that it learnt",
        "concat": "concat: v·tanh(W [q; k]) with the W and v that it learnt",
        "additive": "additive: v·tanh(W q + U k) with the W, U and v that it learnt",
    }[score]


def _added(made: Projections, scores: Sequence[str]) -> Iterator[str]:
    """What the model does to its scores besides."""
    added = []
    if made.cap is not None:
        added.append(f"capped at ±{made.cap:g}")
    if made.bias is not None:
        added.append("with the model's bias by position")
    if made.sink is not None:
        added.append("beside the model's sink, which takes weight from the keys")
    if added:
        alone = "; linear has nothing of this" if "linear" in scores else ""
        yield f"scores: {', '.join(added)}{alone}"


def _of_masks(made: Projections, variants: Sequence[Variant], seen: Capture) -> Iterator[str]:
    """What a mask does here beside the model's own."""
    told = set()
    for variant, visible in zip(variants, seen.maps[0].visible, strict=True):
        if variant.mask is None or variant.mask in told:
            continue
        told.add(variant.mask)
        blind = int((~visible.any(-1) & made.visible.any(-1)).sum())
        if np.array_equal(visible, made.visible):
            yield f"{variant.mask.text}: changes nothing, the model itself sees no more here"
        elif blind:
            yield f"{variant.mask.text}: {blind} rows see nothing"
    if told and not made.visible.all():
        yield "masks: on top of the model's own"


def _varied(variants: Sequence[Variant]) -> tuple[bool, bool]:
    """Whether there are several temperatures, and several masks."""
    heats, masks = ({getattr(each, name) for each in variants} for name in ("temperature", "mask"))
    return len(heats) > 1, len(masks) > 1


def _own(made: Projections, variants: Sequence[Variant], seen: Capture) -> Iterator[str]:
    """Whether the model's own score gives its own weights."""
    own = Variant(score=made.score)  # type: ignore[arg-type]  # a Source says one of those
    if own in variants:
        place = variants.index(own)
        off = float(np.abs(seen.maps[0].weights[place] - made.weights).max())
        if off <= SAME:
            rest = [part for part, told in zip(own.parts[1:], _varied(variants), strict=True) if told]
            yield f"{', '.join([own.score, *rest])} is the head as the model has it"
        else:
            yield (
                f"{own.score} is not what the model has: its weights differ by up to {off:.2g}, as it does "
                "more to its scores than is known here"
            )
