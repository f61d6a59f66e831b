"""How the encoder was made, and is made again: masked language modelling alone, on two processor cores.

No loss touches the attention: what its heads look at they found out by guessing words.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from attnviz.builtin import checkpoint, store
from attnviz.builtin.data import Batch, batches, exam, texts_of_round
from attnviz.builtin.model import MaskedLanguageModel
from attnviz.builtin.schedule import Point, Progress, Schedule
from attnviz.builtin.tokenizer import train_tokenizer
from attnviz.files import make_directory, write_whole

Report = Callable[[Progress], None]


def train(
    directory: Path,
    schedule: Schedule | None = None,
    *,
    report: Report = lambda _: None,
    threads: int = 2,
) -> None:
    """Train the encoder into a directory; a training that was interrupted there is taken up again.

    report:  told after every step
    threads: processor cores; another number changes the last digits
    Raises ModelError if the directory holds a training by another schedule, OutputError if it cannot be
    written to.
    """
    schedule = schedule or Schedule()
    make_directory(directory)
    if store.is_ours(directory):
        checkpoint.same_schedule(directory, store.training_record(directory)["schedule"], schedule)
        return
    with _threads(threads):
        tokenizer = _tokenizer(directory, schedule)
        model, history = _trained(directory, schedule, tokenizer, report)
    record = {"schedule": schedule.as_json(), "history": history, "torch": torch.__version__}
    store.save(directory, model, tokenizer, record)
    (directory / checkpoint.NAME).unlink(missing_ok=True)


def _trained(
    directory: Path, schedule: Schedule, tokenizer: Tokenizer, report: Report
) -> tuple[MaskedLanguageModel, tuple[Point, ...]]:
    """The model after all rounds, from wherever the directory's checkpoint stands."""
    torch.manual_seed(schedule.seed)
    model = MaskedLanguageModel(schedule.model)
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), weight_decay=schedule.decay, fused=True
    )
    history = checkpoint.take_up(directory, model, optimizer, schedule)
    questions = exam(tokenizer, schedule)
    begun, start = len(history) * schedule.steps, time.monotonic()
    steps = schedule.rounds * schedule.steps
    for number in range(len(history), schedule.rounds):
        losses: list[float] = []
        for batch in batches(tokenizer, texts_of_round(schedule, number), schedule, number):
            step = number * schedule.steps + len(losses)
            losses.append(_step(model, optimizer, batch, schedule.rate_at(step / steps)))
            seconds = time.monotonic() - start
            report(Progress(step + 1, steps, losses[-1], history, seconds, begun))
        history = (*history, Point(number, fmean(losses), accuracy(model, questions)))
        checkpoint.keep(directory, model, optimizer, schedule, history)
    return model, history


def _step(model: MaskedLanguageModel, optimizer: torch.optim.Optimizer, batch: Batch, rate: float) -> float:
    """Move the model's weights once; the loss before."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = cross_entropy(guesses(model, batch), batch.answers)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def guesses(model: MaskedLanguageModel, batch: Batch) -> Tensor:
    """How well each token fits each hole: ``[holes, vocabulary]``."""
    hidden = model(batch.ids, batch.real)
    return model.scores(hidden[batch.asked])


@torch.no_grad()
def accuracy(model: MaskedLanguageModel, questions: Sequence[Batch]) -> float:
    """Share of the masked tokens that are guessed right."""
    right = sum(int(guesses(model, batch).argmax(-1).eq(batch.answers).sum()) for batch in questions)
    return right / sum(len(batch.answers) for batch in questions)


def _tokenizer(directory: Path, schedule: Schedule) -> Tokenizer:
    """The tokenizer of a training: kept from before, or trained first."""
    path = directory / store.TOKENIZER
    if path.exists() and (directory / checkpoint.NAME).exists():
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    texts = texts_of_round(schedule, -1)
    tokenizer = train_tokenizer(texts, vocabulary=schedule.model.vocabulary)
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
