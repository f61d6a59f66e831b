"""Model types that need a configuration or inputs of their own: which, in tables."""

from tests.conformance.special.audio import AUDIO
from tests.conformance.special.base import Special
from tests.conformance.special.convolution import CONVOLUTION
from tests.conformance.special.sessions import SESSIONS
from tests.conformance.special.several import SEVERAL
from tests.conformance.special.text import TEXT
from tests.conformance.special.vision import VISION

__all__ = ["SPECIAL", "Special"]

SPECIAL: dict[str, Special] = {**TEXT, **VISION, **AUDIO, **SEVERAL, **CONVOLUTION, **SESSIONS}
