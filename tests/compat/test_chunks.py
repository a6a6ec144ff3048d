"""What is kept of passages while they pass, and what is printed meanwhile."""

from __future__ import annotations

from wortlaut.compat.chunks import ChunkKeeper
from wortlaut.compat.printing import ProgressPrinter
from wortlaut.options import Progress
from wortlaut.splitting import split
from wortlaut.testing import ScriptedAligner, silence
from wortlaut.transcript import Passage, Transcript

PASSAGES = [
    Passage(0.0, 4.0, " Eins. Zwei", "de", avg_logprob=-0.1),
    Passage(4.0, 5.0, "", "de"),
    Passage(5.0, 9.0, " und drei.", "de", avg_logprob=-0.5),
]


class Hasty:
    """An aligner that has taken all passages before it gives anything, as one with many workers does."""

    def align(self, audio, passages, /):
        return ScriptedAligner().align(audio, list(passages))


def test_passages_and_their_words_belong_together_whatever_the_aligner_takes_ahead():
    shown = []
    keeper = ChunkKeeper(Hasty(), shown.append)
    words = list(keeper.align(silence(9.0), iter(PASSAGES)))
    assert shown == PASSAGES
    assert keeper.chunks == [(PASSAGES[0], 2), (PASSAGES[1], 0), (PASSAGES[2], 2)]
    transcript = Transcript(tuple(split(zip(PASSAGES, words, strict=True))), (), "de", 9.0)
    assert [each.text for each in transcript.segments] == ["Eins.", "Zwei und drei."]
    chunks = keeper.by_chunk(transcript)
    assert [(each.text, each.avg_logprob) for each in chunks.segments] == [("Eins. Zwei", -0.1), ("und drei.", -0.5)]
    assert chunks.words == transcript.words


def test_progress_is_never_less_than_before(capsys):
    listener = ProgressPrinter()
    for stage, done in [
        ("decode", 9.0),
        ("recognize", 1.0),
        ("recognize", 1.0),
        ("recognize", 0.5),
        ("recognize", 5.0),
    ]:
        listener(Progress(stage, done, 4.0))
    listener(Progress("recognize", 1.0, 0.0))
    assert capsys.readouterr().out == "Progress: 25.00%...\nProgress: 100.00%...\n"
