"""Sentences: a frame filled with words that go together, agree, and refer to one another.

Whom a pronoun stands for follows one rule. A possessive or reflexive stands for the subject of its own
clause, any other pronoun for the subject of the clause before; only after "because", and only if what is said
fits the object before and not the subject, does it stand for that object. It always is the only noun so far
of its gender and number or, failing that, the only one of them that the adjective fits.
"""

from attnviz.builtin.language.fits import (
    Options,
    adjectives,
    animate,
    describes,
    nouns,
    reasons,
    surroundings,
    tools_of,
    verbs,
)
from attnviz.builtin.language.frames import Clause, Frame
from attnviz.builtin.language.lexicon import Adjective, Verb
from attnviz.builtin.language.phrases import Mention, StuckError, Teller, alike

_DECIDED_BY = Options([("gender and number", 3.0), ("sense", 1.0)])  # whom "because it was tired" is about


def write_sentence(teller: Teller, frame: Frame, before: Mention | None, *, again: bool = False) -> Mention:
    """Fill a frame at the end of the story; returns what its first clause is about.

    before: what the sentence before was about, for the pronouns of this one
    again:  this sentence is about the same, by name or noun
    Raises StuckError if the words chosen on the way leave no way on.
    """
    first = frame.clauses[0]
    sharing = [clause for clause in frame.clauses if clause is first or clause.shared]
    uses = tuple(_use(clause) for clause in sharing)
    decided = _decides(frame) and teller.dice.pick(_DECIDED_BY) == "sense"
    if before and (again or first.subject.kind == "pron"):
        subject = before
    else:
        subject = teller.fresh_subject(first.subject, uses, meant=frame.refers and not decided)
    if frame.needs_animate and not animate(subject.noun):
        raise StuckError
    if decided:
        teller.guarded.clear()
    elif frame.refers:
        teller.guarded.append(subject)
    planned = [teller.choose_verb(subject, use) for use in uses]
    thing = _write_first(teller, frame, subject, planned, before)
    if len(frame.clauses) == 2:
        _write_second(teller, frame, subject, planned, thing)
    teller.draft.punctuate(".")
    teller.draft.frames.append(frame.text)
    return subject


def _use(clause: Clause) -> str:
    """What its verb must be able to do, as ``fits.verbs`` understands it."""
    verb, _, at = clause.predicate
    if verb.startswith("cop"):
        return "be"
    use = {"v.intr": "intransitive", "v.trans": "transitive", "v.refl": "reflexive"}[verb]
    return use + ("+at" if at else "") + ("+cause" if clause.link == "because" else "")


def _decides(frame: Frame) -> bool:
    """Whether an adjective said of a pronoun can tell whom that stands for."""
    last = frame.clauses[-1]
    return last.subject.kind == "pron" and last.predicate.verb == "cop.adj" and bool(last.link)


def _write_first(
    teller: Teller, frame: Frame, subject: Mention, planned: list[Verb], before: Mention | None
) -> Mention | None:
    clause = frame.clauses[0]
    if clause.link:
        teller.draft.add(clause.link, clause.link, "conjunction")
    if clause.subject.kind == "pron":
        said_by = teller.refer(subject, "pronoun")
    else:
        teller.write(subject, clause.subject)
        said_by = subject.word
    adjective = None
    if clause.predicate.verb == "cop.adj":
        adjective = (
            _quality(teller, subject, planned[1]) if len(planned) > 1 else _any_quality(teller, subject)
        )
    return _write_predicate(teller, clause, subject, planned[0], said_by, adjective=adjective, other=before)


def _write_second(
    teller: Teller, frame: Frame, subject: Mention, planned: list[Verb], thing: Mention | None
) -> None:
    clause = frame.clauses[1]
    if frame.fronted or clause.link == "so":
        teller.draft.punctuate(",")
    if clause.link:
        teller.draft.add(clause.link, clause.link, "conjunction")
    if not clause.shared:
        other = teller.fresh_subject(clause.subject, (_use(clause),), meant=False)
        teller.write(other, clause.subject)
        verb = teller.choose_verb(other, _use(clause))
        _write_predicate(teller, clause, other, verb, other.word, other=subject)
    elif clause.predicate.verb == "cop.adj":
        _write_why(teller, clause, subject, planned, thing)
    else:
        left_out = clause.subject.kind == ""
        said_by = subject.word if left_out else teller.refer(subject, "pronoun")
        _write_predicate(teller, clause, subject, planned[1], said_by)


