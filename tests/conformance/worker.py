"""Runs model types one after the other: reads their names, writes a line of JSON for each.

After a name and ``BY_RULES`` the question is only whether the type runs with nothing made for it alone.
"""

import json
import logging
import os
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

BY_RULES = "by rules"
MEMORY = 12 * 2**30


def _last_words() -> str:
    """The present exception: what it says, and the innermost of our own lines that it came through."""
    kind, error, trace = sys.exc_info()
    ours = [
        frame
        for frame in traceback.extract_tb(trace)
        if "/attnviz/" in frame.filename or "/tests/" in frame.filename
    ]
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"{kind.__name__ if kind else ''}: {' '.join(str(error).split())[:400]} ({where})"


def main() -> None:
    os.environ.update(HF_HUB_OFFLINE="1", TQDM_DISABLE="1")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what models print is no answer
    import torch

    from tests.conformance.cases import runs_by_rules
    from tests.conformance.outcome import outcome

    torch.set_num_threads(1)
    for line in sys.stdin:
        kind, _, asked = line.strip().partition(" ")
        start = time.monotonic()
        try:
            answer = {"runs": runs_by_rules(kind)} if asked == BY_RULES else outcome(kind).as_json()
        except Exception:
            answer = {"kind": kind, "status": "failed", "why": _last_words()}
        answer["seconds"] = round(time.monotonic() - start, 2)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
