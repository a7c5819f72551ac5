"""A message type with every kind of number, each in every sort of field."""

from both import BothSchemas
from official import DTYPES

NUMBERS = tuple(kind for kind in DTYPES if kind != "enum")
_FIELDS = "\n".join(
    f"repeated {kind} packed_{kind} = {number}; repeated {kind} plain_{kind} = {number + 100} [packed = false];"
    f"{kind} one_{kind} = {number + 200}; optional {kind} maybe_{kind} = {number + 300};"
    for number, kind in enumerate(NUMBERS, 1)
)
NUMBER = BothSchemas(f'syntax = "proto3"; message Number {{ {_FIELDS} }}')["Number"]
