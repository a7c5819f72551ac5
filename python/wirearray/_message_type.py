"""The shortcut from whatever a user holds to a message type."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from wirearray._core import MessageType, Schema, mcap_topics


def message_type(source: Any, name: str | None = None) -> MessageType:
    """Return the message type that `source` defines.

    Parameters
    ----------
    source : path, generated class, Schema or MessageType
        A ``.proto`` file, an ``.mcap`` file, another file, which holds a ``FileDescriptorSet``, a class (or message) of
        the official ``protobuf`` package, a schema, or a message type.
    name : str, optional
        The message's full name. May be left out for a generated class, and where the source defines one message.

    Returns
    -------
    MessageType

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    SchemaError
        If the file is not a schema.
    KeyError
        If the schema has no message of that name.
    ValueError
        If the name is left out and the source defines several messages, or none.
    TypeError
        If `source` is none of these.

    Examples
    --------
    >>> import wirearray as wa
    >>> schema = wa.Schema.from_source('syntax = "proto3"; message Point { double x = 1; double y = 2; }')
    >>> wa.message_type(schema).name
    'Point'
    """
    if isinstance(source, MessageType):
        return source if name is None else source.schema[name]
    if not isinstance(source, Schema | str | os.PathLike):
        descriptor = getattr(source, "DESCRIPTOR", source)
        full_name = getattr(descriptor, "full_name", None)
        if full_name is None:
            message = f"source: expected a path, a generated class or a Schema, got {type(source).__name__}"
            raise TypeError(message)
        return Schema.from_message(source)[full_name if name is None else name]
    if isinstance(source, Schema):
        return source[_only_root(source) if name is None else name]
    path = Path(source)
    if path.suffix == ".mcap":
        return _type_of_mcap(path, name)
    schema = _schema_of_file(path)
    if not schema.roots:
        raise ValueError(f"source: {path} defines no message; is it a .proto file or a FileDescriptorSet?")
    return schema[_only_root(schema) if name is None else name]


def _type_of_mcap(path: Path, name: str | None) -> MessageType:
    topics = mcap_topics(path)
    if name is None:
        name = _only_type(path, topics)
    # Schemas of other topics need not go together with its own.
    topics_of_type = [topic for topic, type in topics if type == name]
    return Schema.from_mcap(path, topic=topics_of_type or None)[name]


def _schema_of_file(path: Path) -> Schema:
    if path.suffix == ".proto":
        return Schema.from_files(path)
    return Schema.from_descriptor_set(path.read_bytes())


def _only_type(path: Path, topics: list[tuple[str, str]]) -> str:
    types = {type for _, type in topics}
    if len(types) == 1:
        return types.pop()
    found = ", ".join(f"{type} on {topic}" for topic, type in topics) if topics else "none"
    raise ValueError(f"name: say which message is meant; {path} has {found}")


def _only_root(schema: Schema) -> str:
    roots = schema.roots
    if len(roots) == 1:
        return roots[0]
    found = ", ".join(roots) if roots else "none"
    raise ValueError(f"name: say which message is meant; the source defines {found}")
