"""What is to be made: models, samples and figures, and the files that follow from them.

An entry is a Recipe without results: the same records say how a figure is to be made and how one was.
"""

from dataclasses import dataclass

from attnviz.facts import LayerFacts
from attnviz.inputs import Sample
from attnviz.recipes import Choice, Listing, Style

TOGETHER = ("heads", "grid")
"""Views that may be of several samples at once: then their numbers are means."""

DIFFERENCE = "diff"


@dataclass(frozen=True)
class ModelEntry:
    """A model that is to read the samples.

    name:     ``builtin:NAME``, a directory, or a name on the hub
    label:    as file names call it, and ``models = [...]`` of a figure
    """

    name: str
    label: str
    revision: str | None = None
    dtype: str = "auto"


@dataclass(frozen=True)
class SampleEntry:
    """Something that the models are to read; truncate: cut to what fits."""

    sample: Sample
    truncate: bool = False

    @property
    def name(self) -> str:
        return self.sample.name


@dataclass(frozen=True)
class FigureEntry:
    """What is to be drawn of models and samples.

    section: where the plan says so ("figures[2]", counted from 1), for messages
    view:    "heatmap", "atlas", "heads", "grid", "rollout" or "diff"
    file:    a pattern (``names.py``): with ``{layer}`` or ``{head}`` in it there is a figure for each
    against: name of the sample, or label of the model, that the others are compared with, for "diff"
    models:  labels of those that it is of; samples: names likewise; none: of all
    """

    section: str
    view: str
    file: str
    choice: Choice = Choice()
    style: Style = Style()
    listing: Listing = Listing()
    against: str | None = None
    models: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All of it, in the order in which it will be listed. A plan holds no machine's settings."""

    models: tuple[ModelEntry, ...]
    samples: tuple[SampleEntry, ...]
    figures: tuple[FigureEntry, ...]

    @property
    def generates(self) -> bool:
        """Whether some sample asks the models to write."""
        return any(sample.sample.generate for sample in self.samples)


@dataclass(frozen=True)
class Seen:
    """One sample as one model reads it."""

    model: ModelEntry
    entry: SampleEntry

    @property
    def name(self) -> str:
        return f"{self.model.label} reading {self.entry.name}"


@dataclass(frozen=True)
class Job:
    """One file that is to be made.

    file:   below the directory, with / between parts
    figure: what is drawn, its choice narrowed to this file's layer and head
    of:     what it is drawn of: one; of "heads" and "grid" perhaps many; of "diff" two
    """

    file: str
    figure: FigureEntry
    of: tuple[Seen, ...]

    @property
    def alone(self) -> bool:
        """Whether one capture is all that it needs."""
        return len(self.of) == 1


Facts = dict[ModelEntry, tuple[LayerFacts, ...]]
"""The layers of each model."""
