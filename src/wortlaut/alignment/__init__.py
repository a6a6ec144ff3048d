"""A time for every word: Whisper's own attention, read character by character.

spelling     text -> words -> characters as tokens
attention    tokens + encoder output -> when each token begins (forced alignment by the engine)
silences     where the recording is quiet
boundaries   onsets + silences -> start and end of each word
interpolation   words without a measured time, and what every list of words must satisfy
whisper      the `Aligner` made of these
"""
