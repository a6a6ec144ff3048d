"""pyannote.audio behind the seam of the built-in diarizer: for those who want its models and have a token.

access   may these files be had? (token, terms, cache) -> PipelineFiles
files    which files make a pipeline, and what its config.yaml may say
loading  PipelineFiles -> pyannote's pipeline
diarizer pyannote's pipeline -> Diarization
"""