def _write_why(
    teller: Teller, clause: Clause, subject: Mention, planned: list[Verb], thing: Mention | None
) -> None:
    """Write "(because) it was tired", of the subject or, if only that makes sense, of the object."""
    explains = planned[0] if clause.link == "because" else None
    meant = subject
    if thing and clause.link == "because" and teller.dice.chance(0.35):
        adjective = _only_of(teller, thing, subject, planned[0])
        meant = thing if adjective else subject
    if meant is subject:
        adjective = _quality(teller, subject, explains)
    assert adjective
    rivals = [other for other in teller.mentions if other.noun is not meant.noun and alike(other, meant)]
    if meant.refers == "person" or any(describes(adjective, rival.noun) for rival in rivals):
        raise StuckError
    said_by = teller.refer(meant, "pronoun", decided=True)
    verb = teller.choose_verb(meant, "be")
    _write_predicate(teller, clause, meant, verb, said_by, adjective=adjective)


def _only_of(teller: Teller, thing: Mention, subject: Mention, verb: Verb) -> Adjective | None:
    """An adjective that explains the verb by its object, and cannot be said of its subject."""
    if not verbs(thing.noun, "be", teller.topic, teller.split):
        return None
    options = reasons(verb, thing.noun)
    adjective = teller.dice.pick(options) if options else None
    return None if adjective is None or describes(adjective, subject.noun) else adjective


def _quality(teller: Teller, subject: Mention, explains: Verb | None) -> Adjective:
    """What state a subject is in. explains: a verb that it should give a reason for."""
    options: Options[Adjective] = reasons(explains, subject.noun) if explains else Options(())
    if not options or teller.dice.chance(0.2):
        options = adjectives(subject.noun, "reason")
    return _one_of(teller, options)


def _any_quality(teller: Teller, subject: Mention) -> Adjective:
    return _one_of(teller, adjectives(subject.noun, "predicative"))


def _one_of(teller: Teller, options: Options[Adjective]) -> Adjective:
    if not options:
        raise StuckError
    return teller.dice.pick(options)


def _write_predicate(
    teller: Teller,
    clause: Clause,
    subject: Mention,
    verb: Verb,
    said_by: int,
    *,
    adjective: Adjective | None = None,
    other: Mention | None = None,
) -> Mention | None:
    """Write what is said of a subject; returns the object if it is a noun.

    said_by:   the word that is the subject here: the noun or its pronoun
    adjective: for "cop.adj"
    other:     whom an object pronoun stands for
    """
    draft = teller.draft
    said = teller.conjugate(verb, subject, said_by)
    kind, target, at = clause.predicate
    thing = None
    if adjective:
        word = draft.add(adjective.lemma, adjective.lemma, "adjective")
        if said_by == subject.word:
            draft.link("adjective-noun", word, said_by)
    elif kind == "cop.pp":
        teller.write_place(teller.fresh(surroundings(subject.noun, teller.topic)), being=True)
    elif kind == "v.refl":
        teller.refer(subject, "reflexive")
    elif target and target.kind == "pron":
        if other is None or other is subject or other.noun not in nouns(verb.objects, teller.topic):
            raise StuckError
        draft.link("verb-object", said, teller.refer(other, "object pronoun"))
    elif target:
        thing = teller.write_object(verb, said, target, subject if target.kind == "poss" else None)
    if at:
        _write_circumstance(teller, verb, subject)
    return thing


def _write_circumstance(teller: Teller, verb: Verb, subject: Mention) -> None:
    """Write where it is done, or what with."""
    places, tools = nouns(verb.places, teller.topic), tools_of(verb, subject.noun, teller.topic)
    if tools and (not places or teller.dice.chance(0.5)):
        teller.write_place(teller.fresh(tools, singular=0.85), tool=True)
    else:
        place = teller.fresh(places, singular=0.85)
        teller.write_place(place, moving=verb.moving and place.noun.kind != "time")
