"""Every public object has a docstring, and the examples in it run as they stand."""

import doctest
import inspect
from collections.abc import Iterator

import pytest
import wirearray as wa


def documented() -> Iterator[tuple[str, object]]:
    """Every public class, function, method and property, by name."""
    yield "wirearray", wa
    for name in wa.__all__:
        found = getattr(wa, name)
        if isinstance(found, str):
            continue
        yield name, found
        if inspect.isclass(found):
            members = (member for member in vars(found) if not member.startswith("_"))
            yield from ((f"{name}.{member}", getattr(found, member)) for member in members)


@pytest.mark.parametrize(("name", "documented"), documented(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_public_name_is_documented_and_its_examples_run(name: str, documented: object) -> None:
    text = inspect.getdoc(documented)
    assert text, f"{name} has no docstring"
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL).run(test).failed
    assert failed == 0
