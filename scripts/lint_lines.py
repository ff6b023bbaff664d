#!/usr/bin/env python3
"""The line budget: a file over 400 lines is a sign that a concept is missing."""

import subprocess
import sys

LIMIT = 400
SUFFIXES = ("*.cpp", "*.h", "*.py", "*.cmake", "*.sh")


def main() -> int:
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *SUFFIXES], capture_output=True, text=True, check=True).stdout.split()
    wrong = 0
    for name in files:
        with open(name, encoding="utf-8") as file:
            lines = sum(1 for _ in file)
        if lines > LIMIT:
            print(f"{name}: {lines} lines; {LIMIT} are the limit. Which concept is missing?")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
