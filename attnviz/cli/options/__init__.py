"""Every option, defined once. A command takes the groups that it needs as parameters.

    @command
    def heatmap(inputs: Inputs, model: Model, choice: Choices) -> None: ...

Each field of a group becomes an option of the command.
"""

from attnviz.cli.options.choosing import (
    Choices,
    Compared,
    Heads,
    Kind,
    Linking,
    Match,
    Mean,
    Measure,
    Most,
    Pairing,
    Varied,
)
from attnviz.cli.options.commands import command
from attnviz.cli.options.making import (
    Drawing,
    Drawn,
    EngineName,
    Exporting,
    Keeping,
    Medium,
    Planned,
    Scale,
    View,
    Views,
)
from attnviz.cli.options.reading import (
    MODEL_VARIABLE,
    DType,
    Inputs,
    Kept,
    KeptModels,
    KeptTwo,
    Model,
    Models,
    Snapshots,
    Texts,
    Translated,
    Translator,
    Written,
)

__all__ = [
    "MODEL_VARIABLE",
    "Choices",
    "Compared",
    "DType",
    "Drawing",
    "Drawn",
    "EngineName",
    "Exporting",
    "Heads",
    "Inputs",
    "Keeping",
    "Kept",
    "KeptModels",
    "KeptTwo",
    "Kind",
    "Linking",
    "Match",
    "Mean",
    "Measure",
    "Medium",
    "Model",
    "Models",
    "Most",
    "Pairing",
    "Planned",
    "Scale",
    "Snapshots",
    "Texts",
    "Translated",
    "Translator",
    "Varied",
    "View",
    "Views",
    "Written",
    "command",
]
