"""`python -m omnihuman`: the command line."""

from omnihuman.cli import main

if __name__ == "__main__":
    main()
