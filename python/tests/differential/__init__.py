"""Differential testing: hostile messages by the million, read by wirearray and by the official package.

    make differential CASES=1000000

A batch is a number. It gives a schema and some hundred messages of it: legal ones, nearly legal ones and damaged ones,
the same each time. Both packages read them; the verdicts must be the same, and so must the messages once each side has
written what it read. The official package is the authority but for the rules of `rules`, which say what the
specification has instead, and rewrite the bytes until both must agree again. What differs is made small and shown with
the command that runs it again.
"""
