"""What every model of ours has besides its layers: a name for its architecture, and its sizes."""

import math
from abc import ABC
from typing import Any, ClassVar, TypeVar

from torch import nn

from attnviz.attention import TokenEmbedding


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


def normed_embedding(vocabulary: int, d_model: int) -> TokenEmbedding:
    """Tokens embedded as large as their width is wide, then normalised; positions are the layers' own."""
    return TokenEmbedding(vocabulary, d_model, scale=math.sqrt(d_model), norm=nn.LayerNorm(d_model))


ModelT = TypeVar("ModelT", bound=OwnModel)
