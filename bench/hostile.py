"""What the worst legal inputs cost, by the byte, beside the official package; and what twice as much of each costs.

    python bench/hostile.py --mebibytes 4

Parsing is all that the official package is timed for. Before anything is timed, results are compared on less of the
same; dropping them is not counted. No time makes this fail.
"""

import argparse
from functools import partial

import wirearray as wa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

import host
from hostile_inputs import INPUTS, Hostile
from measure import clock, interleave
from own_process import call

MEBIBYTE = 1 << 20
UNLIMITED = 1 << 60
# Of so many bytes the results are compared, value by value.
COMPARED = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=float, default=4, help="the length of each input; twice that is timed too")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{host.describe()['cpu']}, {options.mebibytes} MiB, best of {options.repeats}, ns for each byte\n")
    print("| input | wirearray | official | twice as much |\n|---|--:|--:|--:|")
    for number in range(len(INPUTS)):
        print(call(line, number, int(options.mebibytes * MEBIBYTE), options.repeats), flush=True)


def line(number: int, length: int, repeats: int) -> str:
    """One line of the table, in a process of its own."""
    hostile = INPUTS[number]
    ours, official = wa.Schema.from_source(hostile.proto)["M"], official_class(hostile)
    compare(ours, official, hostile.make(COMPARED))
    data, more = hostile.make(length), hostile.make(2 * length)
    clocks = {
        "ours": partial(clock, lambda: ours.decode(data, threads=1, max_bytes=UNLIMITED)),
        "more": partial(clock, lambda: ours.decode(more, threads=1, max_bytes=UNLIMITED)),
        "official": partial(clock, lambda: official.FromString(data)),
    }
    best = {way: timing.best for way, timing in interleave(clocks, repeats, most_seconds=10.0).items()}
    of_byte = {way: best[way] / len(data) * 1e9 for way in ("ours", "official")}
    # Trees come in powers of two, so what is twice as much is said by the bytes.
    growth = best["more"] / best["ours"] * 2 * len(data) / len(more)
    return f"| {hostile.name} | {of_byte['ours']:.1f} | {of_byte['official']:.1f} | {growth:.2f} |"


def official_class(hostile: Hostile) -> type[Message]:
    schema = wa.Schema.from_source(hostile.proto)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(schema.to_descriptor_set()).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("M"))


def compare(ours: wa.MessageType, official: type[Message], data: bytes) -> None:
    """Both write the same message: what was undone is gone, what was merged is whole; unknown fields are not kept."""
    expected = official.FromString(data)
    expected.DiscardUnknownFields()
    assert official.FromString(ours.encode(ours.decode(data))) == expected


if __name__ == "__main__":
    main()
