"""The machine that reads pickles, against Python's own for values that need no names."""

from __future__ import annotations

import contextlib
import io
import pickle
import pickletools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.errors import ModelCorrupt
from wortlaut.models.pickle_reader import Call, Global, Items, Machine, Pairs, Persistent

SCALARS = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(SCALARS, inner, max_size=4)
    ),
    max_leaves=12,
)


def plain(value):
    """Turn what the machine gives back into what went in; tuples and lists look alike to it."""
    if isinstance(value, Items):
        return [plain(item) for item in value.values]
    if isinstance(value, Pairs):
        return {plain(key): plain(item) for key, item in value.values}
    return value


def alike(value):
    if isinstance(value, list | tuple):
        return [alike(item) for item in value]
    if isinstance(value, dict):
        return {key: alike(item) for key, item in value.items()}
    return value


def read(pickled: bytes, machine: Machine | None = None):
    return (machine or Machine()).read(io.BytesIO(pickled))


@given(value=VALUES, protocol=st.integers(0, 5))
@settings(deadline=None)
def test_plain_values_are_read_as_pickle_reads_them(value, protocol):
    assert plain(read(pickle.dumps(value, protocol))) == alike(value)


@given(value=st.binary(max_size=300), protocol=st.integers(3, 5))
def test_bytes_are_read(value, protocol):
    assert read(pickle.dumps(value, protocol)) == value


def test_bytes_before_protocol_3_are_a_call_that_is_not_made():
    call = read(pickle.dumps(b"\xff", 2))
    assert isinstance(call, Call)
    assert call.function == Global("_codecs", "encode")


@given(opcodes=st.lists(st.sampled_from(pickletools.opcodes), max_size=30), tail=st.binary(max_size=20))
@settings(deadline=None)
def test_any_opcodes_are_read_or_refused(opcodes, tail):
    pickled = b"".join(opcode.code.encode("latin-1") + b"\x01" for opcode in opcodes) + tail + b"."
    with contextlib.suppress(ModelCorrupt):
        read(pickled)


@pytest.mark.parametrize("opcode", pickletools.opcodes, ids=lambda opcode: opcode.name)
def test_every_opcode_is_known_or_refused_by_name(opcode):
    machine = Machine()
    if opcode.name in ("NEXT_BUFFER", "READONLY_BUFFER"):
        with pytest.raises(ModelCorrupt, match=opcode.name):
            read(b"N" + opcode.code.encode("latin-1") + b".")
        return
    with pytest.raises(ModelCorrupt) as refusal:
        read(opcode.code.encode("latin-1"), machine)  # nothing follows: cut off, but not unknown
    assert "no checkpoint does" not in refusal.value.message


def test_names_calls_and_states_are_kept_inert():
    machine = Machine()
    call = read(b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R}(X\x01\0\0\0kK\x01ub.", machine)
    assert list(machine.globals) == [Global("os", "system")]
    assert isinstance(call, Call)
    assert plain(call.arguments) == ["ls"]
    assert plain(call.states[0]) == {"k": 1}


def test_a_persistent_reference_is_kept():
    machine = Machine()
    found = read(b"\x80\x02K\x05Q.", machine)
    assert isinstance(found, Persistent)
    assert machine.references == [found]
    assert found.reference == 5


def test_a_subclass_of_list_or_dict_collects_what_is_put_into_it():
    call = read(b"\x80\x02cx\ny\n)\x81(K\x01K\x02eX\x01\0\0\0aK\x03s.")
    assert call.items.values == [1, 2]
    assert call.pairs.values == [("a", 3)]


@pytest.mark.parametrize(
    "pickled",
    [
        b".",
        b"a.",
        b"h\x00.",
        b"t.",
        b"(0(.",
        b"N(\x85.",
        b"K\x01K\x02a.",
        b"(K\x01d.",
        b"}(K\x01u.",
        b"K\x01}b.",
        b"K\x01K\x02\x93.",
        b"(o.",
        b"\x8b\xff\xff\xff\xff.",
        b"\x8b\xff\xff\xff\x7f.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"L" + b"9" * 100_000 + b"L\n.",
        b"X\x02\0\0\0\xff\xff.",
    ],
)
def test_nonsense_is_refused(pickled):
    with pytest.raises(ModelCorrupt):
        read(pickled)


def test_endless_steps_end():
    with pytest.raises(ModelCorrupt, match="steps"):
        read(b"N0" * 600 + b"N.", Machine(opcodes_left=1000))
