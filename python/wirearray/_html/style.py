"""What all views share: one style that takes its colours from the page around it, and the frame around each view."""

from __future__ import annotations

from collections.abc import Iterable

from wirearray._html.cells import escaped

# Text has the colour of the page, and all else is that colour, or one blue, at some strength: both themes are served,
# and pages that drop styles still show tables. Every rule begins with the class of the frame, and reaches no further.
_STYLE = """
.wirearray{--wa-blue:#3b82f6;font-size:13px;line-height:1.45;max-width:100%}
.wirearray .wa-title{padding:2px 0 6px;display:flex;flex-wrap:wrap;gap:4px 10px;align-items:baseline}
.wirearray .wa-kind{font-weight:600;color:var(--wa-blue)}
.wirearray .wa-name{font-weight:600}
.wirearray .wa-dim{opacity:.55}
.wirearray .wa-scroll{overflow-x:auto;max-width:100%;
scrollbar-width:thin;scrollbar-color:rgba(128,128,128,.5) transparent}
.wirearray table.wa-table{border-collapse:collapse;border:0;margin:0;font-size:12px;table-layout:auto}
.wirearray table.wa-table th,.wirearray table.wa-table td{padding:3px 10px;text-align:left;vertical-align:top;
border:0;border-bottom:1px solid rgba(128,128,128,.18);white-space:nowrap;background:none;max-width:none}
.wirearray table.wa-table thead th{vertical-align:bottom;border-bottom:1px solid rgba(128,128,128,.5);font-weight:400}
.wirearray table.wa-table tbody tr:hover td,.wirearray table.wa-table tbody tr:hover th{background:rgba(59,130,246,.08)}
.wirearray table.wa-table tbody tr:last-child>*{border-bottom:0}
.wirearray table.wa-table .wa-number{text-align:right;font-variant-numeric:tabular-nums}
.wirearray table.wa-table th.wa-index{font-weight:400;opacity:.55;text-align:right;font-variant-numeric:tabular-nums}
.wirearray table.wa-table td.wa-wide{white-space:normal;word-break:break-word;min-width:16em}
.wirearray .wa-type{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:11px;opacity:.65}
.wirearray .wa-text{white-space:pre-wrap}
.wirearray svg{display:block;overflow:visible;margin:3px 0 0}
.wirearray svg .wa-bar{fill:var(--wa-blue);opacity:.85}
.wirearray svg .wa-line{fill:none;stroke:var(--wa-blue);stroke-width:1.2;stroke-linejoin:round}
.wirearray svg .wa-band{fill:var(--wa-blue);opacity:.85}
.wirearray svg .wa-base{stroke:currentColor;opacity:.3;stroke-width:1}
.wirearray .wa-range{display:flex;justify-content:space-between;gap:8px;font-size:10px;opacity:.6;width:120px;
font-variant-numeric:tabular-nums}
.wirearray details{margin:0}
.wirearray summary{cursor:pointer}
.wirearray details>.wa-within{margin:4px 0 6px 2px;padding-left:10px;border-left:2px solid rgba(59,130,246,.35)}
.wirearray .wa-charts{display:flex;flex-wrap:wrap;gap:8px 28px;padding:0 0 8px}
""".replace("\n", "")


def framed(body: str) -> str:
    """A whole view."""
    return f'<div class="wirearray"><style>{_STYLE}</style>{body}</div>'


def titled(kind: str, name: str, notes: Iterable[str], body: str) -> str:
    """A line that says what is shown, and the rest below it."""
    shown = "".join(f'<span class="wa-dim">{escaped(note)}</span>' for note in notes if note)
    name = f'<span class="wa-name">{escaped(name)}</span>' if name else ""
    return f'<div class="wa-title"><span class="wa-kind">{escaped(kind)}</span>{name}{shown}</div>{body}'


def folded(summary: str, body: str) -> str:
    """Something that is shown at a click; `summary` and `body` are HTML."""
    return f'<details><summary>{summary}</summary><div class="wa-within">{body}</div></details>'


def table_of(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells, each of which is HTML with its own `td` or `th`."""
    heads = "".join(head)
    head_html = f"<thead><tr>{heads}</tr></thead>" if heads else ""
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<div class="wa-scroll"><table class="wa-table">{head_html}<tbody>{body}</tbody></table></div>'


def type_name(text: str, full: str = "") -> str:
    """The name of a type or dtype, with the full one where the pointer rests."""
    title = f' title="{escaped(full)}"' if full and full != text else ""
    return f'<span class="wa-type"{title}>{escaped(text)}</span>'


def dim(text: str) -> str:
    """Something that matters less."""
    return f'<span class="wa-dim">{escaped(text)}</span>'
