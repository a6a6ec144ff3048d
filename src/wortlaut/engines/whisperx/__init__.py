"""The installed whisperX, stage by stage, behind the seams of `stages`.

loading     the package, its Whisper model and its voice activity detector -> WhisperxModel
recognizing WhisperxModel -> speech regions, windows and passages
aligning    wav2vec2 -> words, or another aligner's where there is no wav2vec2

whisperX's diarization is a pyannote pipeline: `diarization.pyannote` loads the same one.
"""
