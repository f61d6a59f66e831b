"""What is run of a model type: a small random model, steep enough, and what it is called with."""

import copy
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import CONFIG_MAPPING, PreTrainedModel

from tests.conformance.inputs import candidates
from tests.conformance.models import model_classes, random_model
from tests.conformance.reference import Own, called, mean_focus, own_weights
from tests.conformance.sharpen import sharpen
from tests.conformance.shrink import RECIPES, small_config
from tests.conformance.special import SPECIAL, Special

SECONDS = 8  # for finding a form that runs
SETS = 30  # of inputs tried with one model


class NoModelError(Exception):
    """The type is a part of another model and has no model of its own."""


class NotBuiltError(Exception):
    """No small model of the type was found that runs."""


@dataclass(frozen=True)
class Case:
    """A model type, ready to be looked at.

    model:   as a user has it, with transformers' default attention, in eval mode
    tensors: what it is called with, a batch of one
    own:     its own weights
    focus:   their mean focus
    """

    kind: str
    model: PreTrainedModel
    tensors: Mapping[str, Any]
    own: Own
    focus: float


def case(kind: str) -> Case:
    """The case of a model type.

    Raises NoModelError or NotBuiltError; ImportError if a package is missing.
    """
    special = SPECIAL.get(kind, Special())
    with special.within():
        return _case(kind, special)


def _case(kind: str, special: Special) -> Case:
    eager, tensors = _running(kind, special)
    own: list[Own] = []

    def focus() -> float:
        own[:] = [own_weights(eager, tensors)]
        return mean_focus(own[0].layers() or own[0].softmaxes)

    reached = sharpen(eager, focus)
    own[:] = [own_weights(eager, tensors)]
    model = _as_users_have_it(eager)
    return Case(kind, model, tensors, own[0], reached)


def _as_users_have_it(eager: PreTrainedModel) -> PreTrainedModel:
    """The same model with transformers' default attention."""
    config = copy.deepcopy(eager.config)
    torch.manual_seed(7)
    model = _with_implementation(type(eager), config, None)
    model.load_state_dict(eager.state_dict())
    return model


def _with_implementation(
    model_class: type[PreTrainedModel], config: Any, implementation: str | None
) -> PreTrainedModel:
    for part in (config, *(getattr(config, name, None) for name in getattr(config, "sub_configs", {}))):
        if part is not None:
            part._attn_implementation_internal = None
    return random_model(model_class, config, implementation)


def runs_by_rules(kind: str) -> bool:
    """Whether the rules alone, with nothing of the table of special types, build a model and run it."""
    try:
        _running(kind, Special())
    except (NoModelError, NotBuiltError, ImportError):
        return False
    return True


def _running(kind: str, special: Special) -> tuple[PreTrainedModel, Mapping[str, Any]]:
    """A model with eager attention and inputs that it can be called with."""
    problems: list[str] = []
    end = time.process_time() + SECONDS
    for model in _models(kind, special, problems):
        for tensors, _ in zip(_inputs(special, model, problems), range(SETS), strict=False):
            if time.process_time() > end:
                raise NotBuiltError(f"{SECONDS} seconds; {problems[0][:300] if problems else ''}")
            try:
                with torch.inference_mode():
                    called(model, tensors)
            except Exception as error:
                problems.append(f"{type(model).__name__}({', '.join(tensors)}): {_said(error)}")
                continue
            return model, tensors
    if any("requires the" in problem or "ModuleNotFound" in problem for problem in problems):
        raise ImportError(next(p for p in problems if "requires the" in p or "ModuleNotFound" in p))
    raise NotBuiltError(" / ".join(dict.fromkeys(problems))[:700] or "no inputs are known for it")


def _models(kind: str, special: Special, problems: list[str]) -> Iterator[PreTrainedModel]:
    for recipe in (special.recipe,) if special.recipe else RECIPES:
        try:
            config = small_config(default_config(kind, special), recipe, special.config)
            config = getattr(config, special.part) if special.part else config
            classes = model_classes(config, special.model)
        except Exception as error:
            problems.append(_said(error))
            continue
        if not classes:
            raise NoModelError(kind)
        for model_class in classes[:2]:
            try:
                yield random_model(model_class, config, special.implementation)
            except Exception as error:
                problems.append(f"{model_class.__name__}: {_said(error)}")


def default_config(kind: str, special: Special) -> Any:
    return CONFIG_MAPPING[kind](**special.start)


def _inputs(special: Special, model: PreTrainedModel, problems: list[str]) -> Iterator[Mapping[str, Any]]:
    try:
        if special.inputs:
            torch.manual_seed(11)
            yield special.inputs(model)
        else:
            yield from candidates(model)
    except Exception as error:
        problems.append(f"{type(model).__name__}: no inputs: {_said(error)}")


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def real_places(tensors: Mapping[str, Any]) -> dict[int, NDArray[np.bool_]]:
    """By the length of a sequence: which of its places are no padding."""
    real = {}
    for name, mask in tensors.items():
        if "mask" in name and isinstance(mask, Tensor) and mask.dim() == 2 and not bool(mask.bool().all()):
            real[mask.shape[1]] = mask[0].bool().numpy()
    return real
