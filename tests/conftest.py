"""How the tests run everywhere."""

import os

from hypothesis import settings

# a busy machine is no bug; what chance finds is for developers, not for a build that nobody changed
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
