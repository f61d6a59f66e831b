"""``python -m tests.conformance [TYPE ...]``: every model type of transformers, in processes of their own.

Answers are added to a file as they come, so that a run that was interrupted goes on where it was. A run over
all types prints what it found and writes the table of the package. It ends with 1 if that is not enough, or
if a type is lost that the table has as captured; then the table stays as it was.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from attnviz.models.coverage import FILE, coverage, written
from tests.conformance.pool import run
from tests.conformance.summary import counts, lost, report, sentences


def main() -> int:
    arguments = _parser().parse_args()
    results: Path = arguments.results
    results.parent.mkdir(parents=True, exist_ok=True)
    every = list(CONFIG_MAPPING_NAMES)
    known = _known(results)
    kinds = arguments.kinds or [kind for kind in every if kind not in known or _again(arguments, known[kind])]
    run(kinds, results, jobs=arguments.jobs, timeout=arguments.timeout)
    known = _known(results)
    found = report(known, arguments.kinds or every, transformers.__version__)
    sys.stdout.writelines(f"{line}\n" for line in sentences(found))
    gone = lost(coverage(), found)
    if gone:
        sys.stdout.write(f"captured before, and no more: {', '.join(gone)}\n")
    if arguments.kinds:
        return int(bool(gone) or counts(found).failed > 0)
    if not gone or arguments.lose:
        FILE.write_text(written(found), encoding="utf-8")
    return int(bool(gone) or not counts(found).enough)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("kinds", nargs="*", metavar="TYPE", help="only these model types")
    parser.add_argument("--results", type=Path, default=Path("build/conformance.jsonl"))
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for a type")
    parser.add_argument("--failed", action="store_true", help="those that have failed once more")
    parser.add_argument(
        "--lose", action="store_true", help="write the table although types in it are no longer captured"
    )
    return parser


def _again(arguments: argparse.Namespace, answer: dict[str, Any]) -> bool:
    return arguments.failed and answer["status"] == "failed"


def _known(results: Path) -> dict[str, dict[str, Any]]:
    """The latest answer for each type."""
    if not results.exists():
        return {}
    answers = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {answer["kind"]: answer for answer in answers}


if __name__ == "__main__":
    sys.exit(main())
