"""What fits into memory, and what is refused before the run."""

from pathlib import Path

import pytest

from attnviz.errors import InputError
from attnviz.observe import memory


def machine(directory: Path, available: int, limit: str, used: int) -> tuple[Path, Path]:
    (directory / "meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable:    {available} kB\n")
    (directory / "memory.max").write_text(f"{limit}\n")
    (directory / "memory.current").write_text(f"{used}\n")
    return directory / "meminfo", directory


@pytest.mark.parametrize(
    ("available", "limit", "used", "expected"),
    [(1000, "max", 7, 1000 * 1024), (1000, "5000", 2000, 3000), (1, "5000", 2000, 1024)],
)
def test_the_smaller_of_system_and_control_group_counts(
    tmp_path: Path, available: int, limit: str, used: int, expected: int
) -> None:
    assert memory.available(*machine(tmp_path, available, limit, used)) == expected


def test_where_nothing_can_be_read_nothing_is_known(tmp_path: Path) -> None:
    assert memory.available(tmp_path / "none", tmp_path / "none") is None


def test_what_does_not_fit_is_refused_with_what_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 10_000_000_000)
    memory.check_fits(7_900_000_000, what="maps", instead="choose fewer")
    with pytest.raises(InputError, match=r"maps take 8\.1 GB, and 10\.0 GB are free: choose fewer"):
        memory.check_fits(8_100_000_000, what="maps", instead="choose fewer")
