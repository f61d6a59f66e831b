import pytest

from attnviz.analysis.relations import Related, Relation, Tagged
from attnviz.inputs import Span

TEXT = "The dog saw it"


def test_a_relation_is_a_name_and_two_spans():
    link = Relation("verb-subject", Span(0, 8, 11), Span(0, 4, 7))
    told = Related(TEXT, (link,), (Tagged(Span(0, 4, 7), "noun"),))
    assert (told.relations[0].name, told.text[slice(*link.source[1:])]) == ("verb-subject", "saw")


@pytest.mark.parametrize(
    ("span", "message"),
    [
        (Span(0, 12, 15), "characters 12 to 15 are no piece of a text of 14 characters"),
        (Span(0, 4, 4), "characters 4 to 4 are no piece"),
        (Span(0, -1, 2), "characters -1 to 2 are no piece"),
        (Span(0, 3, 4), "characters 3 to 4 are blank"),
    ],
)
def test_a_span_that_holds_no_words_is_refused(span: Span, message: str):
    good = Span(0, 4, 7)
    for link in (Relation("any", span, good), Relation("any", good, span)):
        with pytest.raises(ValueError, match=message):
            Related(TEXT, (link,))
    with pytest.raises(ValueError, match=message):
        Related(TEXT, (), (Tagged(span, "noun"),))
