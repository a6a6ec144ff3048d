"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from hypothesis import settings

settings.register_profile("wortlaut", deadline=None)  # a deadline would assert the speed of the machine
settings.load_profile("wortlaut")

EVAL = Path(__file__).parents[1] / ".." / "shared" / "eval"


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder with the real default models; tests that need them fail, and do not skip, without them."""
    folder = Path(os.environ.get("WORTLAUT_MODELS_DIR") or Path(platformdirs.user_data_dir("wortlaut")) / "models")
    if not (folder / "whisper-base" / "model.bin").is_file():
        pytest.fail("The default models are missing: run `make models` first.")
    return folder


@pytest.fixture(scope="session")
def eval_dir() -> Path:
    """The folder with evaluation audio that lies beside the checkout and is not part of it."""
    if not EVAL.is_dir():
        pytest.skip("the evaluation audio is not beside this checkout")
    return EVAL


@pytest.fixture(scope="session")
def sample_conversation(models_dir: Path) -> Path:
    """Thirty seconds of two people on the telephone; sample.rttm with the true turns lies beside it."""
    file = models_dir / "sample-conversation" / "sample.wav"
    if not file.is_file():
        pytest.fail("The sample conversation is missing: run `make models` first.")
    return file


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
