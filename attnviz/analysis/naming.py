"""Which layers and heads are meant by "0,2-4,-1", "3.5,7.1" or "cross.3"."""

import re
from collections.abc import Iterable, Iterator, Sequence

from attnviz.errors import SelectionError, UsageError
from attnviz.facts import LayerFacts
from attnviz.recipes import Choice

Wanted = dict[str, tuple[int, ...]]  # head numbers by the name of their layer

_NUMBER = r"-?[0-9]+"
_RANGE = rf"(?P<first>{_NUMBER})(?:-(?P<last>{_NUMBER}))?"
_LAYERS = re.compile(rf"(?:(?P<stack>[a-z]+)\.)?{_RANGE}")
_HEADS = re.compile(_RANGE)
_HEAD = re.compile(rf"(?P<layer>(?:[a-z]+\.)?{_NUMBER})\.(?P<head>{_NUMBER})")


def check(choice: Choice) -> None:
    """Raises UsageError if the choice cannot be understood, whatever the model."""
    for option, text, forms in (
        ("-l/--layer", choice.layers, (_LAYERS,)),
        ("-H/--head", choice.heads, (_HEADS, _HEAD)),
    ):
        for item in _items(text):
            if not any(form.fullmatch(item) for form in forms):
                raise UsageError(f'{option} {text!r}: "{item}" is no {_expected(option)}')
    exact = [bool(_HEAD.fullmatch(item)) for item in _items(choice.heads)]
    if any(exact) and not all(exact):
        raise UsageError(
            f"-H/--head {choice.heads!r} mixes exact heads (3.5) with head numbers (0-3): give one kind"
        )
    if any(exact) and choice.layers:
        raise UsageError(f"-H/--head {choice.heads!r} names its layers itself: leave out -l/--layer")


def wanted_heads(layers: Sequence[LayerFacts], choice: Choice) -> Wanted:
    """The heads that the choice means, by layer, in the model's order.

    Raises UsageError for a choice that cannot be understood, SelectionError for one that names a layer
    or head that the model does not have.
    """
    check(choice)
    present = {layer.name: layer for layer in layers if layer.heads and _of_kind(layer, choice)}
    if not present:
        raise SelectionError(f"no {choice.kind or ''} attention in this model: it has {_listed(layers)}")
    exact = [match for item in _items(choice.heads) if (match := _HEAD.fullmatch(item))]
    if exact:
        pairs = {(layer.name, head) for match in exact for layer, head in [_exact(match, present)]}
    else:
        meant = _layers(choice.layers, present)
        pairs = {(layer.name, head) for layer in meant for head in _heads(choice.heads, layer)}
    return {
        name: heads
        for name in present
        if (heads := tuple(sorted(head for layer, head in pairs if layer == name)))
    }


def check_named(text: str) -> None:
    """Raises UsageError unless these are exact heads and layers: "3.5,7.1", "0-3,cross.1"."""
    for item in _items(text):
        if not _HEAD.fullmatch(item) and not _LAYERS.fullmatch(item):
            raise UsageError(
                f'keep (--keep) {text!r}: "{item}" is no head and no layer: write heads such as 3.5,7.1, '
                "layers such as 0-3,-1 or cross.3, or both"
            )


def named_heads(layers: Sequence[LayerFacts], text: str) -> Wanted:
    """The heads that are named exactly ("3.5,7.1"), and all those of whole layers ("0-3,cross.1"), by layer.

    Raises UsageError for what cannot be understood, SelectionError for what the model does not have.
    """
    check_named(text)
    exact = [item for item in _items(text) if _HEAD.fullmatch(item)]
    whole = [item for item in _items(text) if not _HEAD.fullmatch(item)]
    choices = [Choice(heads=",".join(exact))] * bool(exact) + [Choice(layers=",".join(whole))] * bool(whole)
    parts = [wanted_heads(layers, choice) for choice in choices]
    names = [layer.name for layer in layers if any(layer.name in part for part in parts)]
    return {name: tuple(sorted({head for part in parts for head in part.get(name, ())})) for name in names}


def _items(text: str | None) -> list[str]:
    return [item.strip() for item in text.split(",")] if text is not None else []


def _expected(option: str) -> str:
    if option.startswith("-l"):
        return "layer: write numbers and ranges such as 0,2-4,-1, or cross.3"
    return "head: write numbers and ranges such as 0-3,-1, or exact heads such as 3.5,7.1"


def _of_kind(layer: LayerFacts, choice: Choice) -> bool:
    return choice.kind is None or (choice.kind == "cross") == (layer.stack == "cross")


def _layers(text: str | None, present: dict[str, LayerFacts]) -> list[LayerFacts]:
    if text is None:
        return list(present.values())
    return list({layer.name: layer for item in _items(text) for layer in _layers_of(item, present)}.values())


def _layers_of(item: str, present: dict[str, LayerFacts]) -> Iterator[LayerFacts]:
    match = _LAYERS.fullmatch(item)
    assert match  # checked above
    stacks = [match["stack"]] if match["stack"] else sorted({layer.stack for layer in present.values()})
    for stack in stacks:
        among = {layer.layer: layer for layer in present.values() if layer.stack == stack}
        for number in _range(match, sorted(among), f"layer {item}", _listed(present.values())):
            yield among[number]


def _heads(text: str | None, layer: LayerFacts) -> Iterable[int]:
    if text is None:
        return range(layer.heads)
    matches = [match for item in _items(text) if (match := _HEADS.fullmatch(item))]
    there = f"heads 0 to {layer.heads - 1}"
    return [
        head
        for match in matches
        for head in _range(match, range(layer.heads), f"head {match.group()} in layer {layer.name}", there)
    ]


def _exact(match: re.Match[str], present: dict[str, LayerFacts]) -> tuple[LayerFacts, int]:
    [layer, *others] = list(_layers_of(match["layer"], present))
    if others:
        stacks = ", ".join(f"{layer.stack}.{match.group()}" for layer in (layer, *others))
        raise SelectionError(f"head {match.group()} is in several stacks: write one of {stacks}")
    asked, there = f"head {match['head']} in layer {layer.name}", f"heads 0 to {layer.heads - 1}"
    return layer, _place(int(match["head"]), range(layer.heads), asked, there)


def _range(match: re.Match[str], numbers: Sequence[int], asked: str, there: str) -> range | list[int]:
    first = _place(int(match["first"]), numbers, asked, there)
    if match["last"] is None:
        return [first]
    last = _place(int(match["last"]), numbers, asked, there)
    if last < first:
        raise SelectionError(f"{asked} runs backwards: write {last}-{first}")
    return [number for number in numbers if first <= number <= last]


def _place(number: int, numbers: Sequence[int], asked: str, there: str) -> int:
    """The number itself, or counted from the end if it is negative."""
    if number < 0 and -number <= len(numbers):
        return numbers[number]
    if number not in numbers:
        raise SelectionError(f"no {asked}: there are {there}")
    return number


def _listed(layers: Iterable[LayerFacts]) -> str:
    """ "layers 0 to 5", or stack by stack."""
    numbers: dict[str, list[int]] = {}
    for layer in layers:
        numbers.setdefault(layer.stack, []).append(layer.layer)
    ranges = [(f"{stack}." if stack else "", min(all_), max(all_)) for stack, all_ in numbers.items()]
    return (
        " and ".join(f"layers {stack}{first} to {stack}{last}" for stack, first, last in ranges)
        or "no layers"
    )
