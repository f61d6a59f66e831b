"""``attnviz models``, called as a user does."""

import json

import pytest

from attnviz.cli.app import run
from attnviz.models.coverage import coverage


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


def out_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["models", *arguments]) == 0
    out, err = capsys.readouterr()
    assert not err
    return out


def captured() -> list[str]:
    return [one.kind for one in coverage().types if one.status == "captured"]


def test_the_models_that_ship_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    out = out_of(capsys)
    assert out.startswith("builtin:encoder\n")
    assert f"{len(captured())} of {len(coverage().types)} types of models are captured" in " ".join(
        out.split()
    )


def test_a_part_of_a_name_narrows_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    out = out_of(capsys, "BERT")
    assert "builtin" not in out
    assert set(out.split("\n", 2)[2].replace(",", "").split()) == {
        name for name in captured() if "bert" in name
    }
    assert "No model and no type" in out_of(capsys, "no-such-thing")


def test_coverage_names_every_type_with_its_route_or_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    rows = out_of(capsys, "--coverage").splitlines()
    named = {row.split()[0]: row for row in rows[2:-1] if row[0] != " "}
    assert set(named) == {one.kind for one in coverage().types}
    assert "interface" in named["bert"]
    assert "no attention" in named["mamba"]
    assert rows[-1].startswith(f"{len(captured())} of {len(coverage().types)} types of transformers ")


def test_json_is_one_document_with_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(out_of(capsys, "bert", "--json"))
    assert document["schema"] == 1
    assert document["transformers"] == coverage().transformers
    assert all("bert" in one["kind"] for one in document["types"])
    assert document["models"] == []
