"""How good and how expensive a transcription is: measured on recordings whose truth is known.

    sets -> plan -> observing (a process of its own a set) -> scoring (a file) -> summary (a set) -> baseline

`sets` reads recordings and what is known about them, `plan` says what is asked for each. `observing` runs the
subject and watches what it costs; it loads nothing that would weigh on the figures. `scoring` compares one
observation with the truth, with one module a question: `text_errors`, `boundaries`, `turns`, `attribution_errors`,
`coverage`. Every figure is a `Ratio`, so that a set's figure is the ratio of the sums, never a mean of ratios.

Scoring needs the `eval` extra: jiwer, psutil, pyannote.metrics and whisper-normalizer.
"""
