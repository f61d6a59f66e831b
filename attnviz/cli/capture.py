"""``attnviz capture``: keep what was seen, to look again at once."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.cli.options import Inputs, Keeping, Model, command
from attnviz.errors import UsageError

if TYPE_CHECKING:
    from attnviz.captures import Capture, Captures

NOTHING = "none"


@command
def capture(inputs: Inputs, model: Model, keeping: Keeping) -> None:
    """Keep what was seen of the texts in a file; heatmap --from FILE shows it again, without the model."""
    from attnviz import api
    from attnviz.cli import progress, read
    from attnviz.stored import files
    from attnviz.wishes import check_keep

    keep = None if keeping.keep == NOTHING else keeping.keep
    check_keep(keep)
    _check_one(keeping.output)
    samples = read.samples(inputs)
    files.check_target(keeping.output, force=keeping.force)
    source = model.load(generates=inputs.generate > 0)

    with progress.Bar() as bar:
        seen = api.capture(
            samples,
            model=source,
            keep=keep,
            pooled=keeping.pooled,
            statistics=keeping.statistics,
            truncate=inputs.truncate,
            report=bar.show,
        )
        seen.save(keeping.output, text=keeping.text, force=keeping.force)
    _tell(keeping)


def _check_one(file: Path) -> None:
    from attnviz.cli.output import PATTERN

    if PATTERN in str(file):
        raise UsageError(f"-o {file}: all samples are in one capture, so leave {PATTERN} out")


def _tell(keeping: Keeping) -> None:
    """What is in the file, as it can be read again."""
    from attnviz.cli.output import note
    from attnviz.observe.memory import shown
    from attnviz.stored import files

    size = keeping.output.stat().st_size
    captures = files.read(keeping.output)
    if keeping.json:
        _print_json(keeping.output, size, captures)
    else:
        samples = f"{len(captures)} samples, " if len(captures) > 1 else ""
        note(f"wrote {keeping.output} ({samples}{shown(size)})")


def _print_json(file: Path, size: int, captures: "Captures") -> None:
    """One document: what is kept of each sample, and how it was made."""
    import json

    from attnviz.stored import files

    samples = [
        _summary(seen) | {"recipe": files.read_recipe(file, number).entries()}
        for number, seen in enumerate(captures)
    ]
    document = {"schema": 1, "file": str(file), "bytes": size, "samples": samples}
    sys.stdout.write(json.dumps(document) + "\n")


def _summary(seen: "Capture") -> dict[str, Any]:
    """Lengths of the axes by stack, and what there is of which layers and heads."""
    kept = {name: getattr(seen, name) for name in ("maps", "pooled", "means", "rollout", "words")}
    return {
        "name": seen.sample.name,
        "tokens": {stack: [len(queries), len(keys)] for stack, (queries, keys) in seen.axes.items()},
        **{name: {maps.name: maps.heads for maps in layers} for name, layers in kept.items() if layers},
        "statistics": sorted(seen.statistics.values) if seen.statistics else [],
        "notes": seen.notes,
    }
