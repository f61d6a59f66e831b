"""What counting words tells of a story's topic: multinomial naive Bayes, the baseline of the classifier.

Manning, Raghavan & Schütze 2008, 13.2, with ``SMOOTHING`` added to each count.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from math import log

from attnviz.builtin.language import Story

SMOOTHING = 0.1


class BagOfWords:
    """Knows how often each word stood in stories of each topic; topics are taken to be equally frequent."""

    def __init__(self, stories: Iterable[Story]) -> None:
        self._counts: dict[str, Counter[str]] = {}
        for story in stories:
            self._counts.setdefault(story.topic, Counter()).update(_words(story))
        self._known = set().union(*self._counts.values())
        self._totals = {topic: counts.total() for topic, counts in self._counts.items()}

    def topic(self, story: Story) -> str:
        """The likeliest topic of a story, of its words that are known."""
        words = Counter(word for word in _words(story) if word in self._known)
        return max(self._counts, key=lambda topic: self._fit(words, topic))

    def _fit(self, words: Mapping[str, int], topic: str) -> float:
        counts, total = self._counts[topic], self._totals[topic] + SMOOTHING * len(self._known)
        return sum(times * log((counts[word] + SMOOTHING) / total) for word, times in words.items())


def _words(story: Story) -> list[str]:
    return re.findall(r"\w+", story.text.lower())
