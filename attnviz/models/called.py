"""Models under names that tell them apart, where several directories are called alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.facts import ModelFacts
from attnviz.files import is_directory
from attnviz.inputs import Sample

if TYPE_CHECKING:
    from attnviz.models.base import Encoded, Source
    from attnviz.models.opened import Opened
    from attnviz.observe.tiles import Watch


def apart(names: Sequence[str]) -> list[str | None]:
    """What models are to be called, as they were asked for; None where the model's own name says enough.

    Directories of one name are called by as much of their paths as it takes: "a/bert" and "b/bert".
    """
    places = [Path(name).resolve() if name and is_directory(Path(name)) else None for name in names]
    return [_apart(place, {other for other in places if other not in (None, place)}) for place in places]


def _apart(place: Path | None, others: "set[Path | None]") -> str | None:
    """The shortest end of a path that no other one has; None if that is its last part."""
    ends = [] if place is None else [place.parts[-count:] for count in range(1, len(place.parts))]
    taken = [other.parts for other in others if other is not None]
    found = next((end for end in ends if all(other[-len(end) :] != end for other in taken)), None)
    return None if found is None or len(found) == 1 else "/".join(found)


def called(source: "Source", name: str | None) -> "Source":
    """The model under this name; without one as it is."""
    return source if name is None or name == source.facts.name else _Called(source, name)


@dataclass(frozen=True)
class _Called:
    """A model under another name than its own."""

    source: "Source"
    name: str

    @property
    def facts(self) -> ModelFacts:
        return replace(self.source.facts, name=self.name)

    @property
    def versions(self) -> Mapping[str, str]:
        return self.source.versions

    def encode(self, sample: Sample, *, truncate: bool = False) -> "Encoded":
        return self.source.encode(sample, truncate=truncate)

    def plain_ids(self) -> Sequence[int]:
        return self.source.plain_ids()

    def encode_ids(self, ids: Sequence[int]) -> "Encoded":
        return self.source.encode_ids(ids)

    def opened(self, encoded: "Encoded") -> "Opened":
        return self.source.opened(encoded)

    def run(self, batch: "Sequence[Encoded]", watches: "Sequence[Watch]") -> None:
        self.source.run(batch, watches)
