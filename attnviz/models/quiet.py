"""transformers kept off the terminal: its progress bars, advice and reports."""

from collections.abc import Iterator
from contextlib import contextmanager
from logging import LogRecord, getLogger

from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars
from transformers.utils import logging


@contextmanager
def quiet() -> Iterator[None]:
    """Inside the block transformers logs nothing and draws no bars; afterwards all is as it was.

    What its reports would have said is checked where a model is loaded, and said in one line.
    """
    bars, no_hub_bars = logging.is_progress_bar_enabled(), are_progress_bars_disabled()
    logging.disable_progress_bar()
    try:
        with unlogged():
            yield
    finally:
        if bars:
            logging.enable_progress_bar()
        if no_hub_bars:
            disable_progress_bars()


@contextmanager
def unlogged() -> Iterator[None]:
    """Inside the block transformers logs nothing; for a model that runs, which draws no bars."""
    handlers = tuple(_logger.handlers)
    for handler in handlers:  # levels stay: setting one makes every logger of the process ask again
        handler.addFilter(_nothing)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(_nothing)


_logger = getLogger("transformers")


def _nothing(_: LogRecord) -> bool:
    """The filter of a handler that lets nothing through."""
    return False
