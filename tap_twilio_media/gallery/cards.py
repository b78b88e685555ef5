"""The card of one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_twilio_media.gallery.entries import STORED
from tap_twilio_media.gallery.kinds import ending, essence, linked, shown
from tap_twilio_media.gallery.links import address
from tap_twilio_media.gallery.texts import escaped, shortened, sized, status_text

if TYPE_CHECKING:
    from tap_twilio_media.gallery.catalogue import Item
    from tap_twilio_media.gallery.entries import Entry

_LONGEST_ENDING = 5


def card(item: Item) -> str:
    """Return the list item of a file."""
    entry = item.entry
    if not item.present:
        return _card("absent", _absence(entry), _name(entry), entry)
    href = escaped(address(entry.path))
    kind = shown(entry.content_type, entry.path)
    link = linked(entry.path)
    named = _name(entry) if link == "no" else _link(href, link, _name(entry))
    if kind == "image":
        picture = (
            f'<img src="{href}" alt="{_words(entry, "Image")}" loading="lazy" decoding="async"'
            ' width="320" height="240">'
        )
        # The name below is the link for a keyboard and a screen reader; this one is for the mouse.
        box = picture if link == "no" else _link(href, link, picture, ' tabindex="-1"')
    elif kind == "audio":
        box = f"{_badge(entry)}<audio {_player(href, entry, 'Audio')}></audio>"
    elif kind == "video":
        box = f"<video {_player(href, entry, 'Video')}></video>"
    else:
        box = _badge(entry)
        if link == "no":
            box += f'<p class="why">May hold scripts, not linked:<br><bdi>{_path(entry)}</bdi></p>'
    return _card(kind, box, named, entry)


def _card(kind: str, box: str, named: str, entry: Entry) -> str:
    size = "" if entry.bytes is None else f"<span>{sized(entry.bytes)}</span>"
    time = ""
    if entry.time:
        moment = f"{entry.day}T{entry.time}Z"
        time = f'<time datetime="{moment}">{entry.time[:5]}</time>'
    kind_of_content = escaped(essence(entry.content_type)) or "type unknown"
    return (
        f'<li class="card {kind}"><div class="box">{box}</div>'
        f'<p class="name">{named}</p>'
        f'<p class="meta">{time}{size}<span><bdi>{kind_of_content}</bdi></span>'
        f"{sid_code(entry.sid)}</p></li>\n"
    )


def sid_code(sid: str) -> str:
    """Return a sid, shortened, with the whole of it on hovering."""
    return f'<code title="{escaped(sid)}"><bdi>{escaped(shortened(sid))}</bdi></code>'


def _absence(entry: Entry) -> str:
    if entry.status == STORED:
        status = "Missing"
        path = _path(entry)
        detail = f"not in the archive: {path}" if path else "no path in the manifest"
    else:
        status = escaped(status_text(entry.status))
        detail = escaped(entry.detail)
    why = f'<p class="why"><bdi>{detail}</bdi></p>' if detail else ""
    return f'<p class="status"><bdi>{status}</bdi></p>{why}'


def _name(entry: Entry) -> str:
    if entry.filename:
        return f"<bdi>{escaped(entry.filename)}</bdi>"
    return '<span class="unnamed">no name</span>'


def _link(href: str, link: str, content: str, more: str = "") -> str:
    download = " download" if link == "save" else ""
    return f'<a href="{href}"{download} rel="noreferrer"{more}>{content}</a>'


def _player(href: str, entry: Entry, what: str) -> str:
    return f'src="{href}" controls preload="none" aria-label="{_words(entry, what)}"'


def _words(entry: Entry, what: str) -> str:
    """What a file is called where it cannot be seen, fit for an attribute."""
    return escaped(f"{what}: {entry.filename}" if entry.filename else f"{what} without a name")


def _badge(entry: Entry) -> str:
    last = ending(entry.path)
    short = last if last.isalnum() and len(last) <= _LONGEST_ENDING else "file"
    return f'<span class="badge" aria-hidden="true"><bdi>{escaped(short)}</bdi></span>'


def _path(entry: Entry) -> str:
    return escaped(entry.path[:300])
