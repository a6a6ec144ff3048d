"""Against the original: what whisperX 3.8.6 does with the same command lines, results and names."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import io
import random

import pytest

from wortlaut.compat.flags import read_arguments
from wortlaut.compat.request import read_request
from wortlaut.compat.whisperx import utils

pytestmark = pytest.mark.peer

PLAIN = {"max_line_width": None, "max_line_count": None, "highlight_words": False}

GOOD = [
    ["a.wav"],
    ["a.wav", "b.mp3", "--model", "large-v2", "-o", "out", "-f", "srt", "--diarize", "--min_speakers", "2"],
    ["--language", "Castilian", "--task", "translate", "--threads", "None", "--beam_size", "None", "a.wav"],
    ["a.wav", "--verbose", "False", "--log-level", "debug", "--compute_type=int8", "--no_align"],
    ["a.wav", "--logprob_threshold", "None", "--temperature", "0.4", "--suppress_tokens=-1,50"],
    ["a.wav", "--output_d", "abbreviated", "--hf_t", "x", "--print_progress", "True"],
    ["a.wav", "--max_line_width", "42", "--max_line_count", "2", "--highlight_words", "True"],
]
BAD = [
    [],
    ["a.wav", "--verbose", "yes"],
    ["a.wav", "--beam_size", "many"],
    ["a.wav", "--patience", "x"],
    ["a.wav", "--patience", "None"],
    ["a.wav", "--logprob_threshold", "low"],
    ["a.wav", "--min_speakers", "None"],
    ["a.wav", "--output_format", "docx"],
    ["a.wav", "--language", "Klingon"],
    ["a.wav", "--task", "sing"],
    ["a.wav", "--vad_method", "ears"],
    ["a.wav", "--unheard_of", "1"],
    ["a.wav", "--output", "ambiguous"],
    ["a.wav", "--diarize", "--model"],
    ["a.wav", "--suppress_tokens", "-1,50"],
]
REFUSED = [
    ["a.wav", "--no_align", "--highlight_words", "True"],
    ["a.wav", "--no_align", "--max_line_count", "2"],
    ["a.wav", "--no_align", "--max_line_width", "42"],
    ["a.wav", "--task", "translate", "--max_line_width", "42"],
]


def our_answer(line):
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        try:
            return {"arguments": dict(read_arguments(line).values)}
        except SystemExit as left:
            return {"code": left.code, "error": err.getvalue().strip().splitlines()[-1:]}


def test_good_command_lines_are_read_alike(peer):
    for line, theirs in zip(GOOD, peer.ask(parse=GOOD), strict=True):
        ours = our_answer(line)
        assert ours["arguments"].pop("device") == "auto"  # the one default that differs
        assert theirs["arguments"].pop("device") == "cpu"
        assert ours == theirs


def test_bad_command_lines_get_the_same_answer(peer):
    assert [our_answer(line) for line in BAD] == peer.ask(parse=BAD)


def test_what_alignment_excludes_gets_the_same_answer(peer, tmp_path):
    refusals = [
        answer["error"] for answer in peer.ask(parse=[["--run", "-o", str(tmp_path), *line] for line in REFUSED])
    ]
    for line, [message] in zip(REFUSED, refusals, strict=True):
        with pytest.raises(Exception, match="not possible") as refused:
            read_request(read_arguments(line))
        assert f"whisperx: error: {refused.value.message}" == message


def a_word(rng, language):
    letters = "日本語東京" if language == "ja" else "abcäöüß'éЖλ"
    mark = rng.choice(["", "", "", ",", ".", "?", "。"])
    return "".join(rng.choice(letters) for _ in range(rng.randint(1, 9))) + mark


def a_result(rng, *, is_aligned=True, has_speakers=True):
    """Make a result such as whisperX writes: times in whole milliseconds, words in their segments."""
    language = rng.choice(["de", "en", "ja"])
    now, segments = rng.choice([0.0, 0.25, 3598.5, 36000.125]), []
    for _ in range(rng.randint(0, 6)):
        words = []
        for _ in range(rng.randint(1, 12)):
            now = round(now + rng.choice([0.0, 0.02, 0.3, 4.0]), 3)
            start, now = now, round(now + rng.choice([0.02, 0.121, 0.4, 1.0]), 3)
            words.append({"word": a_word(rng, language), "start": start, "end": now, "score": rng.random()})
        text = ("" if language == "ja" else " ").join(word["word"] for word in words)
        segment = {"start": words[0]["start"], "end": words[-1]["end"], "text": f" {text}"}
        if is_aligned:
            segment["words"] = words
        if has_speakers:
            segment["speaker"] = rng.choice(["SPEAKER_00", "SPEAKER_01"])
            for word in words:
                word["speaker"] = rng.choice([segment["speaker"], segment["speaker"], "SPEAKER_01"])
        segments.append(segment)
    return {"segments": segments, "language": language}


@pytest.mark.parametrize("form", ["txt", "srt", "vtt", "tsv", "json", "aud"])
@pytest.mark.parametrize("is_aligned", [True, False])
@pytest.mark.parametrize("has_speakers", [True, False])
def test_files_are_equal_byte_for_byte(peer, tmp_path, form, is_aligned, has_speakers):
    rng = random.Random(f"{form}{is_aligned}{has_speakers}")
    jobs = [
        (a_result(rng, is_aligned=is_aligned, has_speakers=has_speakers), form, PLAIN | options)
        for options in ({}, {"max_line_count": 2}, {"max_line_width": 10_000})
        for _ in range(40)
    ]
    assert any(result["segments"] for result, _, _ in jobs)
    for (result, _, options), theirs in zip(jobs, peer.ask(write=jobs), strict=True):
        utils.get_writer(form, tmp_path)(result, "/somewhere/talk.of two.mp3", options)
        assert {path.name: path.read_bytes().decode() for path in tmp_path.iterdir()} == theirs


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_highlighted_words_are_equal_byte_for_byte(peer, tmp_path, form):
    rng = random.Random(form)
    results = [a_result(rng) for _ in range(80)]
    results = [result for result in results if result["language"] != "ja"]  # whisperX puts spaces into Japanese there
    jobs = [(result, form, PLAIN | {"highlight_words": True}) for result in results]
    for (result, _, options), theirs in zip(jobs, peer.ask(write=jobs), strict=True):
        utils.get_writer(form, tmp_path)(result, "/somewhere/talk.of two.mp3", options)
        assert {path.name: path.read_bytes().decode() for path in tmp_path.iterdir()} == theirs


def test_all_writes_what_whisperx_writes_and_the_labels_besides(peer, tmp_path):
    result = a_result(random.Random(7))
    [theirs] = peer.ask(write=[(result, "all", PLAIN)])
    utils.get_writer("all", tmp_path)(result, "talk.of two.mp3", PLAIN)
    ours = {path.name: path.read_bytes().decode() for path in tmp_path.iterdir()}
    assert ours.pop("talk.of two.aud")
    assert ours == theirs


def test_tables_of_languages_are_equal(peer):
    theirs = peer.ask(names=None)
    assert {name: getattr(utils, name) for name in theirs} == theirs
    assert list(utils.LANGUAGES) == list(theirs["LANGUAGES"])


CALLS = {
    ("audio", "load_audio"): {},
    ("audio", "pad_or_trim"): {},
    ("asr", "load_model"): {"device": "auto", "threads": None},
    ("asr", "FasterWhisperPipeline.transcribe"): {},
    ("asr", "FasterWhisperPipeline.detect_language"): {},
    ("alignment", "load_align_model"): {"device": "auto"},
    ("alignment", "align"): {"device": "auto"},
    ("diarize", "DiarizationPipeline.__init__"): {"use_auth_token": None},
    ("diarize", "DiarizationPipeline.__call__"): {},
    ("diarize", "assign_word_speakers"): {},
    ("utils", "get_writer"): {},
    ("utils", "ResultWriter.__call__"): {"options": None},
    ("utils", "ResultWriter.__init__"): {},
    ("utils", "format_timestamp"): {},
    ("log_utils", "setup_logging"): {},
    ("log_utils", "get_logger"): {},
    ("SubtitlesProcessor", "SubtitlesProcessor.__init__"): {},
    ("SubtitlesProcessor", "SubtitlesProcessor.save"): {},
    ("SubtitlesProcessor", "SubtitlesProcessor.process_segments"): {},
}
"""Every function that is offered, and where its defaults differ from whisperX's."""


