"""Reading checkpoints: right when they are sound, refused when they are not, and never run."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wortlaut.errors import ModelCorrupt
from wortlaut.models.checkpoint import inspect, read_tensors

DTYPES = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
FORMATS = st.sampled_from(["archive", "legacy"])
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(folder: Path, content: bytes) -> Path:
    path = folder / "model.pt"
    path.write_bytes(content)
    return path


def small(forge, forged_of) -> dict:
    return {
        "a": forged_of.of(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "b.bias": forged_of.of(np.array([1, -2], np.int64)),
    }


@given(
    arrays=st.dictionaries(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), ARRAYS, max_size=4),
    kind=FORMATS,
)
@RELAXED
def test_arrays_come_back_bit_equal(forge, forged_of, tmp_path, arrays, kind):
    content = getattr(forge, kind)({name: forged_of.of(array) for name, array in arrays.items()})
    read = read_tensors(write(tmp_path, content))
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        assert read[name].tobytes() == array.tobytes()


@given(
    offset=st.integers(-1, 12),
    shape=st.lists(st.integers(0, 5), max_size=3),
    strides=st.lists(st.integers(-1, 6), max_size=3),
    kind=FORMATS,
)
@RELAXED
def test_a_view_is_read_right_or_refused(forge, forged_of, tmp_path, offset, shape, strides, kind):
    elements = np.arange(10, dtype=np.int32)
    tensor = forged_of("int32", elements.tobytes(), 10, offset, tuple(shape), tuple(strides))
    path = write(tmp_path, getattr(forge, kind)({"x": tensor}))
    # the slow way: every index by itself
    places = [offset + sum(map(int.__mul__, index, strides)) for index in np.ndindex(*shape)]
    is_sound = (
        len(shape) == len(strides)
        and min([offset, *strides]) >= 0
        and all(0 <= place < 10 for place in places)
        and len(places) <= 10
    )
    if not is_sound:
        with pytest.raises(ModelCorrupt):
            read_tensors(path)
    else:
        assert read_tensors(path)["x"].ravel().tolist() == [int(elements[place]) for place in places]


def test_bfloat16_becomes_float32(forge, forged_of, tmp_path):
    raw = struct.pack("<3H", 0x3F80, 0xC040, 0x7F80)  # 1, -3, infinity
    read = read_tensors(write(tmp_path, forge.archive({"x": forged_of("bfloat16", raw, 3, 0, (3,), (1,))})))
    assert read["x"].dtype == np.float32
    assert read["x"].tolist() == [1.0, -3.0, np.inf]


def test_names_are_the_way_to_the_tensor(forge, forged_of, tmp_path):
    tensor = forged_of.of(np.zeros(1, np.float32))
    inner = forge.tensor("k", tensor).replace(b"__TAIL__", b"")
    pickled = (
        forge.PROTOCOL + b"}(" + forge.text("state") + b"}(" + forge.integer(7) + b"](" + b"N" + inner + b"eu" + b"u."
    )
    assert list(read_tensors(write(tmp_path, forge.archive({"k": tensor}, pickled=pickled)))) == ["state.7.1"]


def test_two_tensors_of_one_name_are_refused(forge, forged_of, tmp_path):
    tensor = forged_of.of(np.zeros(1, np.float32))
    inner = forge.tensor("k", tensor).replace(b"__TAIL__", b"")
    pickled = (
        forge.PROTOCOL + b"}(" + forge.text("a.b") + inner + forge.text("a") + b"}" + forge.text("b") + inner + b"su."
    )
    with pytest.raises(ModelCorrupt, match="Two tensors"):
        read_tensors(write(tmp_path, forge.archive({"k": tensor}, pickled=pickled)))


@pytest.mark.parametrize("kind", ["archive", "legacy"])
def test_every_truncation_is_refused(forge, forged_of, tmp_path, kind):
    content = getattr(forge, kind)(small(forge, forged_of))
    for length in range(len(content)):
        path = write(tmp_path, content[:length])
        with pytest.raises(ModelCorrupt):
            read_tensors(path)
        if length % 16 == 0:
            assert inspect(path).verdict == "unknown"


def test_a_flipped_bit_never_goes_unnoticed_in_an_archive(forge, forged_of, tmp_path, rng):
    content = forge.archive(small(forge, forged_of))
    sound = {name: array.tobytes() for name, array in read_tensors(write(tmp_path, content)).items()}
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        try:
            read = read_tensors(write(tmp_path, bytes(damaged)))
        except ModelCorrupt:
            continue
        assert {name: array.tobytes() for name, array in read.items()} == sound, position


def test_a_flipped_bit_in_the_old_format_breaks_nothing(forge, forged_of, tmp_path, rng):
    content = forge.legacy(small(forge, forged_of))
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        path = write(tmp_path, bytes(damaged))
        inspect(path)
        try:
            read = read_tensors(path)
        except ModelCorrupt:
            continue
        assert sum(array.nbytes for array in read.values()) <= 64


@given(content=st.binary(max_size=200), start=st.sampled_from([b"", b"PK\x03\x04", b"\x80\x02", b"(", b"\x80\x05\x95"]))
@RELAXED
def test_noise_is_refused(tmp_path, content, start):
    path = write(tmp_path, start + content)
    inspect(path)
    with pytest.raises(ModelCorrupt):
        read_tensors(path)


# --- traps


def archive_of(entries: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def test_a_zip_bomb_is_refused_unread(forge, forged_of, tmp_path):
    tensor = forged_of("uint8", b"", 100_000_000, 0, (100_000_000,), (1,))
    bomb = archive_of(
        [("m/data.pkl", forge.tensors({"0": tensor})), ("m/data/0", bytes(70_000_000))], zipfile.ZIP_DEFLATED
    )
    path = write(tmp_path, bomb)
    with pytest.raises(ModelCorrupt, match="compressed"):
        read_tensors(path)
    assert inspect(path).problems


def test_a_compressed_attack_is_found(tmp_path, planted):
    pickled = pickle.dumps(Planted(os.system, f"touch {planted}"), 2)
    path = write(tmp_path, archive_of([("m/data.pkl", pickled)], zipfile.ZIP_DEFLATED))
    assert inspect(path).verdict == "dangerous"
    assert not planted.exists()


def test_overlapping_entries_are_refused(forge, forged_of, tmp_path):
    content = bytearray(archive_of([("m/data.pkl", forge.tensors(small(forge, forged_of))), ("m/data/a", b"x" * 24)]))
    second = content.rindex(b"PK\x01\x02")  # its directory entry; at 42 stands where the entry begins
    content[second + 42 : second + 46] = struct.pack("<I", 10)
    with pytest.raises(ModelCorrupt):
        read_tensors(write(tmp_path, bytes(content)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(forge, forged_of, tmp_path):
    pickled = forge.tensors(small(forge, forged_of))
    with pytest.raises(ModelCorrupt, match="same name"):
        read_tensors(write(tmp_path, archive_of([("m/data.pkl", pickled), ("m/data.pkl", b"other")])))


def test_an_absurd_directory_is_refused(forge, forged_of, tmp_path):
    content = bytearray(forge.archive(small(forge, forged_of)))
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = struct.pack("<I", 0x7FFFFFFF)
    with pytest.raises(ModelCorrupt):
        read_tensors(write(tmp_path, bytes(content)))


def test_an_archive_in_an_archive_is_told(forge, forged_of, tmp_path):
    inner = forge.archive(small(forge, forged_of))
    path = write(tmp_path, archive_of([("m/model.pt", inner)]))
    with pytest.raises(ModelCorrupt):
        read_tensors(path)
    assert inspect(path).verdict == "unknown"
    assert "archive of its own" in inspect(path).problems[0]


@pytest.mark.parametrize(
    ("shape", "strides", "length"),
    [
        ((2**62,), (1,), 4),
        ((2**40, 2**40), (0, 0), 4),
        ((4,) * 40, (0,) * 40, 4),
        ((1_000_000,), (0,), 4),
        ((2,), (2**63,), 4),
        ((4,), (1,), 2**60),
        ((4,), (1,), -4),
    ],
)
@pytest.mark.parametrize("kind", ["archive", "legacy"])
def test_absurd_geometry_is_refused(forge, forged_of, tmp_path, shape, strides, length, kind):
    tensor = forged_of("float32", bytes(16), length, 0, shape, strides)
    try:
        content = getattr(forge, kind)({"x": tensor})
    except struct.error:
        pytest.skip("the format cannot even write this")
    with pytest.raises(ModelCorrupt):
        read_tensors(write(tmp_path, content))


@pytest.mark.parametrize("nest", [b"\x85", b"]q\x000h\x00a", b"\x85\x85"])
def test_a_deep_nest_overflows_nothing(forge, tmp_path, nest):
    deep = b"N" + b"\x85" * 150_000 if nest == b"\x85" else b"]" + b"](h\x00e" * 1000 if nest.startswith(b"]") else None
    deep = deep if deep is not None else b"}" + b"N" + b"\x85" * 150_000 + b"Ns"  # as a key: hashing would recurse
    path = write(tmp_path, archive_of([("m/data.pkl", forge.PROTOCOL + deep + b".")]))
    try:
        read = read_tensors(path)
    except ModelCorrupt:
        return
    assert read == {}


def test_laughs_by_the_billion_end(forge, forged_of, tmp_path):
    # ten lists, each holding the one before it ten times
    layers = b"".join(b"](" + b"h%c" % index * 10 + b"eq%c" % (index + 1) for index in range(20))
    pickled = forge.PROTOCOL + b"]q\0" + layers + b"."
    assert read_tensors(write(tmp_path, archive_of([("m/data.pkl", pickled)]))) == {}


def test_a_long_name_is_not_multiplied(forge, tmp_path):
    pickled = forge.PROTOCOL + b"}" + forge.text("x" * 1_000_000) + b"](" + b"N" * 100_000 + b"es."
    with pytest.raises(ModelCorrupt, match="absurdly long"):
        read_tensors(write(tmp_path, archive_of([("m/data.pkl", pickled)])))


def test_a_list_that_holds_itself_ends(forge, tmp_path):
    pickled = forge.PROTOCOL + b"]q\0h\0a."
    assert read_tensors(write(tmp_path, archive_of([("m/data.pkl", pickled)]))) == {}


# --- what is planted is found and not run


class Planted:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks(planted: Path) -> dict[str, object]:
    code = f"open({str(planted)!r}, 'w').close()"
    return {
        "os.system": Planted(os.system, f"touch {planted}"),
        "eval": Planted(builtins.eval, code),
        "exec": Planted(builtins.exec, code),
        "popen": Planted(subprocess.Popen, ["touch", str(planted)]),
        "open": Planted(builtins.open, str(planted), "w"),
        "import": Planted(builtins.__import__, "antigravity"),
        "chain": Planted(builtins.getattr, Planted(builtins.__import__, "os"), "system"),
        "nested": {"a": [({"b": Planted(os.system, f"touch {planted}")},)]},
        "unpickle": Planted(pickle.loads, pickle.dumps(1)),
    }


@pytest.mark.parametrize("attack", list(attacks(Path("x"))))
@pytest.mark.parametrize("protocol", range(6))
def test_an_attack_is_found_and_not_run(forge, tmp_path, planted, attack, protocol):
    pickled = pickle.dumps(attacks(planted)[attack], protocol)
    for content in (archive_of([("m/data.pkl", pickled)]), forge.legacy({}, pickled=pickled), pickled):
        path = write(tmp_path, content)
        assert inspect(path).verdict == "dangerous"
        with pytest.raises(ModelCorrupt):
            read_tensors(path)
    assert not planted.exists()


def test_an_attack_before_the_damage_is_found(tmp_path, planted):
    pickled = pickle.dumps(Planted(os.system, f"touch {planted}"), 2)
    path = write(tmp_path, pickled[:-1] + b"\xff\xff")
    report = inspect(path)
    assert report.verdict == "dangerous"
    assert report.problems


@pytest.mark.parametrize(
    ("pickled", "verdict"),
    [
        (b"\x80\x04\x8c\x05torch\x8c\x17serialization.os.system\x93.", "dangerous"),
        (b"\x80\x04\x8c\x0bcollections\x8c\x20OrderedDict.__init__.__globals__\x93.", "dangerous"),
        (b"c__builtin__\neval\n.", "dangerous"),
        (b"ccommands\ngetoutput\n.", "dangerous"),
        (b"(S'ls'\nios\nsystem\n.", "dangerous"),
        (b"(cos\nsystem\nS'ls'\no.", "dangerous"),
        (b"\x80\x02ctorch\nTensor\n}b.", "dangerous"),  # sets attributes of a class
        (b"\x80\x02\x82\x01.", "unknown"),  # a name by a number
        (b"\x80\x02cmy.package\nModel\n)R.", "unknown"),
        (b"\x80\x02ccollections\nOrderedDict\n)R.", "harmless"),
        (b"c__builtin__\nlong\n.", "harmless"),
        (b"ctorch.jit._pickle\nbuild_intlist\n.", "harmless"),
        (b"ctorch.jit\nload\n.", "dangerous"),
    ],
)
def test_names_are_judged(tmp_path, pickled, verdict):
    assert inspect(write(tmp_path, pickled)).verdict == verdict


def test_names_cannot_steer_a_terminal(tmp_path):
    (named,) = inspect(write(tmp_path, b"\x80\x02cx\x1b[2J\ny\n.")).globals
    assert named.name == "x\\x1b[2J.y"


# --- what else there is


def test_other_files_are_recognized(tmp_path):
    expected = {
        b"GGUF\x03\0\0\0": ("GGUF", "harmless"),
        b"\x06\0\0\0\x0c\0WhisperSpec\0": ("CTranslate2", "harmless"),
        b"\x08\x08\x12\x07pytorch": ("ONNX", "harmless"),
        b"\x1c\0\0\0TFL3": ("TensorFlow Lite", "harmless"),
        b"\x89HDF\r\n\x1a\n": ("HDF5 (Keras)", "unknown"),
        b"\x1f\x8b\x08": ("gzip", "unknown"),
        b"RIFF\0\0\0\0WAVE": ("unknown", "unknown"),
        b"": ("unknown", "unknown"),
    }
    for content, (name, verdict) in expected.items():
        report = inspect(write(tmp_path, content))
        assert (report.format, report.verdict) == (name, verdict)


def test_safetensors_are_listed(tmp_path):
    header = b'{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}'
    report = inspect(write(tmp_path, struct.pack("<Q", len(header)) + header + bytes(24)))
    assert (report.format, report.verdict) == ("safetensors", "harmless")
    assert [(tensor.name, tensor.dtype, tensor.shape) for tensor in report.tensors] == [("w", "F32", (2, 3))]


@pytest.mark.parametrize("header", [b"{", b'{"a":1}', b'{"a":{"dtype":"F32"}}', b"{" * 50_000])
def test_damaged_safetensors_are_told(tmp_path, header):
    assert inspect(write(tmp_path, struct.pack("<Q", len(header)) + header)).verdict == "unknown"


def test_numpy_archives_with_objects_are_told(tmp_path):
    np.savez(tmp_path / "plain.npz", x=np.zeros(3))
    np.savez(tmp_path / "objects.npz", x=np.array([{}], dtype=object))
    assert inspect(tmp_path / "plain.npz").verdict == "harmless"
    assert inspect(tmp_path / "objects.npz").verdict == "unknown"


def test_a_torchscript_archive_is_called_so(tmp_path):
    path = write(tmp_path, archive_of([("m/data.pkl", b"\x80\x02N."), ("m/code/__torch__.py", b"def forward(): ...")]))
    report = inspect(path)
    assert report.format == "TorchScript archive"
    assert report.verdict == "unknown"


def test_a_missing_file_is_an_error_of_ours(tmp_path):
    with pytest.raises(ModelCorrupt):
        inspect(tmp_path / "nothing")
    with pytest.raises(ModelCorrupt):
        read_tensors(tmp_path)


def test_reading_needs_no_torch():
    code = "import sys, wortlaut.models.checkpoint; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
