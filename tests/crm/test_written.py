"""What was written is packed and unpacked without loss, and what an older sidecar kept is still read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.crm.written import Written, digest, fresh, name, pack, unpack

VALUES = st.dictionaries(st.text(max_size=12), st.text(max_size=20) | st.just("\ud800"), max_size=30)
IDS = st.lists(st.integers(0, 2**63 - 1), max_size=6)


@given(VALUES, VALUES, IDS, IDS)
def test_packed_and_unpacked(
    columns: dict[str, str], fields: dict[str, str], tags: list[int], lists: list[int]
) -> None:
    written = Written(
        c={name(key): digest(value) for key, value in columns.items()},
        f={name(key): digest(value) for key, value in fields.items()},
        t=tags, l=lists,
    )  # fmt: skip
    assert unpack(pack(written)) == written
    packed, sizes = fresh(columns, fields, tags, lists)
    assert sizes == (len(columns), len(fields), len(tags), len(lists))
    if len(written.c) == len(columns) and len(written.f) == len(fields):  # no two names with one digest
        assert packed == pack(written)


def test_what_an_older_sidecar_kept() -> None:
    old = json.dumps({"c": {"city": 7}, "f": {"woo_ltv": 2**32 - 1}, "t": [3]}).encode()
    assert unpack(old) == Written(c={name("city"): 7}, f={name("woo_ltv"): 2**32 - 1}, t=[3])
    assert unpack(None) == unpack(b"") == Written()


@pytest.mark.parametrize("junk", [b"\x01", b"\x01\x05\x00\x00\x00\x00\x00\x00\x00abc", b"junk"])
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(junk)
