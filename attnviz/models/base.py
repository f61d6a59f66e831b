"""What a Source is: something that can be run once and say what it attended to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from attnviz.captures import Axis
from attnviz.facts import ModelFacts
from attnviz.inputs import Sample
from attnviz.models.opened import Opened
from attnviz.observe.tiles import Watch


@dataclass(frozen=True)
class Encoded:
    """A sample made ready for one model.

    tensors: what the model is called with, a batch of one
    axes:    ``(queries, keys)`` of each stack, and of single layers whose axes are others
    notes:   what a reader must know ("cut to 512 of 713 tokens")
    written: so many of the tokens, the last ones, the model wrote itself
    """

    sample: Sample
    tensors: Mapping[str, Tensor]
    axes: Mapping[str, tuple[Axis, Axis]]
    notes: tuple[str, ...] = ()
    written: int = 0


class Source(Protocol):
    """A model as everything after it sees it."""

    @property
    def facts(self) -> ModelFacts: ...

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of what computes the weights."""
        ...

    def encode(self, sample: Sample, *, truncate: bool = False) -> Encoded:
        """The sample as the model reads it.

        Raises InputError if it is empty, or longer than the model's positions and not to be truncated.
        """
        ...

    def plain_ids(self) -> Sequence[int]:
        """The numbers of all tokens that a text can be made of: the model's own are left out.

        Raises InputError if it does not read text.
        """
        ...

    def encode_ids(self, ids: Sequence[int]) -> Encoded:
        """Tokens by their numbers, where a text would stand: between those that are put around one.

        Raises InputError if it does not read text, or not as much.
        """
        ...

    def opened(self, encoded: Encoded) -> Opened:
        """The model laid open on one sample, to be examined."""
        ...

    def run(self, batch: Sequence[Encoded], watches: Sequence[Watch]) -> None:
        """One pass of the model over some samples; what the watch of each wants is handed to it tile by tile.

        Raises ModelError if the weights cannot be captured exactly.
        """
        ...
