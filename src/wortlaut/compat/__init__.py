"""The surfaces of other programs, so that what was written for them runs with Wortlaut unchanged.

flags         whisperX's command line as a table, and the parser made of it
request       what was typed -> options, settings, and what has to be said about it
command_line  the `whisperx` command
chunks        one segment a window, as whisperX has them without alignment
results       transcript <-> whisperX's plain dicts
whisperx      whisperX's Python package: `import wortlaut.compat.whisperx as whisperx`
"""
