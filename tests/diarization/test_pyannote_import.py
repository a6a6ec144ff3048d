"""A pyannote.audio that cannot be imported is an error with a way out, and one that can be is imported quietly."""

from __future__ import annotations

import importlib
import logging
import sys
import warnings

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


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return what writes a package under a name of its own that runs some lines when it is imported."""

    def write(lines):
        (tmp_path / "imported_quietly.py").write_text(lines, encoding="utf-8")
        return "imported_quietly"

    monkeypatch.syspath_prepend(tmp_path)
    with warnings.catch_warnings():
        yield write
    sys.modules.pop("imported_quietly", None)


def test_a_torchcodec_without_ffmpeg_concerns_nobody(package):
    import_pyannote(package("import warnings; warnings.warn('\\ntorchcodec is not installed correctly so ...')"))


def test_other_warnings_are_heard(package):
    with pytest.warns(UserWarning, match="fix torchcodec"):
        import_pyannote(package("import warnings; warnings.warn('fix torchcodec')"))


@pytest.mark.parametrize("family", ["lightning.pytorch", "pytorch_lightning"])
def test_nobody_is_asked_to_upgrade_checkpoints_on_disk(package, caplog, monkeypatch, family):
    migration, training = (logging.getLogger(f"{family}.{name}") for name in ("utilities.migration.utils", "trainer"))
    monkeypatch.setattr(migration, "level", logging.NOTSET)
    caplog.set_level(logging.INFO)
    import_pyannote(package(""))
    migration.info("Lightning automatically upgraded your loaded checkpoint. To apply the upgrade to your files, run")
    migration.warning("a checkpoint that cannot be upgraded")
    training.info("GPU available: False")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
