"""From a name to a model, or to one line that says why not."""

import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel
from transformers.utils import logging as transformers_logging

from attnviz.builtin import UNFINISHED
from attnviz.errors import InputError, ModelError
from attnviz.inputs import Sample
from attnviz.models import families, hub, pretrained
from attnviz.models.base import Source
from attnviz.models.reasons import Reason, RefusedError
from attnviz.models.request import split_revision
from tests.models import zoo

Directories = Callable[[str], Path]
Sources = Callable[[str], Source]


@pytest.fixture
def bert(directory_of: Directories, tmp_path: Path) -> Path:
    """A directory of a small BERT, to be damaged."""
    return Path(shutil.copytree(directory_of("bert"), tmp_path / "tiny-bert"))


def edit_config(directory: Path, **changes: object) -> None:
    file = directory / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_facts_of_a_directory(bert: Path) -> None:
    facts = families.load(str(bert), device="cpu").facts
    assert (facts.name, facts.family, facts.revision) == ("tiny-bert", "bert", None)
    assert (facts.dtype, facts.device, facts.positions) == ("float32", "cpu", 128)
    assert [(layer.name, layer.heads, layer.window) for layer in facts.layers] == [
        ("0", 4, None),
        ("1", 4, None),
        ("2", 4, None),
    ]


