"""Which attentions a model has, found by running it once on little and seeing what comes by."""

import inspect
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import nn

from attnviz.errors import ModelError
from attnviz.facts import LayerFacts
from attnviz.models.facts import window_of
from attnviz.models.fresh import changes, fresh
from attnviz.models.hub import first_line
from attnviz.models.naming import Attention, named
from attnviz.models.reasons import Reason, RefusedError, is_no_softmax
from attnviz.models.routes.base import Event, own_length
from attnviz.models.routes.frames import ATTENTION, Frames
from attnviz.models.routes.given import Given
from attnviz.models.routes.hook import hooked
from attnviz.models.routes.layouts import LAYOUTS, in_whole
from attnviz.models.routes.merged import Part, apart, merges
from attnviz.models.routes.softmax import watching
from attnviz.models.sides import READ, WRITTEN, Over, length_of, over_of
from attnviz.models.steady import steady
from attnviz.models.tap import tapped
from attnviz.observe.memory import is_exhaustion


class Key(NamedTuple):
    """One attention of a run: in which module, on which route, and which time that one comes by."""

    path: str
    route: str
    nth: int


@dataclass(frozen=True)
class Met:
    """An attention that came by while the model was looked over.

    queries, keys: how many it had; of several images in one call, of them all
    across:        its keys are the encoder's, though its path does not say so
    """

    key: Key
    heads: int
    key_heads: int | None
    queries: int
    keys: int
    across: bool = False


@dataclass(frozen=True)
class Census:
    """The attentions of a model for one kind of input.

    met:    each of them, in the order in which they come by
    facts:  what is known of each, likewise
    reads, writes: tokens that it was looked over with, on either side
    decodes: whether its decoder reads something else than its encoder
    alike:  sides (queries, keys) of layers that are only as long as the tokens, and none, by the layer's name
    others: layers that mix tokens in another way
    follows: whether the modules that run must be followed
    """

    met: tuple[Met, ...]
    facts: tuple[LayerFacts, ...]
    reads: int | None = None
    writes: int | None = None
    decodes: bool = False
    alike: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    others: tuple[LayerFacts, ...] = ()
    follows: bool = False

    @cached_property
    def by_key(self) -> Mapping[Key, LayerFacts]:
        return {met.key: facts for met, facts in zip(self.met, self.facts, strict=True)}

    def holds_for(self, tensors: Mapping[str, Any]) -> bool:
        """Whether other input of the same names and shapes is sure to show the same attentions.

        It is not where an object is given that runs write into, and where a module comes by several times
        with a query each: how often depends on what it reads.
        """
        steps = Counter((met.key.path, met.key.route) for met in self.met if met.queries == 1)
        return not any(changes(value) for value in tensors.values()) and max(steps.values(), default=0) < 2

    @cached_property
    def over(self) -> Mapping[LayerFacts, tuple[Over, Over]]:
        """What the queries and the keys of each layer are over."""
        return {layer: self._over(layer) for layer in (*self.facts, *self.others)}

    def _over(self, layer: LayerFacts) -> tuple[Over, Over]:
        queries, keys = over_of(layer.stack, decodes=self.decodes)
        not_queries, not_keys = self.alike.get(layer.name, (False, False))
        return None if not_queries else queries, None if not_keys else keys

    def only(self, wanted: Callable[[LayerFacts], bool]) -> "Census":
        """The census of some of the layers."""
        pairs = [pair for pair in zip(self.met, self.facts, strict=True) if wanted(pair[1])]
        return replace(self, met=tuple(met for met, _ in pairs), facts=tuple(facts for _, facts in pairs))

    @cached_property
    def routes(self) -> frozenset[str]:
        return frozenset(met.key.route for met in self.met)

    @cached_property
    def layers(self) -> tuple[LayerFacts, ...]:
        """All layers, stack by stack in the order in which these come by, by their numbers."""
        stacks = list(dict.fromkeys(facts.stack for facts in self.facts))
        everyone = {*self.facts, *self.others}
        return tuple(sorted(everyone, key=lambda facts: (stacks.index(facts.stack), facts.layer)))

    @cached_property
    def sizes(self) -> Mapping[str, tuple[int, int]]:
        """Queries and keys that each layer had, by its name."""
        pairs = zip(self.met, self.facts, strict=True)
        return {facts.name: (met.queries, met.keys) for met, facts in pairs}


