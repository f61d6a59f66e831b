"""transformers kept off the terminal: its progress bars, advice and reports."""

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars
from transformers.utils import logging


@contextmanager
def quiet() -> Iterator[None]:
    """Inside the block transformers logs nothing and draws no bars; afterwards all is as it was.

    What its reports would have said is checked where a model is loaded, and said in one line.
    """
    verbosity, bars, no_hub_bars = (
        logging.get_verbosity(),
        logging.is_progress_bar_enabled(),
        are_progress_bars_disabled(),
    )
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
        if no_hub_bars:
            disable_progress_bars()
