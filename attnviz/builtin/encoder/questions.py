"""What the encoder is asked: gold relations of held-out texts, and what guessing by distance would answer.

A pair is a word of a text and the word that it should look at. Only hard pairs are asked, which a guess by
distance gets wrong: on the others a head that looks at its neighbour would look clever.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Literal

import numpy as np

from attnviz.analysis.relations import Relation
from attnviz.analysis.shares import nearest
from attnviz.builtin.language import Agreement, Story, Word, agreement_items, stories

SEED = 1_000_003
"""Of the test; no training uses it."""

Baseline = Literal["nearest", "offset"]

NAMING = frozenset({"noun", "name"})


@dataclass(frozen=True)
class Quest:
    """How one relation is asked about.

    candidates: parts of speech that such a word can look at
    ahead:      candidates may also stand after the word; the nearest is that on either side
    guesses:    a pair is hard if one of these is wrong
    """

    candidates: frozenset[str] = NAMING
    ahead: bool = True
    guesses: tuple[Baseline, ...] = ("nearest", "offset")


QUESTS = {
    "verb-subject": Quest(NAMING | {"pronoun"}, ahead=False, guesses=("nearest",)),
    "pronoun-antecedent": Quest(ahead=False, guesses=("nearest",)),
    "reflexive-antecedent": Quest(ahead=False, guesses=("nearest",)),
    "preposition-object": Quest(),
    "determiner-noun": Quest(),
    "adjective-noun": Quest(),
}
"""The relations asked about. Subjects and antecedents come first, so only what comes before is a rival."""


@dataclass(frozen=True)
class Pair:
    """A word and the word that it should look at, all of them numbers of words.

    words:   the text's words, as (start, stop) characters
    nearest: the nearest candidate; -1 if there is none
    offset:  the word at the relation's commonest distance, whether there is one or not
    """

    text: str
    words: tuple[tuple[int, int], ...]
    looking: int
    target: int
    nearest: int
    offset: int = -1

    def guessed(self, baseline: Baseline) -> bool:
        """Whether that baseline finds the target."""
        return self.target == (self.nearest if baseline == "nearest" else self.offset)


@dataclass(frozen=True)
class Questions:
    """All that is asked: hard pairs by relation, and verbs that must agree in number."""

    pairs: dict[str, tuple[Pair, ...]]
    agreements: tuple[Agreement, ...]


def draw(*, read: int = 6_000, hard: int = 2_000, agreements: int = 2_000) -> Questions:
    """The check's questions, always the same, from frames and subject-verb pairs that training never has.

    read: stories to look for pairs in
    hard: pairs of each relation at most
    """
    found: dict[str, list[Pair]] = defaultdict(list)
    lot = Random(SEED)
    for story in islice(stories(SEED, split="test"), read):
        for name, pair in pairs_of(story, lot):
            found[name].append(pair)
    return Questions(
        {name: tuple(_hard(found[name], quest, hard)) for name, quest in QUESTS.items()},
        tuple(islice(agreement_items(SEED), agreements)),
    )


def shuffled(questions: Questions) -> Questions:
    """The same questions with other words for answers, drawn by lot: nobody can do well on them."""
    random = np.random.default_rng(SEED)
    pairs = {
        name: tuple(replace(pair, target=int(random.integers(len(pair.words)))) for pair in pairs)
        for name, pairs in questions.pairs.items()
    }
    agreements = tuple(
        replace(item, right=item.wrong, wrong=item.right) if random.random() < 0.5 else item
        for item in questions.agreements
    )
    return Questions(pairs, agreements)


def pairs_of(story: Story, lot: Random) -> Iterator[tuple[str, Pair]]:
    """The gold relations of a story that are asked about."""
    words = tuple((word.span.start, word.span.stop) for word in story.words)
    number = {start: position for position, (start, _) in enumerate(words)}
    for relation in story.relations:
        looking, target = number[relation.source.start], number[relation.target.start]
        name = asked_name(relation, story.words[looking])
        if name in QUESTS:
            guess = _nearest(story, looking, QUESTS[name], lot)
            yield name, Pair(story.text, words, looking, target, guess)


def asked_name(relation: Relation, looking: Word) -> str:
    """What a relation is called here: reflexives apart from other pronouns, which follow other rules."""
    return "reflexive-antecedent" if looking.pos == "reflexive" else relation.name


def _nearest(story: Story, looking: int, quest: Quest, lot: Random) -> int:
    """The nearest candidate; of two at the same distance one by lot. -1 if there is none."""
    candidates = (
        position
        for position, word in enumerate(story.words)
        if word.pos in quest.candidates and (position < looking or (quest.ahead and position > looking))
    )
    return nearest(looking, candidates, lot.random)


def _hard(pairs: Sequence[Pair], quest: Quest, count: int) -> list[Pair]:
    """The first hard pairs."""
    offset = Counter(pair.target - pair.looking for pair in pairs).most_common(1)[0][0]
    answered = (replace(pair, offset=pair.looking + offset) for pair in pairs)
    hard = (pair for pair in answered if not all(pair.guessed(baseline) for baseline in quest.guesses))
    return list(islice(hard, count))
