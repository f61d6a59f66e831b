"""What every model of ours has besides its layers: a name for its architecture, and its sizes."""

from abc import ABC
from typing import Any, ClassVar, TypeVar

from torch import nn


class OwnModel(nn.Module, ABC):
    """A model of ours.

    architecture: what ``config.json`` calls it
    sizes:        the class of its ``config``, a frozen record; a model is made from one
    """

    architecture: ClassVar[str]
    sizes: ClassVar[type[Any]]
    config: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config


ModelT = TypeVar("ModelT", bound=OwnModel)
