"""What the sidecar last wrote to a contact, as digests: how an edit by a person is told from our own.

It is kept for every person in the state, and once more in the undo table for every contact that was made, so it is
packed. Little endian: a version byte; how many columns, fields, tags and lists (16 bits each); the digests of the
columns' names, then of their values (32 bits each); the same of the fields; the ids of tags and lists (64 bits, below 0
in a dry run, which makes none). Names stand as digests too: in the clear they would be two thirds of it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
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
    sizes = len(written.c), len(written.f), len(written.t), len(written.l)
    parts = (_digests(part) for one in (written.c, written.f) for part in (one, one.values()))
    return _whole(sizes, parts, [*written.t, *written.l])


def fresh(
    columns: dict[str, str], fields: dict[str, str], tags: list[int], lists: list[int]
) -> tuple[bytes, tuple[int, int, int, int]]:
    """The same straight from the values of a new contact, and how many there are of each: a first import has many."""
    sizes = len(columns), len(fields), len(tags), len(lists)
    parts = (part for one in (columns, fields) for part in (_names(tuple(one)), _values(one)))
    return _whole(sizes, parts, [*tags, *lists]), sizes


def _whole(sizes: tuple[int, int, int, int], parts: Iterable[bytes], ids: list[int]) -> bytes:
    return b"".join((_HEAD.pack(_VERSION, *sizes), *parts, struct.pack(f"<{len(ids)}q", *ids)))


def _digests(numbers: Iterable[int]) -> bytes:
    found = list(numbers)
    return struct.pack(f"<{len(found)}I", *found)


def _values(texts: dict[str, str]) -> bytes:
    """`digest` of each, without a step of Python for each: there are a million in a first import."""
    try:
        return _numbers(len(texts)).pack(*map(zlib.crc32, map(str.encode, texts.values())))
    except UnicodeEncodeError:  # half a surrogate pair, from damaged PHP strings
        return _numbers(len(texts)).pack(*map(digest, texts.values()))


@lru_cache(maxsize=512)
def _numbers(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}I")


@lru_cache(maxsize=4096)
def _names(texts: tuple[str, ...]) -> bytes:
    """Few sets of names come again and again."""
    return _digests(map(name, texts))


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
        found = struct.unpack_from(f"<{2 * (nc + nf)}I{nt + nl}q", data, _HEAD.size)
    except struct.error as error:
        raise ValueError(f"digests of what was written are damaged: {error}") from error
    at = 2 * (nc + nf)
    return Written(
        c=dict(zip(found[:nc], found[nc : 2 * nc], strict=True)),
        f=dict(zip(found[2 * nc : 2 * nc + nf], found[2 * nc + nf : at], strict=True)),
        t=list(found[at : at + nt]),
        l=list(found[at + nt :]),
    )
