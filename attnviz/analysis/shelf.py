"""What is put aside while many samples are gone through, in a file without a name that ends with its user."""

import pickle
import tempfile
from threading import Lock
from types import TracebackType
from typing import Any, Self

from attnviz.errors import OutputError


class Shelf:
    """Holds records outside of memory; several threads may use it.

    Records are pickled: nobody else can write to the file.
    """

    def __init__(self) -> None:
        """Raises OutputError if there is no place for temporary files."""
        try:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the shelf is left
        except OSError as error:
            raise OutputError(
                f"no temporary file could be made: {error}; free some space, or set TMPDIR"
            ) from error
        self._places: list[tuple[int, int]] = []
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, record: Any) -> int:
        """Puts a record aside. Returns its number. Raises OutputError if there is no room."""
        data = pickle.dumps(record, protocol=pickle.HIGHEST_PROTOCOL)
        with self._lock:
            place = self._file.seek(0, 2)
            try:
                self._file.write(data)
                self._file.flush()
            except OSError as error:
                raise OutputError(
                    f"no room for temporary files: {error}; free some, or set TMPDIR"
                ) from error
            self._places.append((place, len(data)))
            return len(self._places) - 1

    def take(self, number: int) -> Any:
        """The record of that number."""
        place, length = self._places[number]
        with self._lock:
            self._file.seek(place)
            data = self._file.read(length)
        return pickle.loads(data)
