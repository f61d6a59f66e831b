"""What ``attnviz doctor`` found out about a model. No torch."""

from dataclasses import dataclass

from attnviz.facts import LayerFacts, ModelFacts
from attnviz.inputs import Sample

SUMS = 1e-3
"""How far from 1 a row may sum."""

DISTURBED = 1e-6
"""By what part of its largest number the output must change when weights do."""

TOLERANCES = {"float32": 1e-5, "float64": 1e-5}
COARSE = 2e-2
"""How far from the model's own a weight may be, by its number format; in half precision 2 %."""


@dataclass(frozen=True)
class LayerReport:
    """One layer of a model, examined.

    facts:      what it is
    difference: the largest one between a weight of it and the model's own eager attention; None where there
                is none to compare with
    sums:       how far from 1 a row sums at most (with a sink, above 1)
    disturbed:  the largest change of the model's output when this layer weighs all that it sees alike, as a
                part of the output's largest number; None where that cannot be tried
    """

    facts: LayerFacts
    difference: float | None = None
    sums: float | None = None
    disturbed: float | None = None


@dataclass(frozen=True)
class Needs:
    """What looking at a text of so many tokens takes.

    maps:       bytes, all maps kept whole
    statistics: bytes, those of all heads
    seconds:    of a run with the statistics, judging from its first layer
    """

    tokens: int
    maps: int
    statistics: int
    seconds: float


@dataclass(frozen=True)
class Diagnosis:
    """Whether a model is captured exactly, layer by layer.

    sample:    what it was examined with
    tokens:    how many these were
    reference: what the weights were compared with; empty if there was nothing
    needs:     what longer texts take
    unread:    why others that were asked for cannot be read, a line each
    """

    model: ModelFacts
    sample: Sample
    tokens: int
    reference: str
    layers: tuple[LayerReport, ...]
    needs: tuple[Needs, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def tolerance(self) -> float:
        """How far from the model's own a weight may be."""
        return TOLERANCES.get(self.model.dtype, COARSE)

    @property
    def failures(self) -> tuple[str, ...]:
        """What is wrong, a sentence each; none for a model that is captured exactly."""
        return tuple(wrong for layer in self.layers for wrong in self._wrong(layer))

    @property
    def passed(self) -> bool:
        return not self.failures

    def _wrong(self, layer: LayerReport) -> list[str]:
        name, found = layer.facts.name, []
        if layer.difference is not None and not layer.difference <= self.tolerance:
            found.append(
                f"layer {name}: weights differ from {self.reference} by {layer.difference:.1g}, "
                f"at most {self.tolerance:.0e} is allowed"
            )
        if layer.sums is not None and not layer.sums <= SUMS:
            found.append(f"layer {name}: a row is {layer.sums:.1g} away from a sum of 1")
        if layer.disturbed is not None and not layer.disturbed > DISTURBED:
            found.append(f"layer {name}: disturbing its weights does not disturb the model's output")
        return found
