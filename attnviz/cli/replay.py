"""``attnviz replay`` and ``attnviz caption``: what a file that attnviz wrote says of itself.

A recipe is foreign data: which code may run, on which device, from where weights come and where files go
is said on the command line alone.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from attnviz.cli.options import DType, Model, command
from attnviz.errors import InputError, ModelError, UsageError

if TYPE_CHECKING:
    from attnviz.captures import Captures
    from attnviz.inputs import Sample
    from attnviz.models.base import Source
    from attnviz.recipes import Recipe, Style, ViewName
    from attnviz.render.views import View

File = Annotated[Path, Argument(metavar="FILE", help="A figure or numbers that attnviz wrote.")]
COMMANDS = ("heatmap", "heads", "diff", "align")


@dataclass(frozen=True)
class Again:
    """Which file is made again, with what, and where to."""

    file: File
    output: Annotated[
        str | None, Option("-o", "--output", metavar="NEW", help="Where to; without it the terminal.")
    ] = None
    model: Annotated[
        str | None,
        Option("-m", "--model", metavar="NAME[@REVISION]", help="The model, where its name in the recipe "
               "does not find it here."),
    ] = None  # fmt: skip
    device: Annotated[str, Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where it runs.")] = "auto"
    offline: Annotated[bool, Option("--offline", help="Use what is on disk alone.")] = False
    allow_remote_code: Annotated[
        bool, Option("--allow-remote-code", help="Run Python code that comes with the model.")
    ] = False
    allow_pickle: Annotated[
        bool, Option("--allow-pickle", help="Load weights that are not safetensors; they can run code.")
    ] = False
    force: Annotated[bool, Option("--force", help="Replace a file of another kind.")] = False


@dataclass(frozen=True)
class Captioned:
    """Which file is described, and how."""

    file: File
    tex: Annotated[bool, Option("--tex", help="For TeX, which prints every token as it is.")] = False


@command
def caption(captioned: Captioned) -> None:
    """Write the caption of a figure: model, layers and heads, what was averaged or hidden, the scale."""
    from attnviz import exporting

    sys.stdout.write(exporting.caption(captioned.file, tex=captioned.tex) + "\n")


@command
def replay(again: Again) -> None:
    """Make a figure again from the recipe in it: the same bytes, with the same versions and weights."""
    from attnviz import api
    from attnviz.cli import output
    from attnviz.cli.options import Drawing
    from attnviz.render.files import checked, formats_of
    from attnviz.render.views import Page, Table
    from attnviz.render.within import recipe_in

    recipe = recipe_in(again.file)
    _check(recipe, again)
    samples = _samples(recipe)
    drawing = Drawing(output=again.output, force=again.force)
    if again.output is not None:
        checked(Path(again.output), formats_of(_kind(recipe, again)), force=again.force)
    source = _source(recipe, again)
    _tell_differences(recipe, source)
    if recipe.aligning is not None:
        view: View = _translation(recipe, samples[0], source)
    else:
        seen = api.capture(
            samples, model=source, keep=_keep(recipe),
            statistics=recipe.command == "heads", choice=recipe.choice, truncate=True,
        )  # fmt: skip
        view = _view(recipe, seen)
    if isinstance(view, Page) and view.table and _kind(recipe, again) is Table:
        view = view.table
    output.show([view], [Path(again.output)] if again.output else [], drawing, recipe.style)


def _check(recipe: "Recipe", again: Again) -> None:
    """Raises InputError for a recipe that no command here can follow."""
    from attnviz import api
    from attnviz.inputs import printable

    if recipe.command not in COMMANDS:
        raise InputError(
            f"{printable(str(again.file))} was made by attnviz {printable(recipe.command)}: "
            f"only figures of {', '.join(COMMANDS[:-1])} and {COMMANDS[-1]} are made again; "
            "what this one is of, attnviz caption says"
        )
    if "models" in recipe.model or (recipe.command == "diff" and len(_samples(recipe)) != 2):
        raise InputError(
            f"{printable(str(again.file))} is not of one model: run attnviz {recipe.command} again, "
            "with -m A -m B; which these are, attnviz caption says"
        )
    if (recipe.command == "align") != (recipe.aligning is not None):
        raise InputError("this recipe is damaged: it does not say how words were linked, or should not")
    try:
        if recipe.aligning is not None:
            api.check_align(recipe.choice, threshold=recipe.aligning.threshold)
        if recipe.command == "diff":
            api.check_diff(recipe.choice, _style(recipe), top=_top(recipe))
        elif recipe.listing is None:
            api.check(recipe.choice, recipe.style, _view_name(recipe))
        else:
            api.check_heads(recipe.choice, recipe.listing, _style(recipe))
    except UsageError as error:
        raise InputError(f"the recipe in {printable(str(again.file))} cannot be followed: {error}") from error


def _style(recipe: "Recipe") -> "Style":
    """The style as it was asked for: a recipe names the usual top of the colours, too."""
    return replace(recipe.style, vmax=None) if recipe.style.vmax == 1 else recipe.style


def _view_name(recipe: "Recipe") -> "ViewName":
    name: ViewName = recipe.view  # type: ignore[assignment]  # api.check looks at it first
    return name


def _keep(recipe: "Recipe") -> str | None:
    """The maps that are needed again."""
    from attnviz.wishes import ALL, AUTO

    if recipe.command == "diff" and not recipe.choice.maps:
        return ALL
    return None if recipe.command == "heads" else AUTO


def _top(recipe: "Recipe") -> int | None:
    return recipe.listing.top if recipe.listing else None


def _kind(recipe: "Recipe", again: Again) -> "type[View]":
    from attnviz.cli.diff import TABLES
    from attnviz.render.pages import kind_of
    from attnviz.render.views import HeadGrid, HeadTable, Page, Table

    if recipe.command == "diff":
        tabular = not recipe.choice.maps and Path(again.output or "").suffix.lower() in TABLES
        return Table if tabular else Page
    if recipe.listing is None:
        return kind_of(_view_name(recipe))
    return HeadTable if recipe.listing.grid is None else HeadGrid


def _samples(recipe: "Recipe") -> "list[Sample]":
    """What was read. Raises InputError where only its digest was kept, or it is none."""
    several = recipe.sample.get("samples")
    entries = several if isinstance(several, list) else [recipe.sample]
    return [_sample(entry) for entry in entries]


def _sample(entry: Mapping[str, Any]) -> "Sample":
    from attnviz.inputs import Sample

    if "text" not in entry and "text_sha256" in entry:
        raise InputError(
            "its text was left out of the file (only a digest is there): it cannot be made again"
        )
    kinds = {"text": str, "pair": str, "chat": bool, "name": str, "generate": int, "languages": str}
    given = {key: entry[key] for key in kinds if key in entry}
    wrong = [key for key, value in given.items() if type(value) is not kinds[key]]
    if "text" not in entry or wrong or given.get("generate", 0) < 0:
        raise InputError(f"this recipe is damaged: its sample has no text, or another {', '.join(wrong)}")
    return Sample(**given)


def _source(recipe: "Recipe", again: Again) -> "Source":
    """The model. One that nobody named here is taken only if it is on this machine already.

    Raises UsageError that says what would be done, if it is not.
    """
    name = again.model or _named(recipe)
    wanted = Model(
        model=name,
        device=again.device,
        dtype=_dtype(recipe),
        offline=again.offline or again.model is None,
        allow_remote_code=again.allow_remote_code,
        allow_pickle=again.allow_pickle,
    )
    generates = any(sample.generate for sample in _samples(recipe))
    if again.model is None and not name.startswith("builtin:"):
        return _at_hand(wanted, recipe, again, generates=generates)
    return wanted.load(generates=generates)


def _at_hand(wanted: Model, recipe: "Recipe", again: Again, *, generates: bool) -> "Source":
    from attnviz.inputs import printable

    if "/" not in wanted.model:  # of a directory only its last part is kept: no place on this machine
        raise UsageError(_plan(recipe, again))
    try:
        return wanted.load(generates=generates)
    except ModelError as error:
        raise UsageError(f"{_plan(recipe, again)} ({printable(str(error))})") from error


def _plan(recipe: "Recipe", again: Again) -> str:
    """What would be done, and how to have it done."""
    from attnviz.inputs import printable

    name, mark = _named(recipe), str(recipe.model.get("fingerprint", ""))[:12]
    count = len(_samples(recipe))
    texts = "1 text" if count == 1 else f"{count} texts"
    shown = printable(name)
    return (
        f"{printable(str(again.file))} would be made by attnviz {recipe.command} of {texts} with {shown} "
        f"(weights {printable(mark)}), which is not at hand: say where with -m DIRECTORY, "
        f"or -m {shown} to have it fetched"
    )


def _named(recipe: "Recipe") -> str:
    """The model's name with its revision. Raises InputError if the recipe has none."""
    name, revision = recipe.model.get("name"), recipe.model.get("revision")
    if not isinstance(name, str) or not name or not isinstance(revision, str | None):
        raise InputError("this recipe is damaged: it names no model")
    return f"{name}@{revision}" if revision else name


