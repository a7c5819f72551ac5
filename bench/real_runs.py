"""Packed integers as real files have them: how long each is, which lengths follow each other, how long the runs are.

The measured profiles, and the program that draws from them, lie beside the checkout under licences of their own, as
CONTRIBUTING.md says; without them these cases are left out.
"""

import importlib.util
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from cases import CannotRun
from message_samples import lines
from samples import Sample, of_lengths, seeded_random

PROGRAM = Path(__file__).resolve().parents[2] / "shared" / "realdata" / "synth.py"

# What a field holds -> its profile. All sint64 fields of the files whose numbers differ in length.
PROFILES = {
    "geobuf coordinates": "geobuf_geotz:feature_collection.features.geometry.coords",
    "OSM node ids": "osm_helsinki:primitivegroup.dense.id",
    "OSM longitudes": "osm_helsinki:primitivegroup.dense.lon",
    "OSM timestamps": "osm_helsinki:primitivegroup.dense.denseinfo.timestamp",
    "OSM relations": "osm_helsinki:primitivegroup.relations.memids",
    "OSM ways": "osm_columbus:primitivegroup.ways.refs",
}


def real_lines(case: str, field: str, count: int) -> Sample:
    """Runs of a field, one in each message; values are uniform within a length."""
    if not PROGRAM.is_file():
        raise CannotRun(case, "no ../shared/realdata/synth.py beside the repository")
    synth, random = _synth(), seeded_random()
    profile = synth.P[PROFILES[field]]
    runs = synth.runs(profile, count, random)
    return lines(runs, of_lengths(random, synth.lens(profile, runs, random)))


@lru_cache
def _synth() -> ModuleType:
    spec = importlib.util.spec_from_file_location("synth", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
