"""Workers in processes of their own, so that a crash, a leak or an endless loop costs one model type."""

import json
import os
import queue
import select
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.conformance.special import SPECIAL
from tests.conformance.worker import BY_RULES


class Worker:
    """A process that answers for one type after the other, started again when it dies or takes too long."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None

    def asked(self, kind: str) -> dict[str, Any]:
        """What comes of a type, and whether it needed what was made for it alone."""
        answer = self._ask(kind)
        if kind in SPECIAL:
            answer["own_config"] = not self._ask(f"{kind} {BY_RULES}").get("runs", False)
        return answer

    def _ask(self, question: str) -> dict[str, Any]:
        process = self._running()
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{question}\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], self._timeout)
        if line := process.stdout.readline() if ready else "":
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.stop()
        kind, *_ = question.split()
        return {"kind": kind, "status": "failed", "why": "crashed" if ready else f"over {self._timeout:g} s"}

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.conformance.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"},
            )
        return self._process

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def run(kinds: Sequence[str], results: Path, *, jobs: int, timeout: float) -> None:
    """Asks the workers for every type; each answer is a line of JSON added to the results."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for kind in kinds:
        waiting.put(kind)
    lock = threading.Lock()

    def work() -> None:
        worker = Worker(timeout)
        while not waiting.empty():
            try:
                answer = worker.asked(waiting.get_nowait())
            except queue.Empty:
                break
            with lock, results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(answer) + "\n")
        worker.stop()

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
