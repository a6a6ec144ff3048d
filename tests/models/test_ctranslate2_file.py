"""CTranslate2's model.bin: read by name, written again, refused where it is something else."""

from __future__ import annotations

import numpy as np
import pytest

from wortlaut.errors import ModelCorrupt
from wortlaut.models.ctranslate2_file import WeightsFile


def test_weights_are_read_as_they_are_stored(tmp_path, stored, small_encoder):
    variables = small_encoder | {"decoder/projection/weight": np.ones((2, 2), np.float32)}
    (tmp_path / "model.bin").write_bytes(stored(variables))
    read = WeightsFile.open(tmp_path / "model.bin").read("encoder/")
    assert set(read) == set(small_encoder)
    for name, array in read.items():
        assert array.dtype == variables[name].dtype
        np.testing.assert_array_equal(array, variables[name])


def test_what_is_written_again_is_the_same_file(tmp_path, stored, small_encoder):
    """Whatever comes behind the variables (names that stand for others) is kept too."""
    content = stored(small_encoder) + b"\x00\x00\x00\x00 names for others"
    (tmp_path / "model.bin").write_bytes(content)
    file = WeightsFile.open(tmp_path / "model.bin")
    file.write_like(tmp_path / "copy.bin", file.read())
    assert (tmp_path / "copy.bin").read_bytes() == content


def test_other_variables_can_be_written(tmp_path, stored, small_encoder):
    (tmp_path / "model.bin").write_bytes(stored(small_encoder))
    codes = {"decoder/weight": np.array([[1, -127]], np.int8), "decoder/weight_scale": np.array([3.5], np.float32)}
    WeightsFile.open(tmp_path / "model.bin").write_like(tmp_path / "other.bin", codes)
    assert (tmp_path / "other.bin").read_bytes() == stored(codes)


@pytest.mark.parametrize("length", [0, 1, 3000, -1])
def test_a_file_that_ends_early_is_refused(tmp_path, stored, small_encoder, length):
    (tmp_path / "model.bin").write_bytes(stored(small_encoder)[:length])
    with pytest.raises(ModelCorrupt):
        WeightsFile.open(tmp_path / "model.bin")


def test_what_is_no_model_is_refused(tmp_path, stored):
    for broken in (b"\xff" * 99, stored({}, version=99)):
        (tmp_path / "model.bin").write_bytes(broken)
        with pytest.raises(ModelCorrupt):
            WeightsFile.open(tmp_path / "model.bin")


def test_a_shape_that_its_bytes_do_not_fill_is_refused(tmp_path, stored):
    content = bytearray(stored({"a": np.zeros((2, 2), np.float32)}))
    rank = content.index(b"a\0") + 2
    content[rank + 1] = 3  # of 2 rows
    (tmp_path / "model.bin").write_bytes(bytes(content))
    with pytest.raises(ModelCorrupt, match="bytes"):
        WeightsFile.open(tmp_path / "model.bin")
