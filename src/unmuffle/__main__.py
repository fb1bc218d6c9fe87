"""``python -m unmuffle``."""

from unmuffle.cli import main

if __name__ == "__main__":
    main()
