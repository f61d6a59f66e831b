"""What can be trained: each task is a model, its texts, what it has to answer, and what it must have learnt.

A task is all that decides the weights: the same task gives the same ones. To add one, add a folder beside
``encoder/`` and a line to ``TASKS``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attnviz.builtin.outcome import Outcome
from attnviz.errors import UsageError
from attnviz.inputs import printable

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

    from attnviz.builtin.model import OwnModel
    from attnviz.builtin.schedule import Schedule

ModelT = TypeVar("ModelT", bound="OwnModel")
BatchT = TypeVar("BatchT", bound="tuple[Tensor, ...]")
TaskT = TypeVar("TaskT", bound="Task[Any, Any]")


class Task(Protocol[ModelT, BatchT]):
    """One kind of model in training. A frozen record; ``as_json`` holds all of its settings."""

    @property
    def model(self) -> Any:
        """The model's sizes, a frozen record."""
        ...

    @property
    def schedule(self) -> "Schedule": ...

    def as_json(self) -> dict[str, Any]: ...

    def tokenizer(self) -> "Tokenizer":
        """The tokenizer, trained on texts of this task or given."""
        ...

    def new_model(self) -> ModelT:
        """A model that has learnt nothing, from torch's present seed."""
        ...

    def batches(self, tokenizer: "Tokenizer", number: int) -> Iterator[BatchT]:
        """What is learnt from in the round of this number: a batch a step, at least ``schedule.round``.

        A function of the task and the number alone, so that a training taken up again sees what it would
        have seen. Torch is seeded anew before each round, for dropout.
        """
        ...

    def exam(self, tokenizer: "Tokenizer") -> Sequence[BatchT]:
        """What no round ever has, to be examined on after each."""
        ...

    def loss(self, model: ModelT, batch: BatchT) -> "Tensor":
        """What the training makes smaller: nats an answer."""
        ...

    def right(self, model: ModelT, batch: BatchT) -> tuple[int, int]:
        """How many answers are right, of how many."""
        ...

    def findings(self, model: ModelT, tokenizer: "Tokenizer") -> dict[str, str]:
        """What is recorded of the finished model besides its training: its best head, or nothing."""
        ...

    def check(self, directory: Path) -> Outcome:
        """What the model in a directory has learnt. Raises ModelError if it cannot be read or is another."""
        ...


def task_of(name: str) -> "Task[Any, Any]":
    """The training of the model that ships under this name. Raises UsageError if there is none."""
    if name not in TASKS:
        raise UsageError(f"no model {printable(name)} to train: there is {', '.join(TASKS)}")
    return TASKS[name]()


@dataclass(frozen=True)
class Wishes:
    """What is to be otherwise than in the training of the model that ships; None: as there.

    layers: of each stack; d_ff grows and shrinks with d_model
    """

    heads: int | None = None
    layers: int | None = None
    d_model: int | None = None
    steps: int | None = None
    seed: int | None = None


def wished(task: TaskT, wishes: Wishes) -> TaskT:
    """A task with other settings. Raises UsageError for sizes that its model has not, or that do not fit."""
    from attnviz.attention import ShapeError

    model = replace(task.model, **_sizes(task.model, wishes))
    course = {"steps": wishes.steps, "seed": wishes.seed}
    schedule = replace(task.schedule, **{name: to for name, to in course.items() if to is not None})
    changed: TaskT = replace(task, model=model, schedule=schedule)  # type: ignore[type-var]
    try:
        changed.new_model()
    except ShapeError as error:
        raise UsageError(f"no such model: {error}; {_fitting(model.d_model)} would do") from error
    return changed


def _fitting(d_model: int) -> str:
    """Numbers of heads that divide a width into even ones, as rotary positions need them."""
    heads = [str(heads) for heads in range(1, d_model // 2 + 1) if d_model % (2 * heads) == 0]
    return f"--n-heads {', '.join(heads)}" if heads else "an even --d-model"


def _sizes(model: Any, wishes: Wishes) -> Mapping[str, int]:
    """The sizes of a model that are wished otherwise."""
    sizes: dict[str, int] = {}
    names = [field.name for field in fields(model)]
    for option, wish, meant in (
        ("--n-heads", wishes.heads, [name for name in names if name == "heads"]),
        ("--n-layers", wishes.layers, [name for name in names if name.endswith("layers")]),
        ("--d-model", wishes.d_model, [name for name in names if name == "d_model"]),
    ):
        if wish is not None and not meant:
            raise UsageError(f"{option} {wish}: this model has no such size")
        sizes |= {name: wish for name in meant if wish is not None}
    if wishes.d_model is not None and "d_ff" in names:
        sizes["d_ff"] = max(1, model.d_ff * wishes.d_model // model.d_model)
    return sizes


def _encoder() -> "Task[Any, Any]":
    from attnviz.builtin.encoder.task import EncoderTask

    return EncoderTask()


def _decoder() -> "Task[Any, Any]":
    from attnviz.builtin.decoder.task import DecoderTask

    return DecoderTask()


def _classifier() -> "Task[Any, Any]":
    from attnviz.builtin.classifier.task import ClassifierTask

    return ClassifierTask()


def _translator() -> "Task[Any, Any]":
    from attnviz.builtin.translation.task import TRANSLATOR

    return TRANSLATOR


def _bahdanau() -> "Task[Any, Any]":
    from attnviz.builtin.translation.task import BAHDANAU

    return BAHDANAU


def _luong() -> "Task[Any, Any]":
    from attnviz.builtin.translation.task import LUONG

    return LUONG


TASKS: dict[str, Callable[[], "Task[Any, Any]"]] = {
    "encoder": _encoder,
    "decoder": _decoder,
    "classifier": _classifier,
    "translator": _translator,
    "bahdanau": _bahdanau,
    "luong": _luong,
}
