"""``python -m objreg``: the command line."""

from objreg.cli import main

if __name__ == "__main__":
    main()