def their_signature(peer, module, name):
    """Read the parameters and literal defaults from the source: importing it would need PyTorch."""
    body = ast.parse((peer.package / f"{module}.py").read_text(encoding="utf-8"))
    for part in name.split("."):
        body = next(node for node in body.body if getattr(node, "name", None) == part)
    constants = {"SAMPLE_RATE": 16000, "N_SAMPLES": 480000}
    plain = [each.arg for each in body.args.args]
    defaults = [constants.get(getattr(each, "id", None)) or ast.literal_eval(each) for each in body.args.defaults]
    found = dict.fromkeys(plain, inspect.Parameter.empty)
    found |= dict(zip(plain[len(plain) - len(defaults) :], defaults, strict=True))
    named = zip(body.args.kwonlyargs, body.args.kw_defaults, strict=True)
    return found | {each.arg: ast.literal_eval(default) for each, default in named}


@pytest.mark.parametrize(("module", "name"), CALLS)
def test_signatures_are_equal(peer, module, name):
    ours = importlib.import_module(f"wortlaut.compat.whisperx.{module}")
    for part in name.split("."):
        ours = getattr(ours, part)
    parameters = {each.name: each.default for each in inspect.signature(ours).parameters.values()}
    assert parameters == their_signature(peer, module, name) | CALLS[module, name]
    assert list(parameters) == list(their_signature(peer, module, name) | CALLS[module, name])


def test_constants_of_the_spectrogram_are_equal(peer):
    from wortlaut.compat.whisperx import audio

    source = (peer.package / "audio.py").read_text(encoding="utf-8").split("def load_audio")[0]
    start = source.index("SAMPLE_RATE =")
    theirs = {"exact_div": lambda x, y: x // y, "__builtins__": {}}
    exec(source[start:], theirs)
    constants = {name: value for name, value in theirs.items() if name.isupper()}
    assert len(constants) == 9
    assert {name: getattr(audio, name) for name in constants} == constants
