"""The `doorward` command; without the extra that carries the server it says how to install it."""

import importlib
import sys


def main() -> int:
    """Run the command line; exit code 3 and the line that cures it when an optional dependency is missing."""
    try:
        return int(importlib.import_module("doorward.server.cli").main())
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "doorward":  # a fault of ours, not a missing extra
            raise
        sys.stderr.write(f"doorward: the package «{missing.name}» is missing. Run: pip install 'doorward[server]'\n")
        return 3


if __name__ == "__main__":
    sys.exit(main())
