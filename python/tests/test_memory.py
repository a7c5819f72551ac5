"""How much memory decoding takes, and what it does where there is little: each case in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells peaks of memory")

# Decodes one field of three million numbers; prints by how much memory grew at the most, and how large the result is.
PROGRAM = """
import json, resource, sys
import numpy as np
import wirearray as wa

schema = wa.Schema.from_source('''
syntax = "proto3";
message Numbers {
  repeated double packed = 1; repeated double loose = 2 [packed = false];
  repeated int64 steps = 3; repeated bool flags = 4; repeated int64 loose_steps = 5 [packed = false];
}
''')
numbers = schema["Numbers"]
field, threads, limit, source = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
values = np.arange(3_000_000)
values = {"packed": values * 0.5, "loose": values * 0.5, "flags": values % 3 == 0}.get(field, values)
data = numbers.encode({field: values})
if source == "file":
    numbers.save(sys.argv[5], {field: values})
numbers.decode(numbers.encode({field: values[:1000]}), threads=1)  # Loads what is loaded once.

def status(name):
    line = next(line for line in open("/proc/self/status") if line.startswith(name + ":"))
    return int(line.split()[1]) * 1024

if limit == "limited":
    most = status("VmSize") + values.nbytes + (24 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
record = numbers.load(sys.argv[5], threads=threads) if source == "file" else numbers.decode(data, threads=threads)
growth = status("VmHWM") - before
assert np.array_equal(record[field], values)
print(json.dumps({"growth": growth, "output": values.nbytes, "input": len(data)}))
"""


def run(*arguments: str) -> dict[str, int]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


FIELDS = ("packed", "loose", "steps", "flags", "loose_steps")


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("field", FIELDS)
def test_memory_grows_by_the_result_and_little_more(field: str, threads: str) -> None:
    used = run(field, threads, "unlimited", "buffer")
    assert used["growth"] <= used["output"] + (4 << 20)


@pytest.mark.parametrize("field", ["packed", "steps"])
def test_of_a_mapped_file_only_its_own_pages_come_on_top(field: str, tmp_path: Path) -> None:
    used = run(field, "1", "unlimited", "file", str(tmp_path / "numbers.pb"))
    # They belong to the page cache, and the system may take them back at any time.
    assert used["growth"] <= used["output"] + used["input"] + (4 << 20)


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("field", FIELDS)
def test_where_address_space_is_limited_numbers_are_counted_first(field: str, threads: str) -> None:
    used = run(field, threads, "limited", "buffer")
    assert used["growth"] <= used["output"] + (4 << 20)