def test_a_directory_is_called_by_the_last_part_of_what_was_typed(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base").symlink_to(bert)
    assert families.load(f"{tmp_path}/base/").facts.name == "base"
    monkeypatch.chdir(bert)
    assert families.load(".").facts.name == bert.name


def test_the_fingerprint_is_that_of_the_weights(bert: Path) -> None:
    content = hashlib.sha256((bert / "model.safetensors").read_bytes()).hexdigest()
    expected = hashlib.sha256(content.encode()).hexdigest()
    assert families.load(str(bert), device="cpu").facts.fingerprint == expected


def test_positions_of_roberta_leave_out_those_of_padding(source_of: Sources) -> None:
    assert source_of("roberta").facts.positions == 128  # of 130


def test_versions_name_what_computes(source_of: Sources) -> None:
    assert source_of("bert").versions["torch"] == torch.__version__
    assert set(source_of("bert").versions) == {"attnviz", "torch", "transformers", "tokenizers"}


# What cannot be loaded: what was done to the directory, and the line that it gives


def truncate(directory: Path) -> None:
    file = directory / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def put_a_pointer(directory: Path) -> None:
    (directory / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")


def pickle_weights(directory: Path) -> None:
    file = directory / "model.safetensors"
    torch.save(load_file(file), directory / "pytorch_model.bin")
    file.unlink()


def lose_a_shard(directory: Path) -> None:
    (directory / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))


def drop_a_layer(directory: Path) -> None:
    file = directory / "model.safetensors"
    weights = {name: weight for name, weight in load_file(file).items() if "layer.1.attention" not in name}
    save_file(weights, file, {"format": "pt"})


def lose_the_vocabulary(directory: Path) -> None:
    (directory / "tokenizer.json").unlink()


def become(model_type: str) -> Callable[[Path], object]:
    return lambda directory: (directory / "config.json").write_text(json.dumps({"model_type": model_type}))


def ask_for_code(directory: Path) -> None:
    edit_config(directory, model_type="novel", auto_map={"AutoConfig": "novel.NovelConfig"})


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda d: (d / "config.json").unlink(), r"no model in .*tiny-bert: it has no config\.json"),
    (lambda d: (d / "config.json").rename(d / UNFINISHED), r"its training is not finished; the same attnviz"),
    (lambda d: (d / "config.json").write_text("{"), r"its config\.json cannot be read \(Expecting"),
    (lambda d: (d / "config.json").write_text("[]"), r"its config\.json holds no configuration"),
    (lambda d: (d / "model.safetensors").unlink(), r"no weights in .*tiny-bert: there is no model"),
    (truncate, r"model\.safetensors are damaged \(.*not fully covered"),
    (put_a_pointer, r"model\.safetensors are a Git LFS pointer \(git lfs pull fetches the file\)"),
    (pickle_weights, r"has pickled weights only \(pytorch_model\.bin\).*--allow-pickle loads them"),
    (lose_a_shard, r"2 of 2 weight files are missing in .*: model-1\.safetensors"),
    (drop_a_layer, r"\d+ weights of tiny-bert are not in its files \(encoder\.layer\.1\.attention.*random"),
    (lambda d: edit_config(d, num_hidden_layers=4), r"weights of tiny-bert are not in its files"),
    (lambda d: edit_config(d, hidden_size=32), r"tiny-bert does not fit its configuration: .*64"),
    (lose_the_vocabulary, r"tiny-bert has no tokenizer: no tokenizer\.json or vocabulary"),
    (become("novel"), r"tiny-bert cannot be loaded: .*novel"),
    (ask_for_code, r"tiny-bert needs code that comes with it: --allow-remote-code runs it"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_a_directory_that_cannot_be_loaded_says_why(
    damage: Callable[[Path], object], message: str, bert: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(bert)
    with pytest.raises(ModelError, match=message) as raised:
        families.load(str(bert), device="cpu")
    assert "\n" not in str(raised.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nowhere", r"no model \./nowhere: no such directory; there are builtin:encoder"),
        ("a b", r"no model a b: no such directory"),
        ("\x1b[31m", r"no model \\x1b\[31m: no such directory"),
        (__file__, r"test_families\.py: it is a file; name the directory that a model is in"),
    ],
)
def test_a_name_that_is_none_says_what_there_is(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        families.load(name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cuda:97"}, r"no device cuda:97 here: there is cpu"),
        ({"device": "toaster"}, r"no device toaster here: there is cpu"),
        ({"dtype": "int3"}, r"no dtype int3: there are auto, float32, bfloat16, float16"),
        ({"revision": "v2"}, r"tiny-bert is a directory: it has no revision v2"),
    ],
)
def test_options_that_cannot_be_had_say_what_can(options: dict[str, str], message: str, bert: Path) -> None:
    with pytest.raises(ModelError, match=message):
        families.load(str(bert), **options)


def test_a_gpu_that_is_not_there_is_an_error(bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="no device cuda here: there is cpu"):
        families.load(str(bert), device="cuda")


def test_pickled_weights_are_read_when_allowed(bert: Path) -> None:
    encoded = families.load(str(bert), device="cpu").encode(Sample("The cat"))
    pickle_weights(bert)
    source = families.load(str(bert), device="cpu", allow_pickle=True)
    assert source.encode(Sample("The cat")).axes == encoded.axes
    assert len(source.facts.fingerprint) == 64


def test_a_checkpoint_without_a_pooler_loses_nothing(bert: Path) -> None:
    file = bert / "model.safetensors"
    weights = {name: weight for name, weight in load_file(file).items() if not name.startswith("pooler")}
    save_file(weights, file, {"format": "pt"})
    assert families.load(str(bert), device="cpu").facts.name == "tiny-bert"


def test_a_checkpoint_with_a_language_head_is_read_without(tmp_path: Path) -> None:
    """Names in it begin with ``bert.``, and the pooler is missing."""
    from transformers import AutoModelForMaskedLM

    config = AutoConfig.for_model("bert", vocab_size=zoo.VOCABULARY, **zoo.CONFIGS["bert"])
    AutoModelForMaskedLM.from_config(config).save_pretrained(tmp_path)
    zoo.wordpiece().save_pretrained(tmp_path)
    assert len(families.load(str(tmp_path), device="cpu").facts.layers) == 3


def test_a_tokenizer_of_another_model_is_an_error(bert: Path) -> None:
    config = AutoConfig.from_pretrained(bert, vocab_size=20)
    AutoModel.from_config(config).save_pretrained(bert)
    source = families.load(str(bert), device="cpu")
    with pytest.raises(ModelError, match=r"the tokenizer of tiny-bert gives token \d+ and the model has 20"):
        source.encode(Sample("The cat sat on the mat"))


def test_a_model_without_attention_is_refused(tmp_path: Path) -> None:
    config = AutoConfig.for_model("mamba", vocab_size=zoo.VOCABULARY, hidden_size=32, num_hidden_layers=2)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    zoo.byte_bpe().save_pretrained(tmp_path)
    with pytest.raises(RefusedError, match="MambaModel cannot be captured: it has no attention") as raised:
        families.load(str(tmp_path), device="cpu")
    assert raised.value.reason is Reason.NO_ATTENTION


def test_a_model_of_images_does_not_read_text(tmp_path: Path) -> None:
    config = AutoConfig.for_model("vit", hidden_size=32, num_hidden_layers=2, num_attention_heads=4)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    source = families.load(str(tmp_path), device="cpu")
    with pytest.raises(InputError, match=r"\(vit\) does not read text"):
        source.encode(Sample("The cat"))


# On the terminal


def test_transformers_stays_off_the_terminal(bert: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = families.load(str(bert), device="cpu")
    source.encode(Sample("The cat " * 200), truncate=True)
    assert capfd.readouterr() == ("", "")


def test_transformers_may_talk_again_afterwards(bert: Path) -> None:
    transformers_logging.set_verbosity(logging.INFO)
    try:
        families.load(str(bert), device="cpu")
        assert transformers_logging.get_verbosity() == logging.INFO
        assert transformers_logging.is_progress_bar_enabled()
    finally:
        transformers_logging.set_verbosity(logging.WARNING)


def test_an_untested_version_is_a_warning(bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained.transformers, "__version__", "5.99.0")
    with pytest.warns(UserWarning, match=r"tested with transformers 5\.23, not with 5\.99\.0"):
        families.load(str(bert), device="cpu")


# The hub


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("org/name", ("org/name", None)),
        ("org/name@v1.0", ("org/name", "v1.0")),
        ("org/name@", ("org/name", None)),
    ],
)
def test_a_revision_follows_an_at(typed: str, parts: tuple[str, str | None]) -> None:
    assert split_revision(typed) == parts