def taken(model: nn.Module, tensors: Mapping[str, Any]) -> Census:
    """The attentions that come by when the model is called with these tensors, a batch of one.

    Raises RefusedError if there are none that can be captured, ModelError if it cannot be run.
    """
    if any(is_no_softmax(module) for module in model.modules()):
        raise RefusedError(type(model).__name__, Reason.NO_SOFTMAX)
    reads, writes = length_of(tensors, READ), length_of(tensors, WRITTEN)
    decodes = writes is not None or bool(getattr(model.config, "is_encoder_decoder", False))
    first = _scout(model, tensors, eager=False)
    met = first.met
    foreign = {entry.key.route for entry in met} - {"interface"}
    if foreign or not met:
        met = _chosen(model, first, _asked(model, tensors))
    if not met:
        raise RefusedError(type(model).__name__, _reason(model))
    names = named(
        [Attention(_side(entry), entry.queries, entry.keys) for entry in met],
        reads=reads,
        writes=writes,
        decodes=decodes,
    )
    facts = tuple(_facts(model, entry, *name) for entry, name in zip(met, names, strict=True))
    follows = bool({entry.key.route for entry in met} - {"interface"}) or _shifts(model) or merges(model)
    return Census(
        met=tuple(met),
        facts=facts,
        reads=reads,
        writes=writes,
        decodes=decodes,
        others=_others(model, met, facts),
        follows=follows,
    )


def _side(entry: Met) -> str:
    """The path of an attention, which says whether its keys are the encoder's."""
    return f"{entry.key.path}.cross" if entry.across else entry.key.path


def _shifts(model: nn.Module) -> bool:
    """Whether the model attends within windows of an image."""
    return any(hasattr(module, "shift_size") for module in model.modules())


def _facts(model: nn.Module, met: Met, stack: str, number: int) -> LayerFacts:
    own = stack in ("", "text", "decoder")
    return LayerFacts(
        stack=stack,
        layer=number,
        heads=met.heads,
        window=window_of(model, number) if own else None,
        key_heads=met.key_heads,
        route=met.key.route,
    )


# Looking over


class Scout:
    """Told of all attentions of a model, on every route at once; keeps what they are, not their weights."""

    def __init__(self, model: nn.Module, reads: int | None) -> None:
        self._reads = reads
        self.met: list[Met] = []
        self.returned: dict[str, bool] = {}
        self._paths = {id(module): name for name, module in model.named_modules()}
        self.frames = Frames(model, self._paths)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._last: list[tuple[str, Given]] = []

    def path(self, module: nn.Module) -> str | None:
        return self._paths.get(id(module))

    def take(self, path: str, event: Event) -> None:
        for part in apart(event, self.frames.running):
            self._take(path, part)

    def _take(self, path: str, event: Event) -> None:
        if event.route == "hook" and isinstance(event, Given):
            self._compare(path, event)
        elif isinstance(event, Given):
            self._last = [*self._last, (path, event)][-4:]
        nth = self._counts[path, event.route]
        self._counts[path, event.route] += 1
        whole = in_whole(self.frames.running, event)
        queries, keys = (own_length(whole, size, self._reads) for size in (whole.queries, whole.keys))
        key = Key(path, event.route, nth)
        across = isinstance(event, Part) and event.across
        size = queries * whole.batch, keys * whole.batch
        self.met.append(Met(key, event.heads, event.key_heads, *size, across=across))

    def _compare(self, path: str, event: Given) -> None:
        """Notes whether what a module returns is the one softmax that was taken inside it."""
        inside = [given for own, given in self._last if _is_inside(own, path)]
        self._last = []
        same = len(inside) == 1 and event.columns is None and not event.holes and _same(inside[0], event)
        self.returned[path] = same and self.returned.get(path, True)


def _is_inside(path: str, module: str) -> bool:
    return path == module or path.startswith(f"{module}.") or not module


def _same(taken: Given, returned: Given) -> bool:
    """Whether the weights agree, or the returned ones are only their mean over heads."""
    if taken.columns is not None or taken.weights.shape != returned.weights.shape:
        return False
    one, other = taken.weights.float(), returned.weights.float()
    mean = one.mean(1, keepdim=True).expand_as(one)
    return any(torch.allclose(kind, other, atol=1e-5, rtol=1e-3, equal_nan=True) for kind in (one, mean))


