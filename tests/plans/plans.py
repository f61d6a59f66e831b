"""Plans for tests, made of little."""

import re
from pathlib import Path

from attnviz.plans.plan import Plan
from attnviz.plans.toml import plan_of

HEAD = 'models = ["builtin:encoder"]\nsamples = ["The cat sat"]\n'


def plan(text: str, beside: Path = Path()) -> Plan:
    """The plan of a text, with a model and a sample where it names none."""
    for line in HEAD.splitlines():
        if not re.search(rf"^(\[\[)?{line.split()[0]}\b", text, re.MULTILINE):
            text = f"{line}\n{text}"
    return plan_of(text, beside)
