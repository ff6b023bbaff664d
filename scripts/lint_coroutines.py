#!/usr/bin/env python3
"""Refuses what GCC 12 miscompiles: one full expression that holds co_await together with a capturing lambda, a braced
aggregate or a conditional operator. Each is a silent double free, at every optimisation level."""

import re
import subprocess
import sys

NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
LAMBDA = re.compile(r"(?<![\w\])])\[\s*(?:&|=|this|\w)[^\]]*\]\s*(?:\(|\{|mutable)")
BRACED = re.compile(r"[\w>(,=]\s*\{")
# A brace after one of these opens a block, not an initialiser.
BLOCK_BEFORE = re.compile(r"(?:\)|\belse|\bdo|\btry|\bnoexcept|\boverride|\bfinal|\bmutable|\bconst|:|\bvoid|\bauto|>|[;{}])\s*$")


def blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def full_expression(text: str, at: int) -> tuple[int, str]:
    start = at
    while start > 0 and text[start - 1] not in ";{}":
        start -= 1
    if start > 0 and text[start - 1] == "{" and not BLOCK_BEFORE.search(text[: start - 1]):
        start -= 1
        while start > 0 and text[start - 1] not in ";{}":
            start -= 1
    end, depth = at, 0
    while end < len(text):
        c = text[end]
        if c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        elif c == ";" and depth <= 0:
            break
        elif c == "{" and depth <= 0 and BLOCK_BEFORE.search(text[:end]):
            break
        end += 1
    return start, text[start:end]


def complaints(text: str):
    text = NOISE.sub(blank, text)
    for match in re.finditer(r"\bco_await\b", text):
        _, expression = full_expression(text, match.start())
        # `if (auto x = co_await f(); x)` and range-for are several full expressions in one pair of parentheses.
        parts = [part for part in expression.split(";") if "co_await" in part]
        for part in parts:
            line = text.count("\n", 0, match.start()) + 1
            if LAMBDA.search(part):
                yield line, "co_await beside a capturing lambda"
            elif "?" in part:
                yield line, "co_await beside a conditional operator"
            elif BRACED.search(part):
                yield line, "co_await beside a braced initialiser"


GOOD = [
    "auto x = co_await f(a, b);",
    "if (auto r = co_await f(); !r) { g({1, 2}); }",
    "while (co_await f()) { x(); }",
    "for (;;) { auto [a, b] = co_await f(g(1)); }",
    "const auto x = a ? b : c; auto y = co_await f(x);",
    "auto work = [&] { return 1; }; auto n = co_await offload(pool, home, work);",
    "Task<void> f() { co_await g(); }",
    "if (a[i](b)) co_return; co_await f(a[i]);",
]
BAD = [
    "auto x = co_await f([&] { return 1; });",
    "auto x = co_await f([this](int a) { return a; });",
    "auto x = co_await f({.a = 1});",
    "R r{co_await f()};",
    "auto x = a ? co_await f() : co_await g();",
    "auto x = co_await f(Point{1, 2});",
    "co_return R{co_await f()};",
]


def self_test() -> int:
    wrong = [code for code in GOOD if list(complaints(code))] + [code for code in BAD if not list(complaints(code))]
    print("\n".join(f"judged wrongly: {code}" for code in wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


def main() -> int:
    if "--self-test" in sys.argv:
        return self_test()
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.cpp", "*.h"], capture_output=True, text=True, check=True).stdout.split()
    found = 0
    for path in files:
        with open(path, encoding="utf-8") as file:
            for line, words in complaints(file.read()):
                print(f"{path}:{line}: {words}; name the operand in a statement of its own first")
                found = 1
    return found


if __name__ == "__main__":
    sys.exit(main())
