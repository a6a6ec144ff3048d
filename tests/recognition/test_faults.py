from __future__ import annotations

import pytest

from wortlaut.errors import DeviceUnavailable, InvalidOption, ModelCorrupt, OutOfMemory, WortlautError
from wortlaut.recognition.faults import engine_faults


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (MemoryError("std::bad_alloc"), OutOfMemory),
        (RuntimeError("CUDA failed with error out of memory"), OutOfMemory),
        (RuntimeError("failed to allocate memory"), OutOfMemory),
        (ValueError("Requested float16 compute type, but the target device or backend do not ..."), InvalidOption),
        (RuntimeError("Library libcublas.so.12 is not found or cannot be loaded"), DeviceUnavailable),
        (RuntimeError("CUDA driver version is insufficient for CUDA runtime version"), DeviceUnavailable),
        (ValueError("This CTranslate2 package was not compiled with CUDA support"), DeviceUnavailable),
        (RuntimeError("Unable to open file 'model.bin' in model '/x'"), ModelCorrupt),
        (RuntimeError("File model.bin is incomplete: failed to read a buffer of size 42"), ModelCorrupt),
        (RuntimeError("Unsupported model binary version. This executable supports up to 6"), ModelCorrupt),
        (RuntimeError("something new"), WortlautError),
    ],
)
def test_each_fault_becomes_the_error_it_means(raised, expected):
    with pytest.raises(expected) as caught, engine_faults():
        raise raised
    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised


def test_other_errors_are_none_of_its_business():
    with pytest.raises(KeyError), engine_faults():
        raise KeyError("mistake of ours")
