"""Packed integers with each of the engine's backends forced: one process a backend; they keep running and take turns.

An engine chooses its backend once, so one process cannot compare two. Each process times itself.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from multiprocessing.connection import Connection
from pathlib import Path

from wirearray import _core

import samples
from cases import FOUNDING_ELEMENTS, Builder, Case, scaled
from decode_cases import LENGTHS
from decode_ways import assert_columns
from measure import Clock, clock
from own_process import receive, start_worker
from packages import AVX2, AVX512, PLAIN, PORTABLE, wirearray_type
from samples import Sample, bytes_long

BACKENDS = (AVX512, AVX2, PORTABLE, PLAIN)
VARIABLE = "WIREARRAY_BACKEND"


@dataclass
class BackendCase(Case):
    """A case whose ways are processes. Each has compared its result with the sample before it says that it is ready."""

    processes: dict[str, Connection] = field(default_factory=dict)

    def clocks(self) -> Mapping[str, Clock]:
        return {backend: partial(_ask, connection) for backend, connection in self.processes.items()}


def cases(size: str) -> list[Builder]:
    names = ("1 to 2", "1 to 3", "1 to 5", "1 to 8")
    return [partial(_integers, name, scaled(size, FOUNDING_ELEMENTS)) for name in names]


def _integers(lengths: str, count: int, _: Path) -> Case:
    sample = samples.integers(count, bytes_long(*LENGTHS[lengths]))
    case = BackendCase(f"packed int64 of {lengths} bytes", sample, {}, assert_columns)
    for backend in BACKENDS:
        if refusal := _refusal(backend):
            case.missing[backend] = refusal
            continue
        connection = start_worker(_serve, sample, backend, environment={VARIABLE: backend})
        receive(connection)
        case.processes[backend] = connection
    return case


@lru_cache
def _refusal(backend: str) -> str:
    """What the package says where this processor lacks a backend; nothing where it does not."""
    environment = {**os.environ, VARIABLE: backend}
    tried = subprocess.run([sys.executable, "-c", "import wirearray"], env=environment, capture_output=True, text=True)
    return tried.stderr.strip().rpartition("\n")[2]


def _ask(connection: Connection) -> float:
    connection.send(None)
    return receive(connection)


def _serve(connection: Connection, sample: Sample, backend: str) -> None:
    """Says when it is ready; then measures one decode each time it is asked."""
    active = _core._backend()
    assert active == backend, f"the engine uses {active}, not {backend}"
    decode = partial(wirearray_type(sample.message).decode, sample.data, threads=1)

    def decoded() -> tuple[object, ...]:
        return (decode()["values"],)

    assert_columns(sample, decoded())
    connection.send(None)
    with suppress(EOFError):
        while True:
            connection.recv()
            connection.send(clock(decoded))
