"""The schema of the official conformance suite, for wirearray and for the official package."""

from functools import lru_cache

import wirearray as wa
from google.protobuf.message import Message

import official


class ConformanceSchema:
    """The messages of the suite, as both packages have them."""

    def __init__(self, descriptor_set: bytes) -> None:
        self.schema = wa.Schema.from_descriptor_set(descriptor_set)
        self._pool = official.pool_of(descriptor_set)

    @lru_cache  # noqa: B019  (there is one suite)
    def message_class(self, name: str) -> type[Message]:
        return official.message_class(self._pool, name)
