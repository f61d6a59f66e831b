"""What every view has in common: the recipe that it was made by, and how notebooks show it."""

from typing import TYPE_CHECKING, cast

from attnviz.recipes import Recipe

if TYPE_CHECKING:
    from attnviz.render.views import View


class Recorded:
    """A view that says how it was made."""

    recipe: Recipe | None

    @property
    def recipe_json(self) -> str:
        """The recipe as files carry it; "" without one."""
        return self.recipe.to_json() if self.recipe else ""


class Pictured(Recorded):
    """One that notebooks show as a picture."""

    def _repr_png_(self) -> bytes | None:
        from attnviz.render.notebook import view_png

        return view_png(cast("View", self))
