"""How a model of ours is made, and is made again: one loop for all tasks, on processor cores.

No loss touches the attention: what its heads look at a model finds out by answering.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from math import nan
from pathlib import Path
from statistics import fmean

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from attnviz.attention.threads import on_threads
from attnviz.builtin import checkpoint, snapshots, store, workplace
from attnviz.builtin.model import ModelT
from attnviz.builtin.schedule import Point, Progress
from attnviz.builtin.snapshots import Album
from attnviz.builtin.tasks import BatchT, Task
from attnviz.files import write_whole

Report = Callable[[Progress], None]

CPU = torch.device("cpu")


def train(
    directory: Path,
    task: Task[ModelT, BatchT],
    *,
    report: Report = lambda _: None,
    threads: int = 2,
    device: torch.device = CPU,
    force: bool = False,
    shots: int = 0,
) -> None:
    """Train a model into a directory; a training that was interrupted there is taken up again.

    report:  told when work begins, after every step, and after every round
    threads: processor cores; another number, or another device, changes the last digits
    force:   replace what else is in the place of the files that are written
    shots:   how many snapshots are kept on the way (``builtin.snapshots``); they change no weight
    Raises ModelError if the directory holds a training of another task, or one that went on without these
    snapshots, OutputError if it holds another model, or cannot be written to.
    """
    steps = snapshots.spread(task.schedule.steps, shots)
    if not force and workplace.finished(directory, task):
        snapshots.check(directory, steps, task.schedule.steps + 1)
        return
    workplace.claim(directory, task, force=force)
    report(Progress(0, task.schedule.steps, nan, (), 0.0, 0))
    with on_threads(threads):
        tokenizer = _tokenizer(directory, task)
        record = {"task": task.as_json(), "torch": torch.__version__}
        album = Album(directory, steps, tokenizer, record)
        model, history = _trained(task, album, report, device)
        findings = task.findings(model, tokenizer)
    store.save(directory, model, tokenizer, {**record, "history": history, **findings})
    workplace.clear(directory)


def _trained(
    task: Task[ModelT, BatchT], album: Album, report: Report, device: torch.device
) -> tuple[ModelT, tuple[Point, ...]]:
    """The model after all rounds, from wherever the checkpoint of the album's directory stands."""
    schedule, directory, tokenizer = task.schedule, album.directory, album.tokenizer
    torch.manual_seed(schedule.seed)
    model = task.new_model().to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), weight_decay=schedule.decay, fused=True
    )
    history = checkpoint.take_up(directory, model, optimizer)
    questions = [_on(device, batch) for batch in task.exam(tokenizer)]
    begun, start = min(len(history) * schedule.round, schedule.steps), time.monotonic()
    album.begin(begun)
    for number in range(len(history), schedule.rounds):
        losses: list[float] = []
        for step, batch in _round(task, tokenizer, number):
            album.take(step, model)
            loss = task.loss(model, _on(device, batch))
            losses.append(_step(optimizer, loss, schedule.rate_at(step / schedule.steps)))
            seconds = time.monotonic() - start
            report(Progress(step + 1, schedule.steps, losses[-1], history, seconds, begun))
        history = (*history, Point(number, fmean(losses), accuracy(task, model, questions)))
        checkpoint.keep(directory, model, optimizer, history)
        report(Progress(step + 1, schedule.steps, losses[-1], history, time.monotonic() - start, begun))
    album.take(schedule.steps, model)
    return model.eval().cpu(), history


def _on(device: torch.device, batch: BatchT) -> BatchT:
    """The batch on a device."""
    return type(batch)(*(tensor.to(device) for tensor in batch))


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
