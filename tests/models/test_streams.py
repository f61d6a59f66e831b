"""What a capture needs to know of a call beside its numbers: padding that is seen, streams, two texts."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from attnviz.models.calls import AttentionCall, Place
from attnviz.models.facts import text_config
from attnviz.models.live import LiveSource
from attnviz.models.routes.base import Called
from attnviz.models.routes.softmax import textbook
from attnviz.observe.keep import KeepMaps
from attnviz.observe.run import observe
from tests.models import zoo

OWN = Place(0, range(3), range(3))  # of five places the last two are padding


def called(mask: Tensor | None, *, causal: bool = False) -> Called:
    keys = torch.randn(1, 2, 5, 7)
    return Called(AttentionCall(nn.Identity(), textbook, keys, keys, keys, mask, causal, {}), "interface")


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32])
def test_padding_is_seen_where_the_mask_of_a_real_row_lets_it(dtype: torch.dtype) -> None:
    allowed = torch.ones(1, 1, 5, 5, dtype=torch.bool).tril()
    allowed[..., 3:, :] = True  # rows that are padding see what they like
    leaking = allowed.clone()
    leaking[..., 1, 4] = True
    lowest = torch.finfo(torch.float32).min
    masks = [
        mask if dtype == torch.bool else torch.zeros(mask.shape).masked_fill(~mask, lowest)
        for mask in (allowed, leaking)
    ]
    assert [called(mask).sees_beyond(OWN) for mask in masks] == [False, True]


def test_without_a_mask_padding_is_seen_unless_it_is_later() -> None:
    left = Place(0, range(2, 5), range(2, 5))
    assert not called(None, causal=True).sees_beyond(OWN)
    assert called(None, causal=True).sees_beyond(left)
    assert called(None).sees_beyond(OWN)


def test_of_two_texts_the_one_that_is_read_counts() -> None:
    config = AutoConfig.for_model(
        "musicgen",
        text_encoder={"model_type": "t5", "vocab_size": 123},
        audio_encoder={"model_type": "encodec"},
        decoder={"vocab_size": 77},
    )
    assert text_config(config).vocab_size == 123


def test_streams_see_the_main_one_and_themselves() -> None:
    """ProphetNet: 2 streams of 5 tokens, over 5 main keys and 5 of their own each."""
    torch.manual_seed(3)
    config = AutoConfig.for_model(
        "prophetnet", vocab_size=zoo.VOCABULARY, hidden_size=32, encoder_ffn_dim=48, decoder_ffn_dim=48,
        num_encoder_layers=1, num_decoder_layers=1, num_encoder_attention_heads=4, ngram=2,
        num_decoder_attention_heads=4, attn_implementation="eager",
    )  # fmt: skip
    model = AutoModel.from_config(config).eval()
    given = {"input_ids": torch.arange(7)[None] + 5, "decoder_input_ids": torch.arange(5)[None] + 5}
    source = LiveSource(model)
    seen = observe(source, source.prepared(given), [KeepMaps()])
    with torch.inference_mode():
        returned = model(**given, output_attentions=True).decoder_ngram_attentions[0][0].numpy()
    maps = next(maps for maps in seen.maps if maps.weights.shape == (4, 10, 15))
    for stream in range(2):
        rows = maps.weights[:, 5 * stream : 5 * stream + 5]
        own = rows[..., 5 + 5 * stream : 10 + 5 * stream]
        np.testing.assert_allclose(np.concatenate([rows[..., :5], own], -1), returned[stream], atol=1e-6)
