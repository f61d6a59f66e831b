"""Figures of several samples, drawn from what was kept of each when it was seen."""

from collections.abc import Mapping
from pathlib import Path

from attnviz.captures import Captures
from attnviz.plans import engine
from attnviz.plans.engine import Drawn, Failure
from attnviz.plans.plan import Job, Seen
from attnviz.stored import files


def drawn(job: Job, kept: Mapping[Seen, Path]) -> Drawn | Failure:
    """The figure; fails where one of its samples could not be seen.

    kept: the files of those samples that were
    """
    if unseen := [seen.name for seen in job.of if seen not in kept]:
        more = f" and of {len(unseen) - 1} more" if len(unseen) > 1 else ""
        return Failure(job.file, f"nothing was seen of {unseen[0]}{more}", (job.file,))
    return engine.draw(job, Captures(len(job.of), lambda number: files.read(kept[job.of[number]])[0]))
