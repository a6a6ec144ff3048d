"""How ONNX models are opened: threads, exact sums on every processor, errors of ours."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

from wortlaut import onnx_session
from wortlaut.errors import ModelCorrupt
from wortlaut.models.graph import Graph
from wortlaut.onnx_session import LARGEST_PRODUCTS, TERMS, multiplies_exactly, open_session

PRECISION = "session.x64quantprecision"


def largest_products():
    """Return the model that multiplies what it is given with the largest signed byte. Serialized, it is the file."""
    graph = Graph("largest products")
    one = graph.constant("one code", np.full((1, 1), 127, np.int8))
    codes = graph.add("Expand", "codes", one, graph.integers(TERMS, TERMS))
    given = graph.add("Cast", "input", "values", to=TensorProto.UINT8)
    sums = graph.add("Cast", "output", graph.add("MatMulInteger", "product", given, codes), to=TensorProto.FLOAT)
    return graph.finish(sums, given={"values": [TERMS, TERMS]}, made=("sums", [TERMS, TERMS]))


def sums_of(session):
    [sums] = session.run(None, {"values": np.full((TERMS, TERMS), 255, np.float32)})
    return sums


@pytest.fixture
def asked(monkeypatch):
    """The options of the sessions that are opened."""
    seen = []
    made = onnx_session.session_options

    def remember(threads):
        seen.append(made(threads))
        return seen[-1]

    monkeypatch.setattr(onnx_session, "session_options", remember)
    return seen


def test_the_model_that_tries_the_processor_is_what_it_says():
    assert onnx.load(LARGEST_PRODUCTS) == largest_products()


def test_a_processor_without_overflow_keeps_its_fastest_way(asked, monkeypatch):
    monkeypatch.setattr(onnx_session, "multiplies_exactly", lambda: True)
    open_session(LARGEST_PRODUCTS)
    with pytest.raises(RuntimeError):
        asked[0].get_session_config_entry(PRECISION)


def test_a_processor_with_overflow_gets_unsigned_weights(asked, monkeypatch):
    monkeypatch.setattr(onnx_session, "multiplies_exactly", lambda: False)
    session = open_session(LARGEST_PRODUCTS)
    assert asked[0].get_session_config_entry(PRECISION) == "1"
    assert (sums_of(session) == 255 * 127 * TERMS).all()


def test_sums_are_exact_on_this_processor_whichever_it_is():
    assert isinstance(multiplies_exactly(), bool)
    assert (sums_of(open_session(LARGEST_PRODUCTS)) == 255 * 127 * TERMS).all()


def test_a_model_opens_from_memory_and_from_disk():
    for model in (LARGEST_PRODUCTS.read_bytes(), LARGEST_PRODUCTS):
        session = open_session(model, threads=2)
        assert isinstance(session, onnxruntime.InferenceSession)
        assert session.get_session_options().intra_op_num_threads == 2


def test_what_is_no_model_is_an_error_of_ours(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelCorrupt, match=r"model\.onnx"):
        open_session(tmp_path / "model.onnx")
    with pytest.raises(ModelCorrupt, match="made of"):
        open_session(b"no model")
