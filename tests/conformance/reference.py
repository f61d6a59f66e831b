"""A model's own weights, taken without anything of attnviz: the reference that captures are held against.

The model runs once with eager attention. Three things are noted: what it returns under the names of
attention weights, what its own eager attention functions answer when transformers calls them, and every
softmax that it takes inside. What is no distribution is no weights (some models return hidden states there).
What is returned may be a part of such a softmax: then the whole counts, or its parts where all are returned.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers import AttentionInterface, PreTrainedModel
from transformers.utils import ModelOutput

Tensors = Mapping[str, Any]
HIDING = -9_999.0  # a mask that adds no more hides a key


@dataclass
class Own:
    """What a model itself says: names and weights ``[batch, heads, queries, keys]``, in their order.

    blind:     by the identity of weights, which of their rows a mask of numbers leaves nothing to see
    returned:  under the names of attention weights, if it is distributions
    called:    by its eager attention functions, where transformers calls these
    softmaxes: whatever was the result of one
    strange:   names under which something else is returned
    """

    returned: list[tuple[str, Tensor]] = field(default_factory=list)
    called: list[tuple[str, Tensor]] = field(default_factory=list)
    softmaxes: list[tuple[str, Tensor]] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    blind: dict[int, Tensor] = field(default_factory=dict)

    def note(
        self, module: nn.Module, weights: Tensor, attention_mask: Tensor | None = None, **_: object
    ) -> None:
        """What a call of an attention function came to."""
        self.called.append((type(module).__name__, weights))
        if attention_mask is not None and attention_mask.dtype != torch.bool and attention_mask.dim() == 4:
            self.blind[id(weights)] = ~(attention_mask > HIDING).any(-1, keepdim=True)

    def layers(self) -> list[tuple[str, Tensor]]:
        """Every layer's weights once: those of the calls, and what is returned besides.

        Rows that may see nothing are zeros: a mask of numbers cannot say so, and its softmax is of the mask.
        """
        parts = [weights for _, weights in self.returned]
        layers = [(name, whole) for name, whole in self.called if not _in_parts(whole, parts)]
        known = [weights for _, weights in layers]
        for name, weights in self.returned:
            if not any(_same(weights, other) for other in known):
                layers.append((name, self._whole(weights)))
        return [(name, self._seen(weights)) for name, weights in layers]

    def _seen(self, weights: Tensor) -> Tensor:
        blind = self.blind.get(id(weights))
        return weights if blind is None else weights.masked_fill(blind, 0)

    def _whole(self, weights: Tensor) -> Tensor:
        """The softmax whose last rows and keys these are (others were cut off), or themselves."""
        return next((whole for _, whole in self.softmaxes if _is_end(weights, whole)), weights)


def own_weights(model: PreTrainedModel, tensors: Tensors) -> Own:
    """One run of a model that was made with eager attention."""
    own = Own()
    with torch.inference_mode(), _recorded_calls(own), _Softmaxes(own):
        outputs = _run(model, tensors, own)
    for name, weights in _returned(outputs):
        if is_distribution(weights):
            own.returned.append((name, weights))
        else:
            own.strange.append(name)
    own.called = [(name, weights) for name, weights in own.called if is_distribution(weights)]
    return own


def _run(model: PreTrainedModel, tensors: Tensors, own: Own) -> Any:
    try:
        return called(model, {**tensors, "output_attentions": True})
    except Exception:
        for noted in (own.called, own.softmaxes):  # of the run that failed
            noted.clear()
        return called(model, tensors)


def called(model: PreTrainedModel, tensors: Tensors) -> Any:
    """What the model makes of copies of its input, with nothing that it remembers of earlier runs or weights.

    (Some write into a session that they are given, some keep texts or biases in a cache.)
    """
    kept = [
        (vars(module), name, value)
        for module in model.modules()
        for name, value in vars(module).items()
        if "cache" in name and not isinstance(value, Tensor | bool | int | None)
    ]
    for owner, name, value in kept:
        owner[name] = copy.deepcopy(value)
    try:
        seeded()
        return model(**copy.deepcopy(dict(tensors)))
    finally:
        for owner, name, value in kept:
            owner[name] = value


def seeded() -> None:
    """What is random in a run (masked patches, hash functions, random blocks) is the same in every run."""
    torch.manual_seed(5)
    np.random.seed(5)


def is_distribution(weights: Tensor) -> bool:
    """Whether rows sum to 1, to less where a sink takes the rest, or are zeros.

    Where columns sum to 1 instead, each key is shared out among the queries (groups): those are no weights.
    """
    if weights.dim() < 3 or not weights.is_floating_point() or weights.numel() == 0:
        return False
    sums = weights.sum(-1)
    if _are_ones(weights.sum(-2)) and not _are_ones(sums):
        return False
    fine = (weights.min() > -1e-6) and (sums.max() < 1 + 1e-3)
    return bool(fine and (sums > 1e-3).float().mean() > 0.3)


def _are_ones(sums: Tensor) -> bool:
    return bool(((sums - 1).abs() < 1e-3).all())


def _returned(outputs: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """The tensors of every field that is called after attentions, also in outputs of inner models."""
    for name, value in outputs.items() if isinstance(outputs, ModelOutput | dict) else ():
        if isinstance(value, ModelOutput):
            yield from _returned(value, f"{prefix}{name}.")
        elif "attention" in name and "mask" not in name:
            for place, weights in enumerate(_tensors(value)):
                yield f"{prefix}{name}.{place}", weights


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)


@contextmanager
def _recorded_calls(own: Own) -> Iterator[None]:
    """While it lasts, what models' own eager functions return is noted."""
    looked_up = AttentionInterface.get_interface

    def get_interface(self: AttentionInterface, attn_implementation: str, default: Callable[..., Any]) -> Any:
        function = looked_up(self, attn_implementation, default)

        def noted(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            before = len(own.softmaxes)
            result = function(module, *args, **kwargs)
            if isinstance(result, tuple) and isinstance(result[1], Tensor):
                own.note(module, result[1].clone(), *args[3:4], **kwargs)
            elif len(own.softmaxes) == before + 1:  # torch's own attention returns no weights
                own.note(module, own.softmaxes[-1][1].clone(), *args[3:4], **kwargs)
            return result

        return noted

    AttentionInterface.get_interface = get_interface
    try:
        yield
    finally:
        AttentionInterface.get_interface = looked_up


class _Softmaxes(TorchFunctionMode):
    """Notes every softmax over a last axis, also those inside torch's own attention functions."""

    def __init__(self, own: Own) -> None:
        super().__init__()
        self._own = own

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name == "multi_head_attention_forward":
            options |= {"need_weights": True, "average_attn_weights": False}
        result = func(*args, **options)
        if name == "softmax" and isinstance(result, Tensor) and result.dim() >= 3:
            self._note(name, result)
        elif name == "multi_head_attention_forward":
            self._note(name, result[1])
        elif name == "scaled_dot_product_attention":
            self._note(name, _textbook(*args, **options))
        return result

    def _note(self, name: str, weights: Tensor) -> None:
        self._own.softmaxes.append((name, weights.detach().clone()))


def _textbook(  # noqa: PLR0917 - it is torch's own signature
    query: Tensor,
    key: Tensor,
    value: Tensor,  # noqa: ARG001
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,  # noqa: ARG001
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """The weights of torch's scaled dot product attention, by its documentation."""
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    scores = (query @ key.transpose(-1, -2)) * (scale or query.shape[-1] ** -0.5)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return scores.softmax(-1).nan_to_num(0.0)


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(torch.allclose(one, other, atol=1e-6))


def _in_parts(whole: Tensor, parts: list[Tensor]) -> bool:
    """Whether two of the parts, side by side, are the whole: two attentions that share a softmax."""
    return any(
        one.shape[:-1] == other.shape[:-1] == whole.shape[:-1] and _same(torch.cat([one, other], -1), whole)
        for one in parts
        for other in parts
    )


def _is_end(weights: Tensor, whole: Tensor) -> bool:
    """Whether weights are the last rows and keys of something larger."""
    larger = weights.dim() == whole.dim() == 4 and weights.shape[:2] == whole.shape[:2]
    queries, keys = weights.shape[-2:]
    longer = larger and whole.shape[-2] > queries and whole.shape[-1] > keys
    return longer and _same(weights, whole[..., -queries:, -keys:])


def mean_focus(layers: list[tuple[str, Tensor]]) -> float:
    """How far attention is from flat, 0 to 1: 1 - entropy / log2(keys), mean over rows, heads and layers."""
    values = []
    for _, weights in layers:
        shares = weights.double() / weights.double().sum(-1, keepdim=True).clamp_min(1e-12)
        entropy = -(shares * shares.clamp_min(1e-300).log2()).sum(-1)
        seen = (weights > 0).sum(-1)
        several = seen > 1
        if several.any():
            values.append(float((1 - entropy[several] / seen[several].double().log2()).mean()))
    return sum(values) / len(values) if values else float("nan")
