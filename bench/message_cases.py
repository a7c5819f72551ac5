"""Decoding messages within a message, many messages, and strings."""

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from cases import Case
from columns import Array
from decode_ways import decode_case
from packages import peer_ways, ptars_lists, ptars_rows, ptars_structs, wirearray_type
from samples import Sample
from schema import message_class


def bundle(name: str, sample: Sample) -> Case:
    official, data = message_class(sample.message), sample.data

    def columns(record: Any) -> tuple[Array, ...]:
        series = record["series"]
        return series["times"].values, series["values"].values

    def parsed() -> tuple[list[Array], ...]:
        series = official.FromString(data).series
        return [np.asarray(one.times) for one in series], [np.asarray(one.values) for one in series]

    peers = peer_ways(
        official=parsed,
        official_parse=lambda: (official.FromString(data),),
        ptars=lambda: ptars_structs(sample.message, data),
    )
    decode = partial(wirearray_type(sample.message).decode, data)
    return decode_case(name, sample, decode, columns, peers, ("series.times", "series.values"))


def lines(name: str, sample: Sample) -> Case:
    """One packed run in each of many messages."""
    official, data = message_class("Lines"), sample.data

    def columns(record: Any) -> tuple[Array, ...]:
        coordinates = record["lines"]["coordinates"]
        return coordinates.values, coordinates.offsets

    peers = peer_ways(
        official=lambda: ([np.asarray(line.coordinates) for line in official.FromString(data).lines],),
        official_parse=lambda: (official.FromString(data),),
        ptars=lambda: ptars_structs("Lines", data),
    )
    decode = partial(wirearray_type("Lines").decode, data)
    return decode_case(name, sample, decode, columns, peers, ("lines.coordinates",))


def points(name: str, sample: Sample) -> Case:
    official, data = message_class("Points"), sample.data

    def parsed() -> tuple[Array, ...]:
        points = official.FromString(data).points
        return np.array([point.x for point in points]), np.array([point.y for point in points])

    peers = peer_ways(
        official=parsed,
        official_parse=lambda: (official.FromString(data),),
        ptars=lambda: ptars_structs("Points", data),
    )
    decode = partial(wirearray_type("Points").decode, data)
    return decode_case(name, sample, decode, lambda record: record["points"]["x", "y"], peers, ("points.x", "points.y"))


# ---------------------------------------------------------------------------------------------------------------------
# Many messages behind each other


def readings(name: str, sample: Sample) -> Case:
    def columns(table: Any) -> tuple[Array, ...]:
        samples = table["samples"]
        return (*table["sensor", "state", "time"], samples.values, samples.offsets)

    def parsed() -> tuple[Any, ...]:
        messages = _official_messages(sample)
        return (
            np.array([message.sensor for message in messages]),
            np.array([message.state for message in messages], np.uint32),
            np.array([message.time for message in messages]),
            [np.asarray(message.samples) for message in messages],
        )

    return _many_messages(name, sample, columns, parsed, ("sensor", "state", "time", "samples"))


def rows(name: str, sample: Sample) -> Case:
    def parsed() -> tuple[Any, ...]:
        messages = _official_messages(sample)
        return (
            np.array([message.id for message in messages]),
            np.array([message.price for message in messages]),
            np.array([message.count for message in messages], np.int32),
            [message.name for message in messages],
        )

    return _many_messages(name, sample, lambda table: table["id", "price", "count", "name"], parsed)


def _many_messages(name: str, sample: Sample, columns: Any, parsed: Any, paths: tuple[str, ...] = ()) -> Case:
    assert sample.offsets is not None
    peers = peer_ways(
        official=parsed,
        official_parse=lambda: tuple(_official_messages(sample)),
        ptars=ptars_rows(sample.message, sample.data, sample.offsets),
    )
    decode = partial(wirearray_type(sample.message).decode_many, sample.data, offsets=sample.offsets)
    return decode_case(name, sample, decode, columns, peers, paths)


def _official_messages(sample: Sample) -> list[Any]:
    official, data = message_class(sample.message), sample.data
    return [official.FromString(data[start:end]) for start, end in pairwise(sample.offsets.tolist())]


# ---------------------------------------------------------------------------------------------------------------------
# Strings


def names(name: str, sample: Sample) -> Case:
    official, data = message_class("Names"), sample.data
    peers = peer_ways(
        official=lambda: (list(official.FromString(data).names),),
        official_parse=lambda: (official.FromString(data),),
        ptars=lambda: ptars_lists("Names", data),
    )
    decode = partial(wirearray_type("Names").decode, data)
    return decode_case(name, sample, decode, lambda record: (record["names"],), peers)
