from __future__ import annotations

import subprocess
import sys

import pytest

CHILD = """
import ctypes, sys, threading
from wortlaut.native import use_one_arena
if sys.argv[1] == "one":
    assert use_one_arena()
together = threading.Barrier(4)
def take():
    together.wait()
    bytearray(100_000)
threads = [threading.Thread(target=take) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's arenas exist on Linux only")
def test_one_arena_serves_all_threads():
    def arenas(how):
        done = subprocess.run([sys.executable, "-c", CHILD, how], capture_output=True, text=True, check=True)
        return done.stderr.count("Arena ")

    assert arenas("one") == 1
    assert arenas("many") > 1
