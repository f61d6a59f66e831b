"""What the translators that ship have learnt."""

import pytest

import attnviz
from attnviz.builtin import store
from attnviz.builtin.tasks import task_of
from attnviz.builtin.translation.check import MARKS, draw, examine
from attnviz.builtin.translation.model import KINDS
from attnviz.inputs import Sample
from attnviz.models.known import SHIPPED

SHIP = [kind for kind in MARKS if f"builtin:{kind}" in SHIPPED]


@pytest.mark.parametrize("kind", SHIP)
def test_the_stored_translator_passes_what_a_few_questions_can_show(kind: str) -> None:
    stored = store.load(store.shipped(kind), KINDS[f"attnviz-{kind}"])
    outcome = examine(stored.model, stored.tokenizer, MARKS[kind], draw(told=200, strange=20))
    assert outcome.exact.high >= MARKS[kind].exact  # of few sentences the interval is wide
    assert outcome.exact.value > 10 * outcome.dictionary
    assert outcome.error.high <= 0.15
    assert outcome.cat > 0.5 > outcome.other
    assert outcome.head == store.training_record(store.shipped(kind))["best"]


@pytest.mark.parametrize("kind", SHIP)
def test_the_stored_translator_was_trained_by_the_task_of_its_name(kind: str) -> None:
    task = task_of(kind)
    assert store.training_record(store.shipped(kind))["task"]["schedule"] == {
        **task.as_json()["schedule"],
        "parts": list(task.schedule.parts),
    }
    assert store.load(store.shipped(kind), KINDS[f"attnviz-{kind}"]).model.config == task.model


@pytest.mark.parametrize("kind", SHIP)
def test_the_row_that_writes_chat_looks_at_cat(kind: str) -> None:
    model = attnviz.load_model(f"builtin:{kind}")
    seen = attnviz.capture(Sample("The cat sits on the mat"), model=model, keep=model.facts.best)
    (maps,) = seen.maps
    chat = maps.queries.labels.index("chat")
    assert maps.keys.labels[int(maps.weights[0, chat - 1].argmax())] == "cat"


def test_a_name_that_nobody_has_comes_through() -> None:
    encoded = attnviz.load_model("builtin:translator").encode(Sample("Zorblax sees the dog."))
    assert encoded.axes["cross"][0].texts[-1].strip() == "Zorblax voit le chien."
