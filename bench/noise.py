# ruff: noqa: INP001, T201 - a script that prints
"""Speech in noise, in music, under other voices and in long silence: what is left out, misheard, invented.

    python bench/noise.py FOLDER_WITH_SETS [--half 1] [--music FILE] [--peer PYTHON --model FOLDER] [--keep FOLDER]

`noisy_speech.py` says how the recordings are made. `--half` takes the first or the second half of the sets: what is
found on one is to be confirmed on the other. `--music` is a recording of music, without which two conditions are left
out. `--peer` is the Python of an environment with faster-whisper, `--model` the weights for it. With `--keep`,
recordings and answers stay in that folder, and what is there is not made again. Needs the `eval` extra.

Prints a Markdown table: word error rate with its 95 % interval over sentences; words deleted, inserted and substituted;
sentences lost, that is, of which at least half of the words are missing, and how many of these the program does not
say anything about; seconds of speech that are more than half a second from every word; words where nobody speaks.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer
from noisy_speech import CONDITIONS, Condition, Recording, Studio

from wortlaut.assembly import Transcriber
from wortlaut.evaluation.coverage import REACH, uncovered_speech
from wortlaut.evaluation.normalization import tokens
from wortlaut.evaluation.ratio import Ratio, confidence_interval, total
from wortlaut.notice import Notice
from wortlaut.options import Options
from wortlaut.settings import Settings
from wortlaut.transcript import Turn, Word
from wortlaut.trust.spans import Span, shared, union

LOST_SHARE = 0.5
"""Of the words of a sentence: if so many are missing, the sentence was not found."""
SAID_SHARE = 0.5
"""Of the seconds of a sentence: if notices lie over so many, a reader knows where to listen."""
SAYING = ("uncovered-speech", "low-confidence", "window-without-speech")
"""The codes of notices by which a reader learns that words may be missing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a program heard in a recording, and what it said of that: only Wortlaut says anything."""

    text: str
    words: tuple[Word, ...]
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """How well one sentence was heard. What was inserted counts for the sentence before it."""

    length: int
    deleted: int
    inserted: int
    substituted: int

    @property
    def errors(self) -> Ratio:
        return Ratio(self.deleted + self.inserted + self.substituted, self.length)

    @property
    def is_lost(self) -> bool:
        return self.deleted >= LOST_SHARE * self.length > 0


def sentences(recording: Recording, heard: Heard) -> list[Sentence]:
    """Count the errors of a whole recording, sentence by sentence."""
    parts = [tokens(text, recording.language) for text in recording.texts]
    owners = [number for number, part in enumerate(parts) for _ in part]
    counts = {kind: [0] * len(parts) for kind in ("delete", "insert", "substitute")}
    truth, found = [token for part in parts for token in part], tokens(heard.text, recording.language)
    if not found:
        counts["delete"] = [len(part) for part in parts]
    else:
        for chunk in jiwer.process_words(" ".join(truth), " ".join(found)).alignments[0]:
            if chunk.type == "insert":
                counts["insert"][owners[max(chunk.ref_start_idx - 1, 0)]] += chunk.hyp_end_idx - chunk.hyp_start_idx
            elif chunk.type != "equal":
                for index in range(chunk.ref_start_idx, chunk.ref_end_idx):
                    counts[chunk.type][owners[index]] += 1
    return [Sentence(len(part), *(counts[kind][number] for kind in counts)) for number, part in enumerate(parts)]


def is_said(sentence: Turn, notices: Sequence[Notice]) -> bool:
    """Whether notices lie over at least half of a sentence."""
    lying = [
        Turn(one.start, one.end, "") for one in notices if one.code in SAYING and one.start is not None and one.end
    ]
    return shared(Span(sentence.start, sentence.end), union(lying)) >= SAID_SHARE * (sentence.end - sentence.start)


def lost_unsaid(recording: Recording, heard: Heard) -> int:
    """Count the sentences that are lost and of which no notice tells."""
    told = zip(recording.turns, sentences(recording, heard), strict=True)
    return sum(sentence.is_lost and not is_said(turn, heard.notices) for turn, sentence in told)


def words_outside(recording: Recording, words: Sequence[Word]) -> int:
    """Count the words whose middle lies where nobody speaks."""
    return sum(
        all(not turn.start - REACH <= (word.start + word.end) / 2 <= turn.end + REACH for turn in recording.turns)
        for word in words
    )


def row(condition: str, program: str, answers: Sequence[tuple[Recording, Heard]]) -> str:
    told = [one for answer in answers for one in sentences(*answer)]
    errors = [one.errors for one in told]
    low, high = confidence_interval(errors) or (0.0, 0.0)
    missed = total([uncovered_speech(recording.turns, heard.words) for recording, heard in answers])
    cells = (
        *(condition, program),
        f"{total(errors).percent:.1f} ({low:.1f} to {high:.1f})",
        *(sum(one.deleted for one in told), sum(one.inserted for one in told), sum(one.substituted for one in told)),
        f"{sum(one.is_lost for one in told)} of {len(told)}",
        sum(lost_unsaid(*answer) for answer in answers),
        f"{missed.part:.1f}",
        sum(words_outside(recording, heard.words) for recording, heard in answers),
    )
    return f"| {' | '.join(map(str, cells))} |"


HEAD = (
    "| condition | program | WER (95 %) | deleted | inserted | substituted | sentences lost | and not said | missed s |"
    " outside |\n|---|---|---|---|---|---|---|---|---|---|"
)


def by_us(transcriber: Transcriber, recordings: Sequence[Recording]) -> Iterator[Heard]:
    for one in recordings:
        transcript = transcriber.transcribe(one.file, Options(speakers=None, language=one.language))
        yield Heard(transcript.text, transcript.words, transcript.warnings)


def by_peer(chosen: argparse.Namespace, recordings: Sequence[Recording]) -> Iterator[Heard]:
    """Let faster-whisper hear files, with speech detection and a beam of 5."""
    driver = Path(__file__).parent / "peers" / "drive_faster_whisper.py"
    for one in recordings:
        command = [chosen.peer, driver, "--model", chosen.model, "--variant", "words", "--language", one.language]
        output = subprocess.run([*map(str, command), str(one.file)], check=True, capture_output=True, text=True).stdout  # noqa: S603 what the caller named
        line = next(line for line in output.splitlines() if line.startswith("RESULT "))
        [answer] = json.loads(line[len("RESULT ") :])["files"]
        yield Heard(answer["text"], tuple(Word(each["text"], each["start"], each["end"]) for each in answer["words"]))


def kept(recordings: Sequence[Recording], program: str, hear: Iterator[Heard]) -> list[tuple[Recording, Heard]]:
    """Pair recordings with what was heard in them, and keep that beside them."""
    found = []
    for recording, heard in zip(recordings, hear, strict=True):
        answer = {
            "text": heard.text,
            "words": [[word.text, word.start, word.end] for word in heard.words],
            "notices": [[one.code, one.message, one.start, one.end] for one in heard.notices],
        }
        recording.file.with_suffix(f".{program}.json").write_text(json.dumps(answer), "utf-8")
        found.append((recording, heard))
    return found


def known(recordings: Sequence[Recording], program: str) -> list[tuple[Recording, Heard]] | None:
    """Return what was heard in all recordings before; None if that is not there."""
    files = [one.file.with_suffix(f".{program}.json") for one in recordings]
    if not all(file.is_file() for file in files):
        return None
    answers = [json.loads(file.read_text("utf-8")) for file in files]
    heard = [
        Heard(
            one["text"],
            tuple(Word(*word) for word in one["words"]),
            tuple(Notice(*notice) for notice in one.get("notices", ())),
        )
        for one in answers
    ]
    return list(zip(recordings, heard, strict=True))


def measured(chosen: argparse.Namespace, transcriber: Transcriber, conditions: Sequence[Condition]) -> Iterator[str]:
    """Yield a row for each condition and program."""
    halves = [chosen.half - 1] if chosen.half else [0, 1]
    studios = [Studio(transcriber, chosen.folder, half, chosen.music) for half in halves]
    for condition in conditions:
        recordings = [
            one
            for studio in studios
            for one in studio.recordings(condition, chosen.keep / f"half {studio.half + 1}" / condition.name)
        ]
        ours = known(recordings, "wortlaut") or kept(recordings, "wortlaut", by_us(transcriber, recordings))
        yield row(condition.name, "Wortlaut", ours)
        if chosen.peer or known(recordings, "faster-whisper"):
            theirs = known(recordings, "faster-whisper")
            theirs = theirs or kept(recordings, "faster-whisper", by_peer(chosen, recordings))
            yield row(condition.name, "faster-whisper", theirs)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder that holds the evaluation sets")
    parser.add_argument("--half", type=int, choices=(1, 2), help="of the sets; without it both")
    parser.add_argument("--music", type=Path, help="a recording of music without voices")
    parser.add_argument("--peer", type=Path, help="the Python that has faster-whisper")
    parser.add_argument("--model", type=Path, help="folder with whisper-base for CTranslate2")
    parser.add_argument("--keep", type=Path, help="folder for recordings and answers")
    chosen = parser.parse_args()
    if bool(chosen.peer) != bool(chosen.model):
        parser.error("--peer needs --model, and the other way round.")
    return chosen


def main() -> int:
    chosen = parsed()
    conditions = [one for one in CONDITIONS if chosen.music or one.sound != "recorded music"]
    with tempfile.TemporaryDirectory() as temporary, Transcriber(Settings(threads=1)) as transcriber:
        chosen.keep = chosen.keep or Path(temporary)
        print(HEAD)
        for line in measured(chosen, transcriber, conditions):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
