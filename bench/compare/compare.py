"""Counts the instructions of five hot paths with callgrind, and fails when one has grown: see README.md."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from daemon import Daemon, Origin
from instructions import counted

HERE = pathlib.Path(__file__).resolve().parent
BASELINE = HERE / "baseline.json"
MOST = 1.10  # of the baseline

KIB = 1 << 10
SMALL, LARGE, HUGE = 4 * KIB, 128 * KIB, 8 << 20  # in the index; one window of a file; several pieces of one


def by_itself(program, path, times, folder):
    """Instructions for one of compare_paths' paths."""
    out = folder / f"{path}.out"
    command = ["valgrind", "-q", "--tool=callgrind", "--toggle-collect=measured", f"--callgrind-out-file={out}",
               str(program), path, str(times)]
    subprocess.run(command, check=True)
    return counted(out) / times


def through_the_proxy(hawkerd, times, folder):
    """Instructions of a request for each of these: what 2 N of them cost more than N."""
    bodies = {"/small": SMALL, "/large": LARGE, "/huge": HUGE}
    ranges = [f"bytes={i * 64 * KIB + i}-{(i + 1) * 64 * KIB + i - 1}" for i in range(100)]
    asked = {"hit_small": ("/small", [None]), "hit_large": ("/large", [None]), "range": ("/huge", ranges)}
    with Origin(bodies) as origin, Daemon(hawkerd, origin, folder) as daemon:
        for path in bodies:
            daemon.store(path)
        costs = {}
        for name, (path, fields) in asked.items():
            daemon.ask(path, fields, 200)  # what grows once has grown
            once = daemon.cost_of(path, fields, times)
            twice = daemon.cost_of(path, fields, 2 * times)
            costs[name] = (twice - once) / times
    return costs


def measure(build, folder):
    costs = through_the_proxy(build / "hawkerd", 400, folder)
    costs["decide"] = by_itself(build / "bench/compare/compare_paths", "decide", 4000, folder)
    costs["look_up"] = by_itself(build / "bench/compare/compare_paths", "look_up", 10_000, folder)
    return {name: round(cost) for name, cost in costs.items()}


def tools():
    def first_line(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]

    return {"compiler": first_line("c++", "--version"), "valgrind": first_line("valgrind", "--version")}


def renew(costs):
    BASELINE.write_text(json.dumps({"tools": tools(), "instructions": costs}, indent=4) + "\n")
    print("bench/compare/baseline.json holds these numbers now. Commit it with what changed them, and say why.")


def judge(costs):
    """What to say of the paths that have grown; None when there is none."""
    baseline = json.loads(BASELINE.read_text())
    known = baseline["instructions"]
    print(f"{'path':<12}{'baseline':>10}{'now':>10}{'ratio':>8}")
    for name, cost in costs.items():
        print(f"{name:<12}{known.get(name, 0):>10}{cost:>10}{cost / known.get(name, cost):>8.3f}")
    if known.keys() != costs.keys():
        return "The baseline is about other paths than these. To renew it: make compare RENEW=1"
    grown = [name for name, cost in costs.items() if cost > MOST * known[name]]
    if not grown:
        return None
    told = ", ".join(f"{name} by {100 * (costs[name] / known[name] - 1):.0f} %" for name in grown)
    told = f"Costs more instructions than the baseline: {told}. If that is what it is worth: make compare RENEW=1"
    if baseline["tools"] != tools():
        told += f"\nIt was counted with other tools, which may be why: {baseline['tools']}, now {tools()}"
    return told


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--build", type=pathlib.Path, required=True, help="the folder of hawkerd and compare_paths")
    arguments.add_argument("--renew", action="store_true", help="make what is counted now the baseline")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="hawker-compare-") as folder:
        costs = measure(options.build.resolve(), pathlib.Path(folder))
    if options.renew:
        renew(costs)
    elif complaint := judge(costs):
        sys.exit(complaint)


if __name__ == "__main__":
    main()
