"""Models that go on from what they did before: step by step, over a session, with texts they remember."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from attnviz.captures import Capture
from attnviz.models.live import LiveSource
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe

WIDTH = 6
PLACES = 5


class StepsConfig(PreTrainedConfig):
    """Of a model made here."""

    model_type = "steps"


class AttentionCell(nn.Module):
    """A step of a recurrent network that looks over all places once: a score for each, none for heads."""

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(WIDTH, 1, bias=False)

    def forward(self, before: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.score(torch.tanh(places + before[:, None])) * 5
        weights = torch.softmax(scores, dim=1).transpose(1, 2)
        return (weights @ places).squeeze(1), weights


class Reader(PreTrainedModel):
    """Takes as many steps as its input says by its first number."""

    config_class = StepsConfig
    main_input_name = "pixel_values"

    def __init__(self, config: StepsConfig) -> None:
        super().__init__(config)
        self.cell = AttentionCell()
        self.post_init()

    def forward(self, pixel_values: torch.Tensor) -> list[torch.Tensor]:
        state, steps = pixel_values[:, 0], []
        for _ in range(int(pixel_values[0, 0, 0])):
            state, weights = self.cell(state, pixel_values)
            steps.append(weights)
        return steps


class Session:
    """What a model has seen so far, frame by frame."""

    def __init__(self) -> None:
        self.frames: list[torch.Tensor] = []


class Attention(nn.Module):
    """One head: the frame looks at all that the session holds."""

    num_heads = 1

    def forward(self, frame: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = frame @ seen.transpose(-1, -2)
        return scores[:, None].softmax(-1)


class Follower(PreTrainedModel):
    """Looks at what came before, and at each kind of frame anew only where it does not remember it."""

    config_class = StepsConfig
    main_input_name = "frame"

    def __init__(self, config: StepsConfig) -> None:
        super().__init__(config)
        self.known_cache: dict[int, torch.Tensor] = {}
        self.memory, self.text = Attention(), Attention()
        self.post_init()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, session: Session, frame: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        session.frames.append(frame)
        if frame.shape[1] not in self.known_cache:
            self.known_cache[frame.shape[1]] = self.text(frame, frame)
        return self.memory(frame, torch.cat(session.frames, 1)), self.known_cache[frame.shape[1]]


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def places(steps: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(steps)
    values = torch.randn(1, PLACES, WIDTH)
    values[0, 0, 0] = steps
    return {"pixel_values": values}


def seen_by(source: LiveSource, given: Mapping[str, Any]) -> Capture:
    return observe(source, source.prepared(given), [KeepMaps()])


def test_every_step_of_a_recurrent_attention_is_a_map_of_one_row() -> None:
    model = Reader(StepsConfig()).eval()
    seen = seen_by(LiveSource(model), places(3))
    assert [maps.weights.shape for maps in seen.maps] == [(1, 1, PLACES)] * 3
    for maps, own in zip(seen.maps, model(**places(3)), strict=True):
        np.testing.assert_allclose(maps.weights, own, atol=1e-6)


def test_another_input_of_the_same_size_may_take_more_steps_or_fewer() -> None:
    source = LiveSource(Reader(StepsConfig()).eval())
    assert [len(seen_by(source, places(steps)).maps) for steps in (3, 5, 2)] == [3, 5, 2]
    assert len(source.facts.layers) == 2


def test_a_session_is_left_as_it_was_and_seen_as_it_is() -> None:
    model, session = Follower(StepsConfig()).eval(), Session()
    source = LiveSource(model)
    for frame in (torch.randn(1, 3, WIDTH), torch.randn(1, 4, WIDTH), torch.randn(1, 4, WIDTH)):
        before = list(session.frames)
        seen = seen_by(source, {"session": session, "frame": frame})
        assert session.frames == before
        own = model(session, frame)[0]
        np.testing.assert_allclose(seen.maps[-1].weights, own[0], atol=1e-6)


def test_what_a_model_would_remember_of_a_run_is_forgotten() -> None:
    model = Follower(StepsConfig()).eval()
    given = {"session": Session(), "frame": torch.randn(1, 3, WIDTH)}
    source = LiveSource(model)
    assert len(seen_by(source, given).maps) == len(seen_by(source, given).maps) == 2
    assert not model.known_cache
