"""`python -m omnihuman`: the command line."""

import sys


def main() -> None:
    """Loads and runs the command line; Ctrl+C while it loads is as quiet as later."""
    try:
        from omnihuman.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
