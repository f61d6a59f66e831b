"""What the caller has already: a model of transformers, and tensors prepared for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from attnviz.errors import InputError, ModelError, UsageError
from attnviz.inputs import Sample
from attnviz.models.base import Encoded, Source
from attnviz.models.families import load

WRAPPED = ("_orig_mod", "module")
"""Where torch.compile, DataParallel and DistributedDataParallel keep the model that they wrap."""


def source_of(model: "str | Source | nn.Module", tokenizer: Any = None) -> Source:
    """The Source of a model by its name, or of one of transformers that is there, whatever it is wrapped in.

    A Source is returned as it is.
    Raises UsageError for what is no model or no tokenizer, ModelError for a model of something else, or one
    that cannot be captured exactly.
    """
    if isinstance(model, nn.Module):
        if tokenizer is not None and not hasattr(tokenizer, "convert_ids_to_tokens"):
            raise UsageError(
                f"tokenizer={tokenizer!r} is none: give what AutoTokenizer.from_pretrained returns"
            )
        from attnviz.models.live import LiveSource

        return LiveSource(unwrapped(model), tokenizer=tokenizer)
    if tokenizer is not None:
        raise UsageError("tokenizer goes with a model that is there already: others have one of their own")
    if not isinstance(model, str) and not (hasattr(model, "encode") and hasattr(model, "run")):
        raise UsageError(
            f"model={model!r} is no model: give a name, what load_model returns, or a model of transformers"
        )
    return load(model) if isinstance(model, str) else model


def encoded(
    source: Source,
    sample: Sample | Mapping[str, Tensor],
    *,
    labels: Sequence[str] | None = None,
    truncate: bool = False,
) -> Encoded:
    """A text, or tensors that are prepared already, as the model reads them.

    Raises InputError where that is not possible.
    """
    if isinstance(sample, Mapping):
        return _prepared(source, sample, labels)
    if labels is not None:
        raise UsageError("labels name the tokens of prepared tensors: those of a text are known")
    return source.encode(sample, truncate=truncate)


def _prepared(source: Source, tensors: Mapping[str, Tensor], labels: Sequence[str] | None) -> Encoded:
    from attnviz.models.live import LiveSource

    if not isinstance(source, LiveSource):
        raise InputError(
            f"prepared tensors go to a model that is there already, not to {source.facts.name}: give the text"
        )
    return source.prepared(tensors, labels=labels)


def unwrapped(model: nn.Module) -> Any:
    """The model of transformers inside a compiled, parallel or adapted one: the same modules and weights."""
    from transformers import PreTrainedModel

    if isinstance(model, PreTrainedModel):
        return model
    for name in WRAPPED:
        inner = getattr(model, name, None)
        if isinstance(inner, nn.Module):
            return unwrapped(inner)
    if hasattr(model, "peft_config"):
        return unwrapped(_without_peft(model))
    raise ModelError(
        f"{type(model).__name__} is no model of transformers: only a PreTrainedModel can be looked at, "
        "also compiled or with adapters"
    )


def _without_peft(model: Any) -> nn.Module:
    """The model that adapters were put into. (Those that add tokens to the text are more than modules.)"""
    for config in model.peft_config.values():
        if config.is_prompt_learning:
            raise ModelError(
                f"{type(model).__name__} puts tokens of its own before the text "
                f"({str(config.peft_type).rpartition('.')[2]}): look at model.get_base_model()"
            )
    inner: nn.Module = model.get_base_model()
    return inner