def test_a_directory_may_have_an_at_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "cat@mat").mkdir()
    assert split_revision(str(tmp_path / "cat@mat")) == (str(tmp_path / "cat@mat"), None)


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(directory_of: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache that holds cats/tiny; its files are links to blobs, as the hub makes them."""
    snapshot = tmp_path / "models--cats--tiny" / "snapshots" / COMMIT
    shutil.copytree(directory_of("bert"), snapshot)
    (tmp_path / "models--cats--tiny" / "refs").mkdir()
    (tmp_path / "models--cats--tiny" / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_a_cached_model_is_loaded_offline(cache: Path) -> None:
    del cache
    facts = families.load("cats/tiny", device="cpu", offline=True).facts
    assert (facts.name, facts.revision) == ("cats/tiny", COMMIT)
    assert families.load(f"cats/tiny@{COMMIT}", device="cpu", offline=True).facts.revision == COMMIT


def test_a_blob_of_the_hub_is_known_by_its_name(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = cache / "models--cats--tiny" / "snapshots" / COMMIT / "model.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    blob = cache / digest
    weights.rename(blob)
    weights.symlink_to(blob)
    monkeypatch.setattr(hashlib, "file_digest", None)  # would fail
    facts = families.load("cats/tiny", device="cpu", offline=True).facts
    assert facts.fingerprint == hashlib.sha256(digest.encode()).hexdigest()


def test_a_name_that_is_not_cached_says_what_is(cache: Path) -> None:
    del cache
    message = (
        r"no model dogs/big@v1 here: there is no such directory, it is not in the cache, "
        r"and the hub is not asked while offline; there are builtin:encoder, .*cats/tiny$"
    )
    with pytest.raises(ModelError, match=message):
        families.load("dogs/big@v1", offline=True)


def test_a_hub_that_cannot_be_reached_says_so(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del cache

    def unreachable(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("Got: ConnectError\nlong advice") from ConnectionError("no route")

    monkeypatch.setattr(hub, "snapshot_download", unreachable)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    message = r"the hub cannot be reached \(no route\); there are builtin:encoder, .*cats/tiny$"
    with pytest.raises(ModelError, match=message):
        families.load("dogs/big")


def test_only_what_is_needed_is_downloaded(
    cache: Path, directory_of: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def download(*_: object, allow_patterns: list[str], **__: object) -> str:
        asked.append(allow_patterns)
        return str(directory_of("bert") if "pytorch_model*.bin" in allow_patterns else cache)

    monkeypatch.setattr(hub, "snapshot_download", download)
    safe = {"allow_pickle": False, "allow_remote_code": False, "offline": False}
    hub.snapshot("dogs/big", None, **safe)
    hub.snapshot("dogs/big", None, **{**safe, "allow_pickle": True, "allow_remote_code": True})
    assert [("*.py" in patterns, "pytorch_model*.bin" in patterns) for patterns in asked] == [
        (False, False),
        (True, False),
        (True, True),
    ]


def test_a_name_is_looked_at_without_heavy_libraries() -> None:
    """A typing mistake costs no import of torch."""
    import subprocess

    code = (
        "import sys; from attnviz.models import families\n"
        "try: families.load('./nowhere')\n"
        "except Exception as error: print(type(error).__name__, {'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "ModelError set()\n"
