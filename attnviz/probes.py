"""What ``attnviz probe`` is made of: texts with relations, random tokens, and what a model makes of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.analysis import naming, select
from attnviz.analysis.probe import FEWEST, Probe, probe
from attnviz.analysis.relations import Corpus
from attnviz.analysis.summary import Summary, summary
from attnviz.captures import Capture, Layers
from attnviz.errors import InputError
from attnviz.inputs import Sample, printable
from attnviz.recipes import Choice
from attnviz.render.probepages import Drawn
from attnviz.wishes import encoded_all

if TYPE_CHECKING:
    from attnviz.models.base import Source
    from attnviz.observe.progress import Report

BUILTIN = "builtin"


def corpus_of(relations: str | Path | Corpus) -> Corpus:
    """The texts with relations that are meant. Raises InputError for a file that is none of them."""
    if relations == BUILTIN:
        from attnviz.builtin.gold import gold

        return gold()
    if isinstance(relations, str | Path):
        from attnviz.stored import relationfiles

        return relationfiles.read(Path(relations))
    return relations


def stories(count: int) -> list[str | Sample]:
    """Texts of the language of the model that ships, which its training never has."""
    from attnviz.builtin.gold import gold

    return [Sample(text.text, name=text.name) for text in gold(count).texts]


def of_model(
    corpus: Corpus, source: "Source", choice: Choice, *, seed: int, truncate: bool, report: "Report | None"
) -> Probe:
    """What a model's heads find.

    Raises InputError for texts that it cannot take, before it reads any, and for too few pairs.
    """
    from attnviz.observe.probing import word_maps

    heads = naming.wanted_heads(source.facts.layers, choice)
    samples = [Sample(text.text, name=text.name) for text in corpus.related]
    texts = encoded_all(source, samples, truncate=truncate)
    maps = word_maps(source, texts, heads, report=report)
    return _found_something(probe(corpus, maps, seed=seed, choice=choice))


def of_captures(corpus: Corpus, seen: Sequence[Capture], choice: Choice, *, seed: int) -> Probe:
    """What heads find in captures of the texts. Raises InputError if one is missing, or all are too few."""
    return _found_something(probe(corpus, _captures_of(corpus, seen, choice), seed=seed, choice=choice))


def _found_something(made: Probe) -> Probe:
    """The same. Raises InputError where no relation has enough pairs to be asked about."""
    if made.findings:
        return made
    pairs = f"{made.pairs:,} pairs in {made.texts} texts (both ways counted)"
    if made.blind:
        raise InputError(f"{made.corpus}: in {pairs} no head sees the other end of a relation")
    raise InputError(
        f"{made.corpus}: {pairs} are too few: a relation needs {FEWEST} in each half of the texts, and none "
        "has them; give more texts"
    )


def _captures_of(corpus: Corpus, seen: Sequence[Capture], choice: Choice) -> Iterator[Capture]:
    """The capture of each text, of the chosen heads."""
    places = {capture.sample.text: place for place, capture in enumerate(seen)}
    for text in corpus.related:
        if text.text not in places:
            raise InputError(
                f"no capture of {printable(text.name)} is there: capture the texts that have the relations"
            )
        yield _chosen(seen[places[text.text]], choice)


def _chosen(seen: Capture, choice: Choice) -> Capture:
    """The chosen maps: of words where such were kept."""
    if not seen.words:
        return select.selected(seen, choice)
    words = select.selected(replace(seen, maps=seen.words, pooled=Layers()), choice).maps
    return replace(seen, words=words)


def measured(source: "Source", drawn: Drawn, choice: Choice, *, report: "Report | None" = None) -> Summary:
    """The statistics of the chosen heads over random tokens. Raises InputError for more than fit."""
    from attnviz.observe.probing import random_tokens

    captures = random_tokens(
        source, drawn.sequences, drawn.length, times=drawn.times, seed=drawn.seed, report=report
    )
    return summary(captures, choice, seed=drawn.seed)


def first_of(source: "Source") -> str:
    """The token of its own that a model reads first, before any text; "" if there is none."""
    from attnviz.observe.probing import first_of

    return first_of(source)
