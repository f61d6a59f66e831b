"""What a run has found, in words and as the table that ships with the package; whether it is enough."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnviz.models.coverage import Coverage, Report

CAPTURED = 600  # model types at least
EXACT = 580  # of them to 1e-5, the others to 1e-4
SPECIALS = 60  # captured of those that the rules alone cannot build or run


@dataclass(frozen=True)
class Counts:
    """What the measures are about.

    needing:  types that need a configuration or inputs of their own: the rules that make any model small and
              its inputs, with the table of special types switched off, could not build or run one
    specials: those of them that were captured
    """

    types: int
    captured: int
    exact: int
    needing: int
    specials: int
    failed: int

    @property
    def enough(self) -> bool:
        return self.captured >= CAPTURED and self.exact >= EXACT and self.specials >= SPECIALS


def report(answers: Mapping[str, Mapping[str, Any]], kinds: Sequence[str], version: str) -> Report:
    """The answers of the workers as the table of the package, in the order of the types."""
    return Report(version, tuple(_coverage(answers[kind]) for kind in kinds if kind in answers))


def _coverage(answer: Mapping[str, Any]) -> Coverage:
    return Coverage(
        kind=answer["kind"],
        status=answer["status"],
        model=answer.get("model", ""),
        routes=tuple(answer.get("routes", ())),
        layers=answer.get("layers", 0),
        heads=answer.get("heads", 0),
        difference=answer.get("difference") if answer["status"] == "captured" else None,
        own_config=answer.get("own_config", False),
        why=re.sub(r"/\S+/", "", answer.get("why", "")),  # nothing of this machine
    )


def counts(found: Report) -> Counts:
    captured = [one for one in found.types if one.status == "captured"]
    return Counts(
        types=len(found.types),
        captured=len(captured),
        exact=sum(one.exact for one in captured),
        needing=sum(one.own_config for one in found.types),
        specials=sum(one.own_config for one in captured),
        failed=sum(one.status == "failed" for one in found.types),
    )


def lost(before: Report, now: Report) -> list[str]:
    """The types that were captured before and are not any more."""
    captured = {one.kind for one in before.types if one.status == "captured"}
    return [one.kind for one in now.types if one.kind in captured and one.status != "captured"]


def sentences(found: Report) -> Iterator[str]:
    """The summary by lines: numbers beside what they have to be, then every type that was not captured."""
    number = counts(found)
    yield f"{number.types} model types of transformers {found.transformers}"
    yield f"{number.captured} captured (at least {CAPTURED})"
    yield f"{number.exact} of them to 1e-5 (at least {EXACT}), {number.captured - number.exact} to 1e-4"
    yield (
        f"{number.specials} of the {number.needing} that need a configuration or inputs of their own: "
        f"the rules alone cannot build or run them (at least {SPECIALS})"
    )
    routes = Counter(" + ".join(one.routes) for one in found.types if one.status == "captured")
    yield f"routes: {', '.join(f'{route} {count}' for route, count in routes.most_common())}"
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for one in found.types:
        if one.status in ("not captured", "part of another model"):
            grouped[one.why or one.status].append(one.kind)
    for reason, kinds in sorted(grouped.items(), key=lambda entry: -len(entry[1])):
        yield f"{reason} ({len(kinds)}): {', '.join(kinds)}"
    yield f"{number.failed} failed"
    yield from (f"  {one.kind}: {one.why}" for one in found.types if one.status == "failed")
