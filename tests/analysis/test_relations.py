import pytest

from attnviz.analysis.relations import RELATIONS, Relation
from attnviz.inputs import Span


def test_a_relation_is_a_name_and_two_spans():
    link = Relation("verb-subject", Span(0, 8, 11), Span(0, 4, 7))
    assert (link.name, link.source.start, link.target.start) == ("verb-subject", 8, 4)


def test_an_unknown_relation_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"'subject-verb': there are determiner-noun, .*pronoun-antecedent"):
        Relation("subject-verb", Span(0, 0, 3), Span(0, 4, 7))


def test_relations_are_named_after_the_looking_word_first():
    assert RELATIONS[2] == "verb-subject"
    assert len(set(RELATIONS)) == 6
