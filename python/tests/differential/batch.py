"""A batch: one schema, some hundred messages, made of a number and always the same."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from differential.comparison import Difference, Options, Tally, compare_all
from differential.grammar import grammar_of
from differential.mutations import Place, damaged_bytes, mutated, with_other_values
from differential.subjects import (
    Subject,
    conformance_names,
    conformance_subject,
    random_subject,
    times_and_sets_subject,
)
from differential.tree import Node, join

CASES = 400

# Messages that the others are made from.
_SEEDS = 10

# How many messages in a row look alike, and more than kernels take at a time.
_LONGEST_STRETCH = 40


@dataclass(frozen=True)
class Batch:
    """The messages of one number under one seed."""

    seed: int
    number: int

    def __post_init__(self) -> None:
        assert self.number >= 0

    @cached_property
    def _choose(self) -> random.Random:
        return random.Random(f"{self.seed}/{self.number}")

    @cached_property
    def subject(self) -> Subject:
        """Of eight batches two are of the conformance suite's types, where it is here, and five of random schemas."""
        turn, names = self.number % 8, conformance_names()
        if turn == 2:
            return times_and_sets_subject()
        if turn in (0, 4) and names:
            return conformance_subject(names[self.number // 4 % len(names)])
        return random_subject(self._choose)

    @cached_property
    def options(self) -> Options:
        turn = random.Random(f"options {self.seed}/{self.number}")
        return Options(
            well_known_types=self.subject.has_times and turn.random() < 0.5,
            joined=turn.random() < 0.5,
            copy=turn.choice((True, True, None)),
        )

    @cached_property
    def messages(self) -> list[bytes]:
        return _messages(self._choose, self.subject)


def run(batch: Batch, cases: int = CASES) -> tuple[Tally, list[Difference]]:
    """Reads the first messages of a batch with both sides."""
    return compare_all(batch.subject, batch.options, batch.messages[:cases])


def _messages(choose: random.Random, subject: Subject) -> list[bytes]:
    grammar = grammar_of(subject.theirs.DESCRIPTOR)
    seeds = [grammar.nodes(choose) for _ in range(_SEEDS)]
    messages: list[bytes] = []
    while len(messages) < CASES:
        place = Place(choose, grammar, 0, seeds)
        if choose.random() < 0.05:
            messages += _stretch(place, choose.choice(seeds), choose.randint(2, _LONGEST_STRETCH))
        else:
            messages.append(_message(place, choose.choice(seeds)))
    return messages[:CASES]


def _message(place: Place, nodes: Sequence[Node]) -> bytes:
    """One message after some changes, mostly one; of every other the bytes are damaged besides."""
    choose = place.choose
    for _ in range(choose.choice((0, 1, 1, 1, 1, 2, 2, 3, 5))):
        nodes = mutated(place, nodes)
    data = join(nodes)
    return damaged_bytes(choose, data, join(choose.choice(place.others))) if choose.random() < 0.5 else data


def _stretch(place: Place, nodes: Sequence[Node], count: int) -> list[bytes]:
    """Messages of one shape with other values, a few of them changed or damaged."""
    choose, stretch = place.choose, []
    for _ in range(count):
        like = with_other_values(choose, nodes)
        stretch.append(_message(place, like) if choose.random() < 0.1 else join(like))
    return stretch
