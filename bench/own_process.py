"""Runs things in processes of their own, whose memory and settings nothing that ran before has touched."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

CONTEXT = multiprocessing.get_context("spawn")


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns that a new process calls. That process may have workers."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_send_result, args=(theirs, function, arguments))
    process.start()
    theirs.close()
    try:
        return receive(ours)
    finally:
        process.join()


def start_worker(serve: Callable[..., None], *arguments: Any, environment: Mapping[str, str]) -> Connection:
    """A connection to a new process that runs `serve(connection, *arguments)`, and ends at the latest with this one."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=serve, args=(theirs, *arguments), daemon=True)
    with _set(environment):
        process.start()
    theirs.close()
    return ours


def receive(connection: Connection) -> Any:
    """The next message of a process. One that fails ends without any, and has printed why."""
    try:
        return connection.recv()
    except EOFError:
        raise RuntimeError("a process ended before its work was done; its error is above") from None


def _send_result(connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    connection.send(function(*arguments))


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    """Settings of a process that starts meanwhile."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
