"""`python -m wortlaut.compat.whisperx` is `whisperx`."""

from wortlaut.cli.whisperx import main

if __name__ == "__main__":
    main()
