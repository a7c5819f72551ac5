"""Views of what the schema says: schemas, message types, fields."""

from __future__ import annotations

from wirearray._core import Field, MessageType, Schema
from wirearray._html.cells import escaped, full_type_text, joined, short_name, text_of
from wirearray._html.columns import count_of
from wirearray._html.style import dim, folded, table_of, titled, type_name

_FIELDS = 200
_MESSAGE_TYPES = 200
# So many message types have their fields at a click; what they have in all is bounded by it.
_WITH_FIELDS = 30
_ENUM_VALUES = 50


def schema(shown: Schema) -> str:
    """Message types, those that the sources declare first, each with its fields at a click."""
    roots = list(shown.roots)
    # A name may be that of a root in the list of all.
    names = list(dict.fromkeys([*roots, *shown]))
    parts = [_entry(shown[name], place < _WITH_FIELDS) for place, name in enumerate(names[:_MESSAGE_TYPES])]
    if len(names) > _MESSAGE_TYPES:
        parts.append(dim(f"… and {len(names) - _MESSAGE_TYPES:,} more"))
    notes = [count_of(names, "message type"), joined(shown.sources[:3])]
    return titled("Schema", "", notes, "".join(parts))


def message_type(shown: MessageType) -> str:
    """The fields of a message type."""
    notes = [count_of(shown.fields, "field"), _selected(shown)]
    return titled("MessageType", shown.name, notes, _fields(shown))


def field(shown: Field) -> str:
    """What the schema says of a field, line by line."""
    lines = {
        "number": str(shown.number),
        "type": shown.message or shown.kind,
        "dtype": "" if shown.dtype is None else str(shown.dtype),
        "label": _label(shown),
        "default": "" if shown.default is None else text_of(shown.default, shown) or "empty",
        "oneof": shown.oneof or "",
        "values": _enum_text(shown),
    }
    rows = [[f"<td>{dim(name)}</td>", f"<td>{escaped(text)}</td>"] for name, text in lines.items() if text]
    return titled("Field", shown.name, [], table_of([], rows))


def _entry(shown: MessageType, with_fields: bool) -> str:
    title = f'<span class="wa-name">{escaped(shown.name)}</span> {dim(count_of(shown.fields, "field"))}'
    return folded(title, _fields(shown)) if with_fields else f"<div>{title}</div>"


def _fields(shown: MessageType) -> str:
    fields = list(shown.fields.values())
    rows = [_field_line(each) for each in fields[:_FIELDS]]
    more = dim(f"… and {len(fields) - _FIELDS:,} more") if len(fields) > _FIELDS else ""
    head = ["<th></th>", *(f"<th>{dim(name)}</th>" for name in ("field", "type", "dtype", ""))]
    return table_of(head, rows) + more if rows else dim("no fields")


def _field_line(shown: Field) -> list[str]:
    notes = [_label(shown), f"oneof {shown.oneof}" if shown.oneof else "", _default(shown)]
    name = escaped(short_name(shown.name))
    kind = full_type_text(shown).removeprefix("repeated ")
    return [
        f'<th class="wa-index">{shown.number}</th>',
        f'<td class="wa-name" title="{escaped(shown.name)}">{name}</td>',
        f'<td title="{escaped(_enum_text(shown))}">{type_name(kind)}</td>',
        f"<td>{type_name('' if shown.dtype is None else str(shown.dtype))}</td>",
        f"<td>{dim(joined(notes))}</td>",
    ]


def _label(shown: Field) -> str:
    if shown.repeated:
        return "map" if shown.map else "repeated, packed" if shown.packed else "repeated"
    return "required" if shown.required else "optional" if shown.presence and not shown.oneof else ""


def _default(shown: Field) -> str:
    return f"default {text_of(shown.default, shown)}" if shown.default else ""


def _enum_text(shown: Field) -> str:
    values = [f"{name} = {number}" for name, number in list((shown.enum or {}).items())[:_ENUM_VALUES]]
    return ", ".join(values)


def _selected(shown: MessageType) -> str:
    paths = shown._paths()
    return f"of which are selected: {', '.join(paths[:10])}{', …' if len(paths) > 10 else ''}" if paths else ""
