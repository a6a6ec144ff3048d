"""Runs in whisperX's environment: answers one JSON request about its parser or its writers.

What whisperX imports and these do not need (PyTorch, its own engines) is replaced by stand-ins.
"""

import contextlib
import io
import json
import sys
from pathlib import Path
from unittest import mock


def parse(lines):
    """Return what each command line becomes: the parsed arguments, or exit code and last line of the error."""
    import whisperx.__main__ as command

    return [_parsed(command, line) for line in lines]


def _parsed(command, line):
    out, err = io.StringIO(), io.StringIO()
    arguments = {}
    fake = mock.MagicMock(transcribe_task=lambda args, parser: arguments.update(args))
    task = fake if "--run" not in line else None
    argv = ["whisperx", *[each for each in line if each != "--run"]]
    with contextlib.ExitStack() as held:
        held.enter_context(mock.patch.object(sys, "argv", argv))
        held.enter_context(contextlib.redirect_stdout(out))
        held.enter_context(contextlib.redirect_stderr(err))
        if task is not None:
            held.enter_context(mock.patch.dict(sys.modules, {"whisperx.transcribe": task}))
        try:
            command.cli()
        except SystemExit as left:
            return {"code": left.code, "error": err.getvalue().strip().splitlines()[-1:]}
    return {"arguments": arguments}


def write(jobs):
    """Return the bytes of each (result, format, options)."""
    import tempfile

    from whisperx.utils import get_writer

    files = []
    for result, form, options in jobs:
        with tempfile.TemporaryDirectory() as folder:
            get_writer(form, folder)(result, "/somewhere/talk.of two.mp3", options)
            files.append({path.name: path.read_bytes().decode() for path in Path(folder).iterdir()})
    return files


def names(_):
    from whisperx import utils

    return {
        "LANGUAGES": utils.LANGUAGES,
        "TO_LANGUAGE_CODE": utils.TO_LANGUAGE_CODE,
        "LANGUAGES_WITHOUT_SPACES": utils.LANGUAGES_WITHOUT_SPACES,
    }


def main():
    stand_ins = ["torch", "numpy", *(f"whisperx.{name}" for name in ("alignment", "asr", "audio", "diarize"))]
    sys.modules.update({name: mock.MagicMock() for name in stand_ins})
    sys.modules["torch"].cuda.is_available.return_value = False
    [(question, content)] = json.load(sys.stdin).items()
    answer = {"parse": parse, "write": write, "names": names}[question](content)
    sys.stdout.write(json.dumps(answer))


main()
