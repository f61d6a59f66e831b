"""Heads tested on what is known: the verbs of ``attnviz.api`` that probe."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz import DEFAULT_MODEL
from attnviz.captures import Capture
from attnviz.capturing import capture
from attnviz.inputs import Sample
from attnviz.recipes import Choice, Style
from attnviz.render.rows import Table

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from attnviz.analysis.probe import Probe
    from attnviz.analysis.relations import Corpus
    from attnviz.models.base import Source
    from attnviz.observe.progress import Report


def probe(
    relations: "str | Path | Corpus",
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    seen: "Sequence[Capture] | None" = None,
    choice: Choice = Choice(),
    seed: int = 0,
    truncate: bool = False,
    report: "Report | None" = None,
) -> "Probe":
    """How often heads find what a word belongs to, beside what guesses by distance find: ``attnviz probe``.

    relations: a file (CoNLL-U, or JSON line by line), "builtin" for texts of the language of the model that
               ships, or your own as an ``attnviz.analysis.relations.Corpus``
    seen:      captures of the same texts with all maps, whole or of words, in place of a model
    choice:    among which heads
    seed:      of the halves (one chooses a head, the other reports on it) and of the intervals
    Raises InputError for a file that cannot be read or has a broken line, a text that the model cannot take.
    """
    from attnviz import probes

    corpus = probes.corpus_of(relations)
    if seen is not None:
        return probes.of_captures(corpus, seen, choice, seed=seed)
    from attnviz.models.given import source_of

    source = source_of(model, tokenizer)
    return probes.of_model(corpus, source, choice, seed=seed, truncate=truncate, report=report)


def probe_table(found: "Probe", *, style: Style = Style()) -> Table:
    """What ``attnviz probe --relations`` shows: a row a relation and direction."""
    from attnviz.render import probepages

    return probepages.findings_table(found, style)


def induction(
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    sequences: int = 20,
    length: int = 50,
    seed: int = 0,
    top: int | None = None,
    choice: Choice = Choice(),
    style: Style = Style(),
    report: "Report | None" = None,
) -> Table:
    """Which heads go on as a sequence went on before: ``attnviz probe --induction``.

    sequences, length: how many random tokens stand in each, twice one after the other
    Raises InputError for more tokens than the model reads or knows.
    """
    from attnviz import probes
    from attnviz.models.given import source_of
    from attnviz.render.probepages import Drawn, induction_table

    source, drawn = source_of(model, tokenizer), Drawn(sequences, length, 2, seed)
    return induction_table(
        probes.measured(source, drawn, choice, report=report), drawn, choice, style, top=top
    )


def sink(
    texts: "Sequence[str | Sample] | None" = None,
    *,
    model: "str | Source | PreTrainedModel" = DEFAULT_MODEL,
    tokenizer: Any = None,
    sequences: int = 20,
    length: int = 50,
    seed: int = 0,
    top: int | None = None,
    choice: Choice = Choice(),
    style: Style = Style(),
    truncate: bool = False,
    report: "Report | None" = None,
) -> Table:
    """How much heads look at the first token, whatever comes after it: ``attnviz probe --sink``.

    texts: natural ones; without, as many of the language of the model that ships as there are sequences
    sequences, length: how many random tokens stand in each
    Raises as ``induction`` and ``capture`` do.
    """
    from attnviz import probes
    from attnviz.analysis.summary import summary
    from attnviz.models.given import source_of
    from attnviz.render.probepages import Drawn, sink_table

    source = source_of(model, tokenizer)
    drawn = Drawn(sequences, length, 1, seed, first=probes.first_of(source))
    random = probes.measured(source, drawn, choice, report=report)
    read = [*texts] if texts is not None else probes.stories(sequences)
    natural = capture(read, model=source, keep=None, truncate=truncate, report=report)
    return sink_table(random, summary(natural, choice, seed=seed), drawn, choice, style, top=top)
