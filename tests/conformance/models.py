"""A small random model of any registered type."""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import MODEL_MAPPING, PreTrainedConfig, PreTrainedModel
from transformers.models.auto.configuration_auto import model_type_to_module_name

MOST = 120_000_000  # parameters
SEED = 7


def model_classes(config: PreTrainedConfig, named: str | None = None) -> list[type[PreTrainedModel]]:
    """The classes that take this configuration and can be called, the plainest first."""
    if named:
        return [getattr(_modeling(config), named)]
    found = _mapped(config)
    mapped = list(found) if isinstance(found, tuple | list) else [found] if found else []
    others = [member for member in _models_of(config) if member not in mapped]
    others.sort(key=lambda member: (not member.__name__.endswith("Model"), len(member.__name__)))
    return [member for member in (*mapped, *others) if member.forward is not nn.Module.forward]


def _models_of(config: PreTrainedConfig) -> list[type[PreTrainedModel]]:
    """The models beside a configuration that are made for it."""
    try:
        modeling = _modeling(config)
    except ModuleNotFoundError:  # it is another type's model
        return []
    return [
        member
        for member in vars(modeling).values()
        if inspect.isclass(member)
        and issubclass(member, PreTrainedModel)
        and getattr(member, "config_class", None) is type(config)
        and not member.__name__.endswith("PreTrainedModel")
    ]


def _mapped(config: PreTrainedConfig) -> Any:
    """What transformers' own table says, None if it has no entry or one that is not there."""
    try:
        return MODEL_MAPPING.get(type(config), None)
    except ValueError:
        return None


def _modeling(config: PreTrainedConfig) -> Any:
    """The module that holds the models of a configuration."""
    name = type(config).__module__.replace(".configuration_", ".modeling_")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        name = model_type_to_module_name(config.model_type)
        return importlib.import_module(f"transformers.models.{name}.modeling_{name}")


def random_model(
    model_class: type[PreTrainedModel], config: PreTrainedConfig, implementation: str | None
) -> PreTrainedModel:
    """A model with random weights, ready to be run. Raises ValueError if it would be large."""
    with torch.device("meta"):
        size = sum(parameter.numel() for parameter in _made(model_class, config, implementation).parameters())
    if size > MOST:
        raise ValueError(f"{model_class.__name__} has {size} parameters")
    torch.manual_seed(SEED)
    with _marked():
        model = _made(model_class, config, implementation).eval()
    for parameter in model.parameters():
        if not bool(parameter.isfinite().all()):
            nn.init.normal_(parameter, std=0.02)
    return model


@contextmanager
def _marked() -> Iterator[None]:
    """While it lasts, what is made and not initialised (some models forget their experts) is NaN."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _made(
    model_class: type[PreTrainedModel], config: PreTrainedConfig, implementation: str | None
) -> PreTrainedModel:
    return model_class._from_config(config, attn_implementation=implementation, dtype=torch.float32)
