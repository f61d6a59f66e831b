"""What comes of one model type: captured and how exactly, not captured and for what reason, or a failure."""

import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from attnviz.captures import Capture
from attnviz.models.live import LiveSource
from attnviz.models.reasons import Reason, RefusedError
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe
from tests.conformance.cases import Case, NoModelError, NotBuiltError, case, real_places
from tests.conformance.compare import Comparison, compared
from tests.conformance.reference import seeded

EXACT = 1e-5
NEAR = 1e-4
STEEP = 0.2  # mean focus

CAPTURED = "captured"
REFUSED = "not captured"
PART = "part of another model"
FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What a run of one type showed.

    status:     captured, not captured (``why`` is one of the reasons), part of another model, or failed
    why:        the reason, or what went wrong
    model:      the class that was run
    difference: the largest between captured weights and the model's own
    layers, heads: captured
    routes:     by which the weights were taken
    focus:      mean focus of the model's own weights
    own_config: the rules alone could not build or run it: it needs a configuration or inputs of its own
    """

    kind: str
    status: str
    why: str = ""
    model: str = ""
    difference: float | None = None
    layers: int = 0
    heads: int = 0
    routes: tuple[str, ...] = ()
    focus: float | None = None
    own_config: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def outcome(kind: str) -> Outcome:
    """Builds a model of the type, captures it and compares."""
    try:
        made = case(kind)
    except NoModelError:
        return Outcome(kind, PART)
    except ImportError as error:
        return Outcome(kind, REFUSED, Reason.MISSING_PACKAGE.value, model=_package(error))
    except NotBuiltError as error:
        return Outcome(kind, FAILED, f"not built: {error}", own_config=True)
    try:
        capture = captured(made)
    except RefusedError as error:
        return _refused(made, error)
    return _judged(made, capture, comparison(made, capture))


def _package(error: ImportError) -> str:
    found = re.search(r"requires the (\S+)|No module named '(\w+)", str(error))
    return next(filter(None, found.groups()), "") if found else ""


def captured(made: Case) -> Capture:
    """What attnviz sees of the model: all maps."""
    source = LiveSource(made.model)
    encoded = source.prepared(made.tensors)
    seeded()
    return observe(source, encoded, [KeepMaps()])


def comparison(made: Case, capture: Capture) -> Comparison:
    """A capture against the model's own weights."""
    return compared(
        [(maps.name, maps.weights) for maps in capture.maps],
        [(name, _numbers(weights)) for name, weights in made.own.layers()],
        [(name, _numbers(weights)) for name, weights in made.own.softmaxes],
        real_places(made.tensors),
    )


def _numbers(weights: Tensor) -> NDArray[np.float32]:
    return weights.detach().float().numpy()


def _refused(made: Case, error: RefusedError) -> Outcome:
    """A refusal is right only where the model itself gives no weights."""
    name = type(made.model).__name__
    if made.own.layers():
        return Outcome(made.kind, FAILED, f"refused, but the model gives weights: {error}", name)
    return Outcome(made.kind, REFUSED, error.reason.value, name)


def _judged(made: Case, capture: Capture, found: Comparison) -> Outcome:
    problems = list(found.wanting)
    if found.difference > NEAR:
        problems.insert(0, f"differs by {found.difference:.2g}")
    if not found.layers:
        problems.append("nothing was captured")
    if not made.focus > STEEP:
        problems.append(f"mean focus {made.focus:.2f}: too flat to tell")
    return Outcome(
        made.kind,
        FAILED if problems else CAPTURED,
        "; ".join(problems)[:600],
        type(made.model).__name__,
        found.difference,
        found.layers,
        found.heads,
        tuple(sorted({layer.route for layer in capture.model.layers if layer.route})),
        round(made.focus, 3),
    )
