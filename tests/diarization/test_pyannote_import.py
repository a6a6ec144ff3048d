"""A pyannote.audio that cannot be imported is an error with a way out, whatever its neighbours raise."""

from __future__ import annotations

import importlib

import pytest

from wortlaut.diarization.pyannote.loading import import_pyannote
from wortlaut.errors import ExtraMissing


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ModuleNotFoundError("No module named 'pyannote'"), "cannot be imported"),
        (OSError("libc10_cuda.so: cannot open shared object file"), "does not fit"),
        (AttributeError("module 'torchaudio' has no attribute 'set_audio_backend'"), "does not fit"),
        (RuntimeError("PyTorch and TorchAudio were compiled with different CUDA versions"), "does not fit"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_is_said_what_is_wrong_and_who_knows_more(raised, said, monkeypatch):
    def refuse(name):
        raise raised

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(ExtraMissing, match=said) as caught:
        import_pyannote()
    assert str(raised) in caught.value.message
    assert "`wortlaut doctor`" in caught.value.hint
