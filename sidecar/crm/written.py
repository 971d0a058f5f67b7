"""What the sidecar last wrote to a contact, as digests: how an edit by a person is told from our own.

It is kept for every person in the state, and once more in the undo table for every contact that was made, so it is
packed: a version byte; four counts (16 bits) of columns, fields, tags and lists; the digests of the names of the
columns, then of their values (32 bits each); the same of the fields; the ids of tags and lists (64 bits; below 0 in a dry
run, where they are not made). All little
endian. Names stand as digests too: names in the clear would be two thirds of it.
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache

import msgspec

_VERSION = 1
_HEAD = struct.Struct("<B4H")


class Written(msgspec.Struct, kw_only=True):
    """{digest of a name: digest of the value} of columns and of custom fields, ids of tags and lists."""

    c: dict[int, int] = {}
    f: dict[int, int] = {}
    t: list[int] = []
    l: list[int] = []  # noqa: E741 - the plural of what the three others are called


class _Named(msgspec.Struct):
    """How it was kept before it was packed: JSON with the names."""

    c: dict[str, int] = {}
    f: dict[str, int] = {}
    t: list[int] = []
    l: list[int] = []  # noqa: E741


_named = msgspec.json.Decoder(_Named).decode


@lru_cache(maxsize=4096)
def name(text: str) -> int:
    """The digest of a column's name or a field's slug."""
    return digest(text)


def digest(value: str) -> int:
    """A CRC-32 of a value: enough to tell whether somebody changed it since."""
    return zlib.crc32(value.encode("utf-8", "replace"))


def pack(written: Written) -> bytes:
    """As it is kept."""
    c, f, t, l = written.c, written.f, written.t, written.l  # noqa: E741
    sizes = len(c), len(f), len(t), len(l)
    return _HEAD.pack(_VERSION, *sizes) + _body(*sizes).pack(*c, *c.values(), *f, *f.values(), *t, *l)


def fresh(
    columns: dict[str, str], fields: dict[str, str], tags: list[int], lists: list[int]
) -> tuple[bytes, tuple[int, int, int, int]]:
    """The same as `pack`, straight from the values of a new contact, and how many there are of each."""
    sizes = len(columns), len(fields), len(tags), len(lists)
    return b"".join(
        (_HEAD.pack(_VERSION, *sizes), _part(columns), _part(fields), _ids(len(tags) + len(lists)).pack(*tags, *lists))
    ), sizes


def _part(values: dict[str, str]) -> bytes:
    try:
        crcs = list(map(zlib.crc32, map(str.encode, values.values())))
    except UnicodeEncodeError:
        crcs = list(map(digest, values.values()))
    return _names(tuple(values)) + _crcs(len(crcs)).pack(*crcs)


@lru_cache(maxsize=4096)
def _names(texts: tuple[str, ...]) -> bytes:
    """Few sets of names come again and again."""
    return _crcs(len(texts)).pack(*map(name, texts))


@lru_cache(maxsize=256)
def _crcs(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}I")


@lru_cache(maxsize=256)
def _ids(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}q")


def unpack(data: bytes | None) -> Written:
    """What `pack` made, or an older sidecar. Nothing was written when there is nothing. Raises ValueError for junk."""
    if not data:
        return Written()
    if data[0] != _VERSION:
        old = _named(data)
        c, f = ({name(key): value for key, value in one.items()} for one in (old.c, old.f))
        return Written(c=c, f=f, t=old.t, l=old.l)
    try:
        _, nc, nf, nt, nl = _HEAD.unpack_from(data)
        found = _body(nc, nf, nt, nl).unpack_from(data, _HEAD.size)
    except struct.error as error:
        raise ValueError(f"digests of what was written are damaged: {error}") from error
    at = 2 * nc + 2 * nf
    return Written(
        c=dict(zip(found[:nc], found[nc : 2 * nc], strict=True)),
        f=dict(zip(found[2 * nc : 2 * nc + nf], found[2 * nc + nf : at], strict=True)),
        t=list(found[at : at + nt]),
        l=list(found[at + nt :]),
    )


@lru_cache(maxsize=256)
def _body(columns: int, fields: int, tags: int, lists: int) -> struct.Struct:
    return struct.Struct(f"<{2 * (columns + fields)}I{tags + lists}q")
