"""The files that follow from a plan."""

import pytest

from attnviz.errors import InputError
from attnviz.facts import LayerFacts
from attnviz.plans.jobs import jobs_of
from attnviz.plans.plan import Job, Plan
from tests.plans.plans import plan

LAYERS = tuple(LayerFacts(stack, layer, 3) for stack in ("encoder", "cross") for layer in range(2))


def jobs(text: str, layers: tuple[LayerFacts, ...] = LAYERS[:2]) -> tuple[Job, ...]:
    made: Plan = plan(text)
    plain = tuple(LayerFacts("", each.layer, each.heads) for each in layers)
    return jobs_of(made, dict.fromkeys(made.models, plain if layers == LAYERS[:2] else layers))


def files(text: str, layers: tuple[LayerFacts, ...] = LAYERS[:2]) -> list[str]:
    return [job.file for job in jobs(text, layers)]


def test_a_pattern_with_a_head_is_a_figure_a_head() -> None:
    made = jobs('[[figures]]\nfile = "{layer}.{head}.pdf"\nlayer = "1"\nhead = "0,2"')
    assert [(job.file, job.figure.choice.heads, job.figure.choice.layers) for job in made] == [
        ("1.0.pdf", "1.0", None),
        ("1.2.pdf", "1.2", None),
    ]


def test_heads_of_a_stack_are_called_with_it() -> None:
    assert files('[[figures]]\nfile = "{layer}.{head}.pdf"\nhead = "cross.1.2"', LAYERS) == ["cross.1.2.pdf"]


def test_a_pattern_with_a_layer_is_a_figure_a_layer() -> None:
    made = jobs('[[figures]]\nfile = "{layer}.pdf"\nmean = "heads"')
    assert [(job.file, job.figure.choice.layers) for job in made] == [("0.pdf", "0"), ("1.pdf", "1")]
    made = jobs('[[figures]]\nfile = "{layer}.pdf"\nhead = "0.1,1.2,1.0"')
    assert [(job.file, job.figure.choice.heads) for job in made] == [("0.pdf", "0.1"), ("1.pdf", "1.2,1.0")]


def test_a_pattern_with_a_head_alone_is_a_figure_a_number() -> None:
    made = jobs('[[figures]]\nfile = "{head}.pdf"\nmean = "layers"')
    assert [(job.file, job.figure.choice.heads) for job in made] == [
        (f"{head}.pdf", f"0.{head},1.{head}") for head in range(3)
    ]


def test_figures_come_by_model_then_sample_then_entry_and_those_of_several_last() -> None:
    text = (
        'models = ["builtin:encoder", "b"]\nsamples = ["x", "y"]\n'
        '[[figures]]\nview = "heads"\nfile = "{model}.pdf"\n'
        '[[figures]]\nfile = "{model}-{sample}.pdf"\n'
        '[[figures]]\nfile = "{model}-{sample}-{view}.pdf"\nview = "rollout"\n'
    )
    assert files(text) == [
        f"{model}{rest}.pdf"
        for model in ("encoder", "b")
        for rest in ("-text-1", "-text-1-rollout", "-text-2", "-text-2-rollout", "")
    ]


def test_a_table_without_a_sample_in_its_pattern_is_of_all() -> None:
    text = 'samples = ["x", "y"]\n[[figures]]\nview = "grid"\nfile = "{view}.pdf"\n'
    (job,) = jobs(text)
    assert [seen.entry.name for seen in job.of] == ["text-1", "text-2"]


def test_a_figure_may_be_of_some_models_and_samples() -> None:
    text = (
        'models = ["builtin:encoder", "b"]\nsamples = ["x", "y"]\n'
        '[[figures]]\nmodels = ["b"]\nsamples = ["text-2"]\nfile = "{model}-{sample}.pdf"\n'
    )
    assert files(text) == ["b-text-2.pdf"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            'samples = ["x", "y"]\n[[figures]]\nfile = "a.pdf"',
            r"two figures would be the one file a.pdf: put \{sample\} into the pattern",
        ),
        (
            'models = ["builtin:encoder", "b"]\n[[figures]]\nfile = "a.pdf"',
            r"the one file a.pdf: put \{model\} into the pattern",
        ),
        (
            '[[figures]]\nfile = "{head}.pdf"\n[[figures]]\nfile = "{HEAD}.pdf"',
            "stands for nothing",
        ),
        (
            '[[figures]]\nfile = "A.pdf"\n[[figures]]\nfile = "a.pdf"',
            r"figures\[1\] and figures\[2\]: two figures would be the one file a.pdf: give them different",
        ),
        ('[[figures]]\nfile = "a.pdf"\n[[figures]]\nfile = "a.pdf/b.pdf"',
         "would be a file and the directory of"),
        ('[[figures]]\nfile = "heads.csv"', "heads.csv is a file that attnviz writes itself"),
        ('[[figures]]\nfile = ".attnviz/a.pdf"', "attnviz writes itself"),
        ('[[figures]]\nhead = "7.1"', r"figures\[1\]: .*layer 7"),
        ('[[figures]]\nhead = "0.3"', r"figures\[1\]: no head 3 in layer 0: there are heads 0 to 2"),
        ('[[figures]]\nlayer = "x"', r'figures\[1\]: .*"x" is no layer'),
        ('[[figures]]\nmean = "heads"\nfile = "{head}.pdf"', "with mean = heads is not of one head"),
        ('[[figures]]\nview = "atlas"\nfile = "{layer}.pdf"', "file: view = atlas is not of one layer"),
        ('[[figures]]\nview = "diff"', "a diff needs against"),
        ('[[figures]]\nview = "diff"\nagainst = "q"',
         "against: no sample or model 'q'; there are text-1, encoder"),
        ('[[figures]]\nview = "diff"\nagainst = "text-1"', "there is nothing that it is of"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_named(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        jobs(text)


def test_a_difference_is_of_each_other_sample_or_model() -> None:
    text = (
        'models = ["builtin:encoder", "b"]\nsamples = ["x", "y"]\n'
        '[[figures]]\nview = "diff"\nagainst = "{}"\nfile = "{{model}}-{{sample}}.pdf"\n'
    )

    def pairs(against: str) -> list[str]:
        made = jobs(text.format(against))
        return [" ".join(f"{seen.model.label}:{seen.entry.name}" for seen in job.of) for job in made]

    assert pairs("text-1") == ["encoder:text-2 encoder:text-1", "b:text-2 b:text-1"]
    assert pairs("b") == ["encoder:text-1 b:text-1", "encoder:text-2 b:text-2"]
