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
            members = sorted(member for member in vars(found) if not member.startswith("_"))
            yield from ((f"{name}.{member}", getattr(found, member)) for member in members)


@pytest.mark.parametrize(("name", "shown"), [pytest.param(*each, id=each[0]) for each in documented()])
def test_a_public_name_is_documented_and_its_examples_run(name: str, shown: object) -> None:
    text = inspect.getdoc(shown)
    assert text, f"{name} has no docstring"
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    options = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    assert doctest.DocTestRunner(optionflags=options).run(test).failed == 0
