"""How much memory hostile input takes: each of four MiB, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells peaks of memory")

MIB = 1 << 20

# Decodes one input; prints by how much memory grew at the most, and how large the result is.
PROGRAM = """
import json, sys
import wirearray as wa

schema = wa.Schema.from_source('''
syntax = "proto3";
message M {
  repeated int64 packed = 1; repeated bool flags = 2; repeated E empty = 3; repeated string texts = 4;
  map<int32, int32> counts = 5; repeated int64 loose = 6 [packed = false]; E single = 7; repeated M rows = 8;
  repeated bytes blobs = 9;
  oneof o { E first = 10; E second = 11; } map<string, E> names = 12;
  Tree tree = 13; repeated Wide wide = 14;
}
message Wide { %s }
message Tree { Tree left = 1; repeated Tree right = 2; int64 number = 3; string text = 4; }
message E { repeated int64 packed = 1; int64 a = 2; E e = 3; }
''' % ' '.join(f'optional int64 f{n} = {n}; repeated string s{n} = {n + 100};' for n in range(16, 116)))
LEN = 4 << 20

def run(tag, payload):
    size, number = len(payload), bytearray()
    while size >= 128:
        number.append(size & 127 | 128)
        size >>= 7
    return bytes([tag << 3 | 2, *number, size]) + payload

def tree(leaf):
    # Each message holds two: with every few bytes comes one of which no other has the path.
    size, data = LEN, leaf
    while len(data) < size:
        data = run(1, data) + run(2, data) + leaf
    return run(13, data)

def wide(number, wire_type):
    tag = number + 16 << 3 | wire_type
    return bytes([128 | tag & 127, tag >> 7])

def three_bytes(number):
    return bytes([128 | number & 127, 128 | number >> 7 & 127, number >> 14])

INPUTS = {
    "packed": lambda: run(1, b"\\x01" * LEN),
    "flags": lambda: run(2, b"\\x01" * LEN),
    "empty": lambda: b"\\x1a\\x00" * (LEN // 2),
    "texts": lambda: b"\\x22\\x00" * (LEN // 2),
    "blobs": lambda: b"\\x4a\\x00" * (LEN // 2),
    "empty entries": lambda: b"\\x2a\\x00" * (LEN // 2),
    "entries": lambda: b"".join(run(5, b"\\x08" + three_bytes(n)) for n in range(LEN // 6)),
    "entries by name": lambda: b"".join(run(12, run(1, b"%06x" % (n * 7919 % (1 << 24)))) for n in range(LEN // 10)),
    "loose": lambda: b"\\x30\\x01" * (LEN // 2),
    "runs": lambda: b"\\x0a\\x01\\x01" * (LEN // 3),
    "merges": lambda: b"\\x3a\\x02\\x10\\x01" * (LEN // 4),
    "merged runs": lambda: b"\\x3a\\x03\\x0a\\x01\\x01" * (LEN // 5),
    "alternating": lambda: b"\\x52\\x02\\x10\\x01\\x5a\\x02\\x10\\x01" * (LEN // 8),
    "unknown numbers": lambda: b"\\x78\\x01" * (LEN // 2),
    "unknown groups": lambda: b"\\x7b\\x7c" * (LEN // 2),
    "unknown bytes": lambda: b"\\x7a\\x00" * (LEN // 2),
    "tree": lambda: tree(b""),
    "tree of numbers": lambda: tree(b"\\x18\\x01"),
    "tree of texts": lambda: tree(b"\\x22\\x01x"),
    "rows of one number": lambda: b"".join(run(14, wide(n, 0) + b"\\x01") for n in range(100)) * (LEN // 500),
    "rows of one text": lambda: b"".join(run(14, wide(n + 100, 2) + b"\\x00") for n in range(100)) * (LEN // 500),
    "rows of rows": lambda: b"\\x42\\x02\\x42\\x00" * (LEN // 4),
}

name, threads, keep_unknown = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "kept"
data, message = INPUTS[name](), schema["M"]
message.decode(data[:0], threads=1)  # Loads what is loaded once.

def status(name):
    line = next(line for line in open("/proc/self/status") if line.startswith(name + ":"))
    return int(line.split()[1]) * 1024

open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
record = message.decode(data, threads=threads, keep_unknown=keep_unknown)
print(json.dumps({"growth": status("VmHWM") - before, "input": len(data)}))
"""

# The most that the result takes, in bytes for each byte of input: values of eight bytes and one, offsets and gaps of
# eight, and as much as those for rows without a value.
MOST = {
    "packed": 8,
    "flags": 1,
    "empty": 0,
    "texts": 4,
    "blobs": 4,
    "empty entries": 0,
    "entries": 3,
    "entries by name": 6,
    "loose": 4,
    "runs": 2.7,
    "merges": 0,
    "merged runs": 1.6,
    "alternating": 0,
    "unknown numbers": 0,
    "unknown groups": 0,
    "unknown bytes": 0,
    "tree": 1,
    "tree of numbers": 1,
    "tree of texts": 1,
    "rows of one number": 8,
    "rows of one text": 10,
    "rows of rows": 2,
}


def run(*arguments: str) -> dict[str, int]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("name", MOST)
def test_hostile_input_takes_no_more_than_its_result(name: str, threads: str) -> None:
    used = run(name, threads, "dropped")
    assert used["growth"] <= MOST[name] * used["input"] + 4 * MIB


@pytest.mark.parametrize("name", [name for name in MOST if name.startswith("unknown")])
def test_unknown_fields_take_what_they_are(name: str) -> None:
    used = run(name, "1", "kept")
    assert used["growth"] <= used["input"] + 4 * MIB
