"""What tells, without reading weights or loading a library, whether something is as it was.

A figure's key is the digest of its Recipe as far as it is known before anything is run, and of its model's
stamp. A stamp is of a directory's file names, sizes and times, and of what its configuration says.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from attnviz import __version__
from attnviz.models.known import directory_of
from attnviz.plans.plan import FigureEntry, Job, ModelEntry, Plan, SampleEntry, Seen

LIBRARIES = ("torch", "transformers", "tokenizers", "matplotlib", "numpy")
"""Those whose versions can change what a figure's file holds."""

_VERSION = re.compile(r"^Version: (.*)$", re.MULTILINE)


def stamp_of(model: ModelEntry) -> str:
    """The stamp of a model's directory; of a hub model that is not here yet, one that no other has."""
    directory = directory_of(model.name, model.revision)
    if directory is None:
        return "absent"
    files = sorted(path for path in directory.iterdir() if path.is_file())
    parts = [[path.name, (known := path.stat()).st_size, known.st_mtime_ns] for path in files]
    config = directory / "config.json"
    said = hashlib.sha256(config.read_bytes()).hexdigest() if config.is_file() else ""
    return digest([parts, said])


def key_of(job: Job, stamps: Mapping[ModelEntry, str]) -> str:
    """The digest of a figure's Recipe, without results, and of what it is made from."""
    of = [_seen(seen, stamps) for seen in job.of]
    return digest({"file": job.file, "figure": _drawn(job.figure), "of": of})


@cache
def _drawn(figure: FigureEntry) -> str:
    """The digest of how something is drawn, whatever it is of."""
    return digest(
        {
            "view": figure.view,
            "choice": vars(figure.choice),
            "style": vars(figure.style),
            "listing": vars(figure.listing),
            "versions": versions(),
        }
    )


def seen_key(seen: Seen, stamps: Mapping[ModelEntry, str], kept: Sequence[str]) -> str:
    """The same of what was seen of one sample; kept: heads whose maps are kept of it."""
    return digest({"of": _seen(seen, stamps), "kept": kept, "versions": versions()})


def plan_key(plan: Plan, stamps: Mapping[ModelEntry, str]) -> str:
    """The same of everything: the lists of the figures, and the table."""
    return digest(
        {
            "models": [[vars(model), stamps[model]] for model in plan.models],
            "samples": [_sample(sample) for sample in plan.samples],
            "figures": [asdict(figure) for figure in plan.figures],
            "versions": versions(),
        }
    )


def _seen(seen: Seen, stamps: Mapping[ModelEntry, str]) -> Sequence[Any]:
    return [seen.model.name, seen.model.revision, seen.model.dtype, stamps[seen.model], _sample(seen.entry)]


def _sample(entry: SampleEntry) -> dict[str, Any]:
    return {**vars(entry.sample), "truncate": entry.truncate}


@cache
def versions() -> dict[str, str]:
    """Ours, and those of the libraries, as their installation says."""
    return {"attnviz": __version__} | {name: _version(name) for name in LIBRARIES}


def _version(library: str) -> str:
    """Read as one line: the whole of what a package says of itself takes a hundred times as long."""
    try:
        said = distribution(library).read_text("METADATA") or ""
    except PackageNotFoundError:
        return ""
    found = _VERSION.search(said[:2000])
    return found[1] if found else ""


def digest(value: Any) -> str:
    """The sha256 of a value's JSON, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
