"""Strings and bytes as fields take them, enums by name, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from both import BothSchemas

SCHEMA = BothSchemas("""
syntax = "proto3";
enum Side { NONE = 0; BUY = 1; SELL = 2; LAST = -1; }
message Text {
  string word = 1; optional string maybe_word = 2; repeated string words = 3;
  bytes raw = 4; optional bytes maybe_raw = 5; repeated bytes raws = 6;
  map<string, bytes> dictionary = 7;
  Side side = 8; optional Side maybe_side = 9;
  repeated Side sides = 10; repeated Side plain_sides = 11 [packed = false];
}
""")
TEXT = SCHEMA["Text"]
LOOSE = BothSchemas("""
syntax = "proto2";
enum Grade { option allow_alias = true; NO = 0; A = 1; B = 5; ALSO_B = 5; }
message Loose {
  optional string word = 1 [default = "none"]; repeated string words = 2; map<string, string> dictionary = 3;
  optional Grade grade = 4 [default = B]; repeated Grade grades = 5; map<int32, Grade> graded = 6;
}
""")["Loose"]
ENCODE, ENCODE_MANY = TEXT.ours.encode, TEXT.ours.encode_many

WORDS = ["plain", "", "na\u00efve", "\U0001f600" * 3, "nul \0 inside", "ends in nul\0", "\uffff", "x" * 300]
RAWS = [b"plain", b"", b"\xff\xfe", b"nul \0 inside", b"ends in nul\0", bytes(range(256))]
StringDType = np.dtypes.StringDType


def _strings(field: str, values: list[Any]) -> Any:
    """A column of strings, as decoding makes it."""
    return TEXT.ours.decode(TEXT.written(**{field: values}))[field]


# The last of a pair says whether NumPy keeps NULs at the end of a string in such an array.
WORD_FORMS: dict[str, tuple[Callable[[list[str]], Any], bool]] = {
    "list": (lambda words: words, True),
    "tuple": (tuple, True),
    "list of bytes": (lambda words: [word.encode() for word in words], True),
    "list of NumPy strings": (lambda words: [np.str_(word) for word in words], True),
    "Strings": (lambda words: _strings("words", words), True),
    "Strings of bytes": (lambda words: _strings("raws", [word.encode() for word in words]), True),
    "slice of Strings": (lambda words: _strings("words", ["before", *words, "after"])[1:-1], True),
    "chosen Strings": (lambda words: _strings("words", words[::-1])[::-1], True),
    "StringDType": (lambda words: np.array(words, StringDType()), True),
    "strided StringDType": (lambda words: np.array(words, StringDType()).repeat(2)[::2], True),
    "objects": (lambda words: np.array(words, object), True),
    "U": (lambda words: np.array(words, "U400"), False),
    "byte-swapped U": (lambda words: np.array(words, ">U400"), False),
    "S": (lambda words: np.array([word.encode() for word in words], "S400"), False),
}


@pytest.mark.parametrize("form", WORD_FORMS)
def test_every_form_of_strings_is_taken(form: str) -> None:
    make, keeps_nuls = WORD_FORMS[form]
    words = WORDS if keeps_nuls else [word for word in WORDS if not word.endswith("\0")]
    for count in (len(words), 1, 0):
        expected = [TEXT.written(word=word) for word in words[:count]]
        assert ENCODE({"words": make(words[:count])}) == TEXT.written(words=words[:count])
        assert ENCODE_MANY({"word": make(words[:count])}).to_list() == expected
        expected = [TEXT.written(maybe_word=word) for word in words[:count]]
        assert ENCODE_MANY({"maybe_word": make(words[:count])}).to_list() == expected


RAW_FORMS: dict[str, tuple[Callable[[list[bytes]], Any], bool]] = {
    "list": (lambda raws: raws, True),
    "tuple": (tuple, True),
    "bytearrays": (lambda raws: [bytearray(raw) for raw in raws], True),
    "memoryviews": (lambda raws: [memoryview(raw) for raw in raws], True),
    "NumPy bytes": (lambda raws: [np.bytes_(raw) if raw[-1:] != b"\0" else raw for raw in raws], True),
    "Strings": (lambda raws: _strings("raws", raws), True),
    "slice of Strings": (lambda raws: _strings("raws", [b"before", *raws, b"after"])[1:-1], True),
    "objects": (lambda raws: np.array(raws, object), True),
    "S": (lambda raws: np.array(raws, "S400"), False),
    "result of encode_many": (
        lambda raws: ENCODE_MANY({"raw": raws})[[*range(len(raws))]] if raws else ENCODE_MANY([]),
        True,
    ),
}


@pytest.mark.parametrize("form", RAW_FORMS)
def test_every_form_of_bytes_is_taken(form: str) -> None:
    make, keeps_nuls = RAW_FORMS[form]
    raws = RAWS if keeps_nuls else [raw for raw in RAWS if not raw.endswith(b"\0")]
    for count in (len(raws), 1, 0):
        given = make(raws[:count])
        raws_written = given.to_list() if form == "result of encode_many" else raws[:count]
        assert ENCODE({"raws": given}) == TEXT.written(raws=raws_written)
        assert ENCODE_MANY({"raw": make(raws[:count])}).to_list() == [TEXT.written(raw=raw) for raw in raws_written]


@pytest.mark.parametrize("value", ["text", b"text", bytearray(b"text"), memoryview(b"text"), np.str_("text")], ids=type)
def test_a_single_string_may_be_given_as_bytes(value: Any) -> None:
    assert ENCODE({"word": value}) == TEXT.written(word="text")


class NAType:
    """Named as pandas names the class of its missing value."""


MISSING_FORMS: dict[str, Callable[[], Any]] = {
    "None": lambda: ["a", None, "c"],
    "objects": lambda: np.array(["a", None, "c"], object),
    "mask": lambda: np.ma.masked_array(["a", "b", "c"], [False, True, False]),
    "masked": lambda: ["a", np.ma.masked, "c"],
    "NA of pandas": lambda: ["a", NAType(), "c"],
    "objects with the NaN of pandas": lambda: np.array(["a", np.nan, "c"], object),
    "StringDType with None": lambda: np.array(["a", None, "c"], StringDType(na_object=None)),
    "StringDType with NaN": lambda: np.array(["a", np.nan, "c"], StringDType(na_object=np.nan)),
}


@pytest.mark.parametrize("form", MISSING_FORMS)
def test_missing_strings_are_absent(form: str) -> None:
    expected = [TEXT.written(maybe_word="a"), b"", TEXT.written(maybe_word="c")]
    assert ENCODE_MANY({"maybe_word": MISSING_FORMS[form]()}).to_list() == expected
    with pytest.raises(ValueError, match=r"words\[1\]: None is no value of a repeated field; leave it out"):
        ENCODE({"words": MISSING_FORMS[form]()})


def test_the_strings_of_many_messages_are_taken_in_every_form() -> None:
    rows = [["a", "b\0"], [], ["\u00e9"], ["d"]]
    flat = [word for row in rows for word in row]
    offsets = [0, 2, 2, 3, 4]
    expected = [TEXT.written(words=row) for row in rows]
    ragged = TEXT.ours.decode_many(expected)["words"]
    forms = (
        *(rows, [tuple(row) for row in rows], [row or None for row in rows], ragged, ragged[::-1][::-1]),
        *((flat, offsets), (np.array(flat, StringDType()), offsets), (_strings("words", flat), np.array(offsets))),
        ([*"xyz", *flat], np.array(offsets) + 3),
        [_strings("words", row) for row in rows],
        [np.array(row, object) for row in rows],
    )
    for form in forms:
        assert ENCODE_MANY({"words": form}).to_list() == expected
    square = np.array([["a", "b"], ["c", "d"]])
    assert ENCODE_MANY({"words": square}).to_list() == [TEXT.written(words=row) for row in square.tolist()]


# ---------------------------------------------------------------------------------------------------------------------
# UTF-8

NOT_UTF8 = [b"\xff", b"ab\xc0\x80", b"\xed\xa0\x80", b"x" * 33 + b"\xf5", b"\xf0\x9f\x98", "\u00e9".encode()[1:]]


@pytest.mark.parametrize("wrong", NOT_UTF8, ids=repr)
def test_what_is_not_utf8_is_refused_with_its_place(wrong: bytes) -> None:
    problem = "the string is not valid UTF-8; declare the field as bytes to write it as it is"
    refused: dict[str, Callable[[], Any]] = {
        "word": lambda: ENCODE({"word": wrong}),
        "words[2]": lambda: ENCODE({"words": ["a", "\u00e9", wrong]}),
        "row 1, word": lambda: ENCODE_MANY({"word": ["a", wrong]}),
        "row 2, words[1]": lambda: ENCODE_MANY({"words": [["a"], [], ["a", wrong]]}),
        "dictionary[1].key": lambda: ENCODE({"dictionary": {"a": b"", wrong: b""}}),
    }
    for place, encode in refused.items():
        with pytest.raises(ValueError) as refusal:
            encode()
        assert str(refusal.value) == f"{place}: {problem}"
    assert ENCODE({"raw": wrong}) == TEXT.written(raw=wrong)


def test_a_character_that_is_cut_in_two_is_refused() -> None:
    """The two halves together would be UTF-8."""
    first, second = "\u00e9".encode()[:1], "\u00e9".encode()[1:]
    with pytest.raises(ValueError, match=r"^words\[0\]: the string is not valid UTF-8"):
        ENCODE({"words": [first, second]})
    with pytest.raises(ValueError, match=r"^row 0, word: the string is not valid UTF-8"):
        ENCODE_MANY({"word": [first, second]})


def test_a_proto2_string_may_be_any_bytes() -> None:
    """As the official parser reads them; what decoding shows as lone surrogates goes back as it came."""
    for wrong in NOT_UTF8:
        data = b"\x0a" + bytes([len(wrong)]) + wrong
        assert LOOSE.ours.encode({"word": wrong}) == data
        assert LOOSE.ours.encode(LOOSE.ours.decode(data)) == data
        assert LOOSE.ours.encode({"word": LOOSE.ours.decode(data)["word"]}) == data
        assert LOOSE.read(data) is not None
    with pytest.raises(ValueError, match=r"^word: '\\ud800' has a lone surrogate, which UTF-8 cannot hold"):
        LOOSE.ours.encode({"word": "\ud800"})


def test_a_lone_surrogate_is_refused_where_text_has_to_be_utf8() -> None:
    for given, place in ({"word": "\udc80"}, "word"), ({"words": ["a", "\udc80"]}, r"words\[1\]"):
        with pytest.raises(ValueError, match=f"^{place}: '.udc80' has a lone surrogate, which UTF-8 cannot hold"):
            ENCODE(given)


# ---------------------------------------------------------------------------------------------------------------------
# Enums


@pytest.mark.parametrize(
    "given",
    [
        ["BUY", "NONE", "LAST", "SELL"],
        ("BUY", 0, np.int8(-1), 2),
        np.array(["BUY", "NONE", "LAST", "SELL"]),
        np.array(["BUY", "NONE", "LAST", "SELL"], StringDType()),
        np.array(["BUY", 0, -1, "SELL"], object),
        np.array([1, 0, -1, 2], np.int8),
        np.array([1, 0, -1, 2], float),
        np.array([1, 0, -1, 2], np.int32),
    ],
    ids=lambda given: getattr(given, "dtype", type(given)),
)
def test_enums_are_given_by_name_and_by_number(given: Any) -> None:
    numbers = [1, 0, -1, 2]
    assert ENCODE({"sides": given, "plain_sides": given}) == TEXT.written(sides=numbers, plain_sides=numbers)
    assert ENCODE_MANY({"side": given}).to_list() == [TEXT.written(side=number) for number in numbers]
    assert ENCODE_MANY({"maybe_side": given}).to_list() == [TEXT.written(maybe_side=number) for number in numbers]
    assert [ENCODE({"side": value}) for value in given] == [TEXT.written(side=number) for number in numbers]


def test_an_open_enum_has_every_number() -> None:
    assert ENCODE({"side": 77, "sides": [2**31 - 1, -(2**31)]}) == TEXT.written(side=77, sides=[2**31 - 1, -(2**31)])
    with pytest.raises(ValueError, match=r"^side = 2147483648 does not fit enum"):
        ENCODE({"side": 2**31})


def test_a_closed_enum_has_its_own_numbers_alone() -> None:
    encode = LOOSE.ours.encode
    assert encode({"grade": "ALSO_B", "grades": [1, "B"]}) == LOOSE.written(grade=5, grades=[1, 5])
    assert LOOSE.read(encode({"graded": {1: "A", 2: 5}})) == LOOSE.theirs(graded={1: 1, 2: 5})
    refused = [
        (
            {"grade": 3},
            "grade: 3 is no number of the enum, which is closed: readers would take it for an unknown field",
        ),
        ({"grades": [1, 3]}, "grades[1]: 3 is no number of the enum"),
        ({"grades": np.array([1, 5, 3, 4], np.int32)}, "grades[2]: 3 is no number of the enum"),
        ({"graded": {1: "A", 2: 3}}, "graded[1].value: 3 is no number of the enum"),
        ({"grade": "C"}, "grade = 'C' is no name of the enum; it has NO, A, B, ALSO_B"),
        ({"grades": ["A", "C"]}, "grades[1] = 'C' is no name of the enum"),
    ]
    for given, text in refused:
        with pytest.raises(ValueError) as refusal:
            encode(given)
        assert str(refusal.value).startswith(text)
    assert LOOSE.ours.encode_many({"grade": np.ma.masked_array([1, 99], [False, True])}).to_list() == [
        LOOSE.written(grade=1),
        b"",
    ]


# ---------------------------------------------------------------------------------------------------------------------
# Refusals

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a number for text": ({"word": 5}, "word: expected str, got int"),
    "a number among text, in a list": ({"words": ["a", 5]}, "words[1]: expected str, got int"),
    "a number among text, in a tuple": ({"words": ("a", 5)}, "words[1]: expected str, got int"),
    "a number among text, in an array": ({"words": np.array(["a", 5], object)}, "words[1]: expected str, got int"),
    "numbers for text": ({"words": np.arange(3)}, "words[0]: expected str, got int"),
    "text for bytes": ({"raw": "text"}, "raw: expected bytes, got str"),
    "text among bytes": ({"raws": [b"a", "b"]}, "raws[1]: expected bytes, got str"),
    "a number among bytes, in a tuple": ({"raws": (b"a", 5)}, "raws[1]: expected bytes, got int"),
    "one string for many": ({"words": "text"}, "words: expected an array or list of str, got str"),
    "one bytes object for many": ({"raws": b"text"}, "raws: expected an array or list of bytes, got bytes"),
    "a list for one": ({"word": ["a"]}, "word: expected str, got list"),
    "an array of strided bytes": (
        {"raw": np.arange(6, dtype=np.uint8)[::2]},
        "raw: expected bytes, got ndarray of uint8",
    ),
    "two dimensions": (
        {"words": np.array([["a"], ["b"]])},
        "words: expected a flat array of strings, got an array of shape (2, 1)",
    ),
    "a memoryview with gaps": (
        {"raw": memoryview(b"abcd")[::2]},
        "raw: the buffer is not contiguous; pass a copy of it",
    ),
    "a number as a key": ({"dictionary": {"a": b"", 5: b""}}, "dictionary[1].key: expected str, got int"),
    "None as a value": ({"dictionary": {"a": None}}, "dictionary[0].value: None is no value of a map"),
    "no name of the enum": ({"side": "HOLD"}, "side = 'HOLD' is no name of the enum; it has NONE, BUY, SELL, LAST"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_string_is_refused_with_its_place(what: str) -> None:
    given, text = REFUSED[what]
    with pytest.raises((TypeError, ValueError)) as refusal:
        ENCODE(given)
    assert str(refusal.value) == text


def test_the_row_of_a_wrong_string_is_told() -> None:
    for given in (["a", 5], np.array(["a", 5], object)):
        with pytest.raises(TypeError, match=r"^word\[1\]: expected str, got int"):
            ENCODE_MANY({"word": given})
    with pytest.raises(TypeError, match=r"^word\[2\]: expected str, got int"):
        ENCODE_MANY([{"word": "a"}, {}, {"word": 5}])


def test_a_table_of_strings_shows_what_was_given() -> None:
    table = wa.Table.of(TEXT.ours, word=WORDS, raw=[word.encode() for word in WORDS])
    assert table["word"].to_list() == WORDS
    assert table["raw"].to_list() == [word.encode() for word in WORDS]
    assert LOOSE.ours.decode(b"")["word"] == "none"
    assert wa.Table.of(LOOSE.ours, word=["a", None])["word"].to_list() == ["a", "none"]
    assert LOOSE.ours.encode_many({"word": ["a", None]}).to_list() == [LOOSE.written(word="a"), b""]
