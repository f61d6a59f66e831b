"""The models of a plan as they are on this machine: what is known of them, and how they are loaded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.facts import LayerFacts
from attnviz.plans.plan import ModelEntry

if TYPE_CHECKING:
    from attnviz.models.base import Source
    from attnviz.models.request import Request


@dataclass(frozen=True)
class Loading:
    """How models are loaded on this machine: what no plan may say.

    threads: of torch; None for as many as it takes itself
    """

    device: str = "auto"
    offline: bool = False
    allow_remote_code: bool = False
    allow_pickle: bool = False
    threads: int | None = None


def load(model: ModelEntry, loading: Loading, *, generates: bool) -> "Source":
    """The model, ready to run. Raises ModelError if it cannot be loaded."""
    from attnviz.models import families
    from attnviz.models.devices import use_threads

    use_threads(loading.threads)
    return families.load(
        model.name,
        revision=model.revision,
        device=loading.device,
        dtype=model.dtype,
        allow_pickle=loading.allow_pickle,
        allow_remote_code=loading.allow_remote_code,
        offline=loading.offline,
        generates=generates,
    )


def layers_of(model: ModelEntry, loading: Loading, *, generates: bool) -> tuple[LayerFacts, ...]:
    """The layers of a model, from its configuration, or where that does not tell from the loaded model.

    Raises ModelError if it is not there.
    """
    from attnviz.models.outline import outline

    return outline(_request(model, loading)) or load(model, loading, generates=generates).facts.layers


def fingerprint_of(model: ModelEntry, loading: Loading) -> str | None:
    """Of the model's weights as they are now; None of a model that is not on this machine."""
    from attnviz.models.outline import fingerprint

    return fingerprint(_request(model, loading))


def _request(model: ModelEntry, loading: Loading) -> "Request":
    from attnviz.models.request import Request

    return Request(
        model.name,
        model.revision,
        allow_pickle=loading.allow_pickle,
        allow_remote_code=loading.allow_remote_code,
        offline=loading.offline,
    )
