"""How our text classifiers read."""

from attnviz.builtin.classifier.model import TopicClassifier
from attnviz.builtin.tokenizer import CLS, SEP
from attnviz.models.builtin.text import Manner

CLASSIFIER = Manner(TopicClassifier, "encoder.blocks", (CLS,), (SEP,), trained=80)
