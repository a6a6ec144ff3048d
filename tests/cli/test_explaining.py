from __future__ import annotations

from wortlaut.cli.explaining import explain_decisions, lines
from wortlaut.transcript import Decision, Trial

USUAL = Trial("as usual", " na so was" * 9, -0.2, 0.1, 5.0, ("it repeats itself",))
PIECES = Trial("in pieces", " Na so was.", -0.3, 0.1, 0.8)


def test_a_stretch_that_was_kept_takes_one_line():
    [line] = lines(Decision(61.5, 90.0, "kept", (), (PIECES,)))
    assert line == "  00:01:01.500 - 00:01:30.000  kept  [log-probability -0.30, no speech 0.10, compression 0.8]"


def test_every_text_that_was_tried_is_shown_with_what_spoke_against_it():
    first, *tried = lines(Decision(0.0, 3.0, "doubted", ("the model is unsure",), (USUAL, PIECES)))
    assert first.endswith("doubted: the model is unsure")
    assert "as usual" in tried[0]
    assert "it repeats itself" in tried[0]
    assert tried[0].endswith("…")
    assert tried[1].endswith(": Na so was.")


def test_the_table_goes_to_stderr(capsys):
    explain_decisions("a.wav", (Decision(0.0, 1.0, "dropped", ("nobody",)),))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "a.wav: 1 stretches"
    assert "dropped: nobody" in err
