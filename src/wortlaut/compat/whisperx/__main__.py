"""`python -m wortlaut.compat.whisperx` is `whisperx`."""

from wortlaut.cli import main_whisperx

if __name__ == "__main__":
    main_whisperx()