def _scout(model: nn.Module, tensors: Mapping[str, Any], *, eager: bool) -> Scout:
    """One pass with the softmax and the interface listened to; eager: and what modules return."""
    scout = Scout(model, length_of(tensors, READ))
    try:
        with steady(model, eager=eager), tapped(scout), scout.frames.open(), watching(scout.frames, scout):
            if not eager:
                model(**fresh(tensors))
            else:
                with hooked(model, scout.frames, scout):
                    model(**fresh(tensors), output_attentions=True)
    except ImportError as error:
        raise RefusedError(type(model).__name__, Reason.MISSING_PACKAGE, first_line(error)) from error
    except ModelError:
        raise
    except Exception as error:
        if is_exhaustion(error):  # answered where it is known what was given
            raise
        raise ModelError(f"{type(model).__name__} cannot be run: {first_line(error)}") from error
    return scout


def _asked(model: nn.Module, tensors: Mapping[str, Any]) -> Scout | None:
    """A pass in which the model is asked for its weights; None if it cannot be asked."""
    if not can_be_asked(model):
        return None
    try:
        return _scout(model, tensors, eager=True)
    except ModelError:
        return None


def can_be_asked(model: nn.Module) -> bool:
    """Whether the model's own call takes ``output_attentions``."""
    parameters = inspect.signature(model.forward).parameters.values()
    return any(
        parameter.name == "output_attentions" or parameter.kind is inspect.Parameter.VAR_KEYWORD
        for parameter in parameters
    )


def _chosen(model: nn.Module, plain: Scout, asked: Scout | None) -> list[Met]:
    """Each attention once: through the interface, else as its softmax is taken, else as it is returned.

    A softmax is passed over where the module returns something else than it: then there is more to the
    weights than a softmax.
    """
    interface = {entry.key.path for entry in plain.met if entry.key.route == "interface"}
    modules = dict(model.named_modules())
    returned = {
        path: same and type(modules[path]).__name__ not in LAYOUTS
        for path, same in (asked.returned if asked else {}).items()
        if not any(_is_inside(own, path) for own in interface)
    }
    softmaxed = {entry.key.path for entry in plain.met if entry.key.route == "softmax"}
    hooks = {
        path
        for path, same in returned.items()
        if not same or not any(_is_inside(own, path) for own in softmaxed)
    }

    def wanted(entry: Met) -> bool:
        path, route, _ = entry.key
        if route == "softmax":
            return path not in interface and not any(_is_inside(path, module) for module in hooks)
        return route == "interface" or path in hooks

    source = asked if hooks and asked else plain
    return [entry for entry in source.met if wanted(entry)]


def _reason(model: nn.Module) -> Reason:
    attends = any(ATTENTION.search(type(module).__name__) for module in model.modules())
    return Reason.NO_WEIGHTS if attends else Reason.NO_ATTENTION


# Layers without attention

OTHERS = (
    ("mamba", re.compile(r"mamba|ssm|mixer2|bamba", re.I)),
    ("linear attention", re.compile(r"delta|linear_?att|rwkv|recurrent|retention|lightning|kda", re.I)),
    ("convolution", re.compile(r"conv", re.I)),
)
"""What mixes tokens in the place of attention, by a word in the class of a part of the layer."""


def _others(model: nn.Module, met: Sequence[Met], facts: Sequence[LayerFacts]) -> tuple[LayerFacts, ...]:
    """The layers beside those with attention, in the same lists of the model."""
    modules = dict(model.named_modules())
    lists: dict[str, str] = {}
    taken: defaultdict[str, set[int]] = defaultdict(set)
    for entry, layer in zip(met, facts, strict=True):
        found = re.match(r"(.*?)\.(\d+)(\.|$)", entry.key.path)
        if found is None or int(found[2]) != layer.layer:
            continue
        taken[found[1]].add(layer.layer)
        if layer.stack != "cross":
            lists[found[1]] = layer.stack
    names = {layer.name for layer in facts}
    return tuple(
        other
        for path, stack in lists.items()
        for number, module in enumerate(_children(modules[path]))
        if number not in taken[path]
        and (other := LayerFacts(stack, number, 0, kind=_kind(module))).name not in names
    )


def _children(module: nn.Module) -> list[nn.Module]:
    return list(module) if isinstance(module, nn.ModuleList | nn.Sequential) else []


def _kind(layer: nn.Module) -> str:
    classes = " ".join(type(part).__name__ for part in layer.modules())
    return next((kind for kind, word in OTHERS if word.search(classes)), "feed-forward")


def merged(censuses: Sequence[Census]) -> tuple[LayerFacts, ...]:
    """The layers of a model, as several kinds of input have shown them."""
    layers: dict[str, LayerFacts] = {}
    for census in censuses:
        layers |= {layer.name: layer for layer in census.layers if layer.heads or layer.name not in layers}
    return tuple(layers.values())
