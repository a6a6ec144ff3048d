"""Every option of the search reaches `Options`, under whisperX's names and with its defaults."""

from __future__ import annotations

import pytest

import wortlaut.assembly
from wortlaut.cli import app
from wortlaut.cli.decoding import temperatures
from wortlaut.cli.exits import exit_code
from wortlaut.errors import InvalidOption
from wortlaut.options import Decoding, Options
from wortlaut.transcript import Decision, Provenance, Transcript, Trial


@pytest.fixture
def asked(monkeypatch):
    """Return a function from arguments to the options that the pipeline gets."""
    calls = []

    class Listening:
        def __init__(self, settings): ...

        def __enter__(self):
            return self

        def __exit__(self, *exc): ...

        def transcribe(self, media, options, listener):
            calls.append(options)
            trial = Trial("as usual", " Ja.", -0.1, 0.0, 0.5)
            return Transcript((), (), "de", 1.0, Provenance(decisions=(Decision(0.0, 1.0, "kept", (), (trial,)),)))

    monkeypatch.setattr(wortlaut.assembly, "Transcriber", Listening)

    def ask(*arguments) -> Options:
        assert run(["transcribe", "a.wav", *arguments]) == 0
        return calls[-1]

    return ask


def run(arguments) -> int:
    with pytest.raises(SystemExit) as left:
        app.app(arguments)
    return left.value.code


def test_nothing_said_is_the_default(asked):
    assert asked() == Options()


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (["--beam-size", "3"], "beam_size", 3),
        (["--best-of", "2"], "best_of", 2),
        (["--patience", "1.5"], "patience", 1.5),
        (["--length-penalty", "0.8"], "length_penalty", 0.8),
        (["--compression-ratio-threshold", "3"], "compression_ratio_threshold", 3.0),
        (["--logprob-threshold", "-0.5"], "logprob_threshold", -0.5),
        (["--no-speech-threshold", "0.8"], "no_speech_threshold", 0.8),
        (["--compression-ratio-threshold", "None"], "compression_ratio_threshold", None),
        (["--logprob-threshold", "None"], "logprob_threshold", None),
        (["--no-speech-threshold", "off"], "no_speech_threshold", None),
        (["--temperature", "0.4", "--temperature-increment-on-fallback", "0.3"], "temperatures", (0.4, 0.7, 1.0)),
        (["--temperature-increment-on-fallback", "None"], "temperatures", (0.0,)),
        (["--suppress-tokens", "-1,50"], "suppress_tokens", (-1, 50)),
        (["--suppress-numerals"], "suppress_numerals", True),
        (["--initial-prompt", "Sie"], "initial_prompt", "Sie"),
        (["--hotwords", "Wortlaut"], "hotwords", "Wortlaut"),
        (["--verbatim"], "verbatim", True),
    ],
)
def test_an_option_reaches_the_search(asked, arguments, field, value):
    decoding = asked(*arguments).decoding
    assert getattr(decoding, field) == value
    assert getattr(Decoding(), field) != value


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (["--numerals", "words"], "numerals", "words"),
        (["--numerals", "digits"], "numerals", "digits"),
        (["--channels", "split"], "channels", "split"),
        (["--channels", "split", "--channel-labels", "Agent, Customer"], "channel_labels", ("Agent", "Customer")),
        (["--task", "translate"], "task", "translate"),
        (["--no-words"], "words", False),
        (["--speakers", "off"], "speakers", None),
        (["--model", "small"], "model", "small"),
        (["--diarizer", "pyannote"], "diarizer", "pyannote"),
    ],
)
def test_an_option_reaches_the_pipeline(asked, arguments, field, value):
    options = asked(*arguments)
    assert getattr(options, field) == value
    assert getattr(Options(), field) != value


@pytest.mark.parametrize(
    "arguments", [["--channel-labels", "Agent,Customer"], ["--channels", "split", "--channel-labels", "A,A"]]
)
def test_labels_that_make_no_sense_are_a_wrong_command_line(arguments):
    with pytest.raises(InvalidOption) as raised:
        app.app(["transcribe", "a.wav", *arguments])
    assert exit_code(raised.value) == 2


def test_languages_are_read_by_code_and_name(asked):
    options = asked("--languages", "de,English", "--one-language")
    assert options.languages == ("de", "en")
    assert not options.follows_switches


def test_explain_says_what_was_decided(asked, capsys):
    asked("--explain", "--quiet")
    assert "kept" in capsys.readouterr().err
    asked("--quiet")
    assert capsys.readouterr().err == ""


def test_the_steps_of_whisper_are_the_default():
    assert temperatures(0.0, 0.2) == Decoding().temperatures


def test_a_step_that_leads_nowhere_is_refused():
    with pytest.raises(InvalidOption):
        temperatures(0.0, 0.0)