def _dtype(recipe: "Recipe") -> DType:
    given = recipe.model.get("dtype")
    return DType(given) if given in list(DType) else DType.AUTO


def _tell_differences(recipe: "Recipe", source: "Source") -> None:
    """Notes on what may make the figure another one."""
    from attnviz.cli.output import note

    for told in _differences(recipe, source):
        note(told)


def _differences(recipe: "Recipe", source: "Source") -> Iterator[str]:
    from attnviz.inputs import printable

    before, now = str(recipe.model.get("fingerprint")), source.facts.fingerprint
    if before != now:
        yield f"other weights ({now[:12]}, not {before[:12]}): the figure may be another one"
    others = [
        f"{name} {printable(str(recipe.versions[name]))}, here {version}"
        for name, version in source.versions.items()
        if recipe.versions.get(name, version) != version
    ]
    if others:
        yield f"made with {', '.join(others)}: last digits, and with them bytes, may differ"


def _translation(recipe: "Recipe", sample: "Sample", source: "Source") -> "View":
    from attnviz import api

    threshold = recipe.aligning.threshold if recipe.aligning else None
    found = api.align(sample, model=source, choice=recipe.choice, threshold=threshold, truncate=True)
    return api.alignment_view(found, style=recipe.style)


def _view(recipe: "Recipe", seen: "Captures") -> "View":
    from attnviz import api

    if recipe.command == "diff":
        first, second = seen
        return api.diff(first, second, top=_top(recipe), choice=recipe.choice, style=_style(recipe))
    if recipe.listing is None:
        return api.heatmap(seen[0], choice=recipe.choice, style=recipe.style, view=_view_name(recipe))
    listing, choice, style = recipe.listing, recipe.choice, _style(recipe)
    if listing.grid is not None:
        return api.head_grid(
            seen, listing.grid, where=listing.where, seed=listing.seed, choice=choice, style=style
        )
    return api.heads(
        seen, where=listing.where, sort=listing.sort, top=listing.top, columns=listing.columns,
        seed=listing.seed, choice=choice, style=style,
    )  # fmt: skip
