"""`python -m wortlaut` is `wortlaut`."""

from wortlaut.cli import main

if __name__ == "__main__":
    main()
