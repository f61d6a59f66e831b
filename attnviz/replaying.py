"""Figures made again from the recipes in them: the verb ``attnviz.replay``.

A recipe is foreign data: which code may run, on which device, from where weights come and where files go is
said by who calls this alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.errors import InputError, ModelError, UsageError
from attnviz.inputs import printable
from attnviz.recipes import Recipe
from attnviz.remaking import KINDS, Kind, damaged, samples_of
from attnviz.render import files
from attnviz.render.rows import Table
from attnviz.render.views import Page, View
from attnviz.render.within import recipe_in

if TYPE_CHECKING:
    from attnviz.models.base import Source
    from attnviz.plans.machine import Loading

Tell = Callable[[str], None]

MODELS = {"compare": (2, 2), "diff": (1, 2)}
"""How many models figures of a command are of, at least and at most; of all others one."""
TYPES = ("float32", "bfloat16", "float16")


def replay(
    file: str | Path,
    output: str | Path | None = None,
    *,
    models: Sequence[str] = (),
    loading: "Loading | None" = None,
    force: bool = False,
    tell: Tell = lambda _: None,
) -> View:
    """Makes a figure again from the recipe in it: the same bytes, with the same versions and weights.

    output:  where to, a picture or numbers by its suffix; without it nothing is written
    models:  in place of the names in the recipe, in their order: directories, or names of the hub, which are
             fetched; else only models that are on this machine are taken
    loading: device, and what models may do here: ``attnviz.plans.machine.Loading``; force: replace a file of
             another kind
    tell:    told what may make the figure another one, before it is drawn, and what drawing it had to say
    Returns what is drawn. Raises InputError for a file without a recipe, or one that cannot be followed;
    UsageError that says what would be done, where a model is not at hand.
    """
    made = _Made(Path(file), recipe_in(Path(file)))
    kind = made.checked()
    suffix = Path(output).suffix if output is not None else ""
    holds = kind.drawn(made.recipe, suffix)
    if output is not None:
        files.checked(Path(output), files.formats_of(holds), force=force)
    view = kind.view(made.recipe, made.sources(models, loading, tell))
    if isinstance(view, Page) and view.table and holds is Table:
        view = view.table
    if output is not None:
        for told in files.save(view, Path(output), made.recipe.style, force=force):
            tell(told)
    return view


@dataclass(frozen=True)
class _Made:
    """A file, and how it was made."""

    file: Path
    recipe: Recipe

    @property
    def shown(self) -> str:
        return printable(str(self.file))

    def checked(self) -> Kind:
        """How it is made again. Raises InputError for a recipe that cannot be followed."""
        kind = KINDS.get(self.recipe.command)
        if kind is None:
            *some, last = KINDS
            raise InputError(
                f"{self.shown} was made by attnviz {printable(self.recipe.command)}: only figures of "
                f"{', '.join(some)} and {last} are made again; what this one is of, attnviz caption says"
            )
        try:
            kind.check(self.recipe)
        except UsageError as error:
            raise InputError(f"the recipe in {self.shown} cannot be followed: {error}") from error
        self._check_models()
        return kind

    def entries(self) -> list[Mapping[str, Any]]:
        """The models, in their order."""
        several = self.recipe.model.get("models", [self.recipe.model])
        if not isinstance(several, list) or not all(isinstance(each, dict) for each in several):
            raise damaged("it names no model")
        return several

    def _check_models(self) -> None:
        least, most = MODELS.get(self.recipe.command, (1, 1))
        entries = self.entries()
        if not least <= len(entries) <= most:
            raise damaged(f"it is of {len(entries)} models")
        for entry in entries:
            named(entry)
            if entry.get("fingerprint") == "":
                raise InputError(
                    f"{self.shown} was made of arrays taken elsewhere, which are not in it: "
                    f"run attnviz {printable(self.recipe.command)} --from FILE.npz again"
                )

    def sources(self, models: Sequence[str], loading: "Loading | None", tell: Tell) -> "list[Source]":
        """The models. Those that nobody named here are taken only if they are on this machine already.

        Raises UsageError that says what would be done, if one is not.
        """
        entries = self.entries()
        if models and len(models) != len(entries):
            names = ", ".join(printable(named(entry)) for entry in entries)
            raise UsageError(
                f"{self.shown} is of {_several('model', len(entries))}, {names}: "
                f"{len(models)} named with -m, give each, in this order"
            )
        asked: Sequence[str | None] = models or [None] * len(entries)
        return [self._source(entry, name, loading, tell) for entry, name in zip(entries, asked, strict=True)]

    def _source(
        self, entry: Mapping[str, Any], name: str | None, loading: "Loading | None", tell: Tell
    ) -> "Source":
        """One model, called as it was then if its weights are the same."""
        from attnviz.models.called import called

        generates = any(sample.generate for sample in samples_of(self.recipe))
        if name is None and not named(entry).startswith("builtin:"):
            source = self._at_hand(entry, loading, generates=generates)
        else:
            source = _loaded(name or named(entry), entry, loading, generates=generates, offline=name is None)
        for told in _differences(self.recipe, entry, source):
            tell(told)
        same = source.facts.fingerprint == entry.get("fingerprint")
        return called(source, str(entry["name"]) if same else None)

    def _at_hand(self, entry: Mapping[str, Any], loading: "Loading | None", *, generates: bool) -> "Source":
        if "/" not in named(entry):  # of a directory only its last part is kept: no place on this machine
            raise UsageError(self._plan(entry))
        try:
            return _loaded(named(entry), entry, loading, generates=generates, offline=True)
        except ModelError as error:
            raise UsageError(f"{self._plan(entry)} ({printable(str(error))})") from error

    def _plan(self, missing: Mapping[str, Any]) -> str:
        """What would be done, and how to have it done."""
        texts = _several("text", len(samples_of(self.recipe)))
        names = [printable(named(entry)) for entry in self.entries()]
        marked = f"{printable(named(missing))} (weights {printable(str(missing.get('fingerprint'))[:12])})"
        which = f"{marked}, which" if len(names) == 1 else f"{' and '.join(names)}, of which {marked}"
        options = " ".join(f"-m {name if name.startswith('builtin:') else 'DIRECTORY'}" for name in names)
        fetched = " ".join(f"-m {name}" for name in names)
        return (
            f"{self.shown} would be made by attnviz {self.recipe.command} of {texts} with "
            f"{which} is not at hand: "
            f"say where with {options}, or {fetched} to have it fetched"
        )


def named(entry: Mapping[str, Any]) -> str:
    """A model's name with its revision. Raises InputError if the recipe has none."""
    name, revision = entry.get("name"), entry.get("revision")
    if not isinstance(name, str) or not name or not isinstance(revision, str | None):
        raise damaged("it names no model")
    return f"{name}@{revision}" if revision else name


def _loaded(
    name: str, entry: Mapping[str, Any], loading: "Loading | None", *, generates: bool, offline: bool
) -> "Source":
    from attnviz.capturing import load_model
    from attnviz.plans.machine import Loading

    how, dtype = loading or Loading(), entry.get("dtype")
    return load_model(
        name,
        device=how.device,
        dtype=dtype if dtype in TYPES else "auto",
        offline=how.offline or offline,
        allow_remote_code=how.allow_remote_code,
        allow_pickle=how.allow_pickle,
        generates=generates,
    )


def _differences(recipe: Recipe, entry: Mapping[str, Any], source: "Source") -> Iterator[str]:
    """What may make the figure another one."""
    before, now = str(entry.get("fingerprint")), source.facts.fingerprint
    if before != now:
        yield f"other weights ({now[:12]}, not {printable(before[:12])}): the figure may be another one"
    others = [
        f"{name} {printable(str(recipe.versions[name]))}, here {version}"
        for name, version in source.versions.items()
        if recipe.versions.get(name, version) != version
    ]
    if others:
        yield f"made with {', '.join(others)}: last digits, and with them bytes, may differ"


def _several(noun: str, count: int) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
