"""``python -m labcore`` is ``lab``."""

from labcore.cli.main import main

if __name__ == "__main__":
    main()
