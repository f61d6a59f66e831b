"""Models of transformers by their name: loaded whole, and looked over before anything is asked of them."""

from attnviz.models.checkpoint import Checkpoint, Fingerprint
from attnviz.models.live import LiveSource
from attnviz.models.pretrained import load_model, load_tokenizer, reads_text
from attnviz.models.quiet import quiet
from attnviz.models.request import Request


def load(request: Request, checkpoint: Checkpoint, fingerprint: Fingerprint) -> LiveSource:
    """The model of a directory, as a Source.

    Raises ModelError if it cannot be loaded whole, or cannot be captured.
    """
    with quiet():
        model = load_model(request, checkpoint)
        tokenizer = load_tokenizer(request, checkpoint) if reads_text(model.config) else None
    source = LiveSource(
        model,
        tokenizer=tokenizer,
        name=checkpoint.name,
        revision=checkpoint.revision,
        fingerprint=lambda: str(fingerprint),
    )
    if source.reads_text:
        source.look_over()
    return source
