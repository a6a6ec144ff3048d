"""How ONNX models are opened: one thread, exact sums, errors of ours."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from wortlaut.errors import ModelCorrupt
from wortlaut.models.int8_probe import probe
from wortlaut.onnx_session import open_session, session_options


def test_sums_of_bytes_are_the_same_on_every_processor():
    """ONNX Runtime itself knows the processors where this makes a difference."""
    assert session_options(1).get_session_config_entry("session.x64quantprecision") == "1"
    [sums] = open_session(probe()).run(None, {"values": np.full((64, 64), 255, np.float32)})
    assert (sums == 255 * 127 * 64).all()


def test_a_model_opens_from_memory_and_from_disk(tmp_path):
    (tmp_path / "model.onnx").write_bytes(probe())
    for model in (probe(), tmp_path / "model.onnx"):
        session = open_session(model, threads=2)
        assert isinstance(session, onnxruntime.InferenceSession)
        assert session.get_session_options().intra_op_num_threads == 2


def test_what_is_no_model_is_an_error_of_ours(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelCorrupt, match=r"model\.onnx"):
        open_session(tmp_path / "model.onnx")
    with pytest.raises(ModelCorrupt, match="made of"):
        open_session(b"no model")
