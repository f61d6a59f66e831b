"""How a model of ours is made, and is made again: one loop for all tasks, on processor cores.

No loss touches the attention: what its heads look at a model finds out by answering.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from attnviz.builtin import checkpoint, store
from attnviz.builtin.model import ModelT
from attnviz.builtin.schedule import Point, Progress
from attnviz.builtin.tasks import BatchT, Task
from attnviz.files import make_directory, write_whole

Report = Callable[[Progress], None]


def train(
    directory: Path,
    task: Task[ModelT, BatchT],
    *,
    report: Report = lambda _: None,
    threads: int = 2,
) -> None:
    """Train a model into a directory; a training that was interrupted there is taken up again.

    report:  told after every step
    threads: processor cores; another number changes the last digits
    Raises ModelError if the directory holds a training of another task, OutputError if it cannot be
    written to.
    """
    make_directory(directory)
    if store.architecture_in(directory):
        checkpoint.same_task(directory, store.training_record(directory)["task"], task)
        return
    with _threads(threads):
        tokenizer = _tokenizer(directory, task)
        model, history = _trained(directory, task, tokenizer, report)
        findings = task.findings(model, tokenizer)
    record = {"task": task.as_json(), "history": history, "torch": torch.__version__, **findings}
    store.save(directory, model, tokenizer, record)
    (directory / checkpoint.NAME).unlink(missing_ok=True)


def _trained(
    directory: Path, task: Task[ModelT, BatchT], tokenizer: Tokenizer, report: Report
) -> tuple[ModelT, tuple[Point, ...]]:
    """The model after all rounds, from wherever the directory's checkpoint stands."""
    schedule = task.schedule
    torch.manual_seed(schedule.seed)
    model = task.new_model()
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), weight_decay=schedule.decay, fused=True
    )
    history = checkpoint.take_up(directory, model, optimizer, task)
    questions = task.exam(tokenizer)
    begun, start = len(history) * schedule.round, time.monotonic()
    for number in range(len(history), schedule.rounds):
        losses: list[float] = []
        for step, batch in _round(task, tokenizer, number):
            losses.append(_step(optimizer, task.loss(model, batch), schedule.rate_at(step / schedule.steps)))
            seconds = time.monotonic() - start
            report(Progress(step + 1, schedule.steps, losses[-1], history, seconds, begun))
        history = (*history, Point(number, fmean(losses), accuracy(task, model, questions)))
        checkpoint.keep(directory, model, optimizer, task, history)
    return model.eval(), history


def _round(task: Task[ModelT, BatchT], tokenizer: Tokenizer, number: int) -> Iterator[tuple[int, BatchT]]:
    """The steps of a round, each with its batch; the last round may be shorter."""
    schedule = task.schedule
    torch.manual_seed(schedule.seed_of(number))
    first = number * schedule.round
    last = min(first + schedule.round, schedule.steps)
    return zip(range(first, last), task.batches(tokenizer, number), strict=False)


def _step(optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> float:
    """Move the model's weights once; the loss before."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
    optimizer.step()
    return loss.item()


@torch.no_grad()
def accuracy(task: Task[ModelT, BatchT], model: ModelT, questions: Iterable[BatchT]) -> float:
    """Share of the answers that are right."""
    model.eval()
    answers = [task.right(model, batch) for batch in questions]
    model.train()
    return sum(right for right, _ in answers) / sum(of for _, of in answers)


def _tokenizer(directory: Path, task: Task[ModelT, BatchT]) -> Tokenizer:
    """The tokenizer of a training: kept from before, or trained first."""
    path = directory / store.TOKENIZER
    if path.exists() and (directory / checkpoint.NAME).exists():
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    tokenizer = task.tokenizer()
    write_whole(path, tokenizer.to_str(pretty=False).encode())
    return tokenizer


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """PyTorch on that many processor cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
