#!/usr/bin/env python3
"""model.py RESULTS.json [--check | --write]: what one node should do, from what one run of the benchmark has measured.

Prints the tables of docs/scaling.md; --write puts them there; --check fails where the model does not explain the run itself.
"""

import argparse
import json
import pathlib
import re

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "scaling.md"
GIB = 1 << 30
NIC = 100e9 / 8 / GIB * 0.94  # GiB/s of payload on 100 Gbit/s, after Ethernet, IP and TCP
NVME_READ, NVME_WRITE = 6.0, 3.0  # GiB/s, one good drive
FSYNC = 100e-6  # s, a drive with protection against power loss
BATCH = 1024  # small objects in one commit of the index: each is two changes (cache/index_writer.cpp)
WRITER = 15e-6  # s of the index thread for one small object: LMDB's pages and the body's checksum (perf, W12)
TOUCH = 150e-9  # s under the one lock that counts hits (IndexWriter::touch)
SMALL = 4096


class Run:
    def __init__(self, results: dict):
        self.cores = results["machine"]["cores"]
        self.rows = {(row["workload"], row["unit"], row["peer"]): row["median"] for row in results["rows"]}

    def hawker(self, workload: str, unit: str) -> float:
        return self.rows[workload, unit, "hawker"]

    def grown(self) -> str:
        """The W12 with the most objects."""
        return max((name for name, unit, _ in self.rows if name.startswith("W12") and unit == "insertions/s"),
                   key=lambda name: int(re.sub(r"\D", "", name[3:])))


class Costs:
    """CPU seconds of the server for one unit of each kind of work."""

    def __init__(self, run: Run):
        self.hit_gib = run.hawker("W1 large hit, 8 clients", "CPU s/GiB")
        self.range_gib = run.hawker("W4 random ranges", "CPU s/GiB")
        self.small_hit = run.hawker("W2 small hit, 4k", "CPU µs/request") * 1e-6
        self.miss_gib = run.hawker("W5 cold, fast origin", "CPU s/GiB")
        self.insertion = run.hawker(run.grown(), "CPU µs/insertion") * 1e-6
        self.tunnel_gib = run.hawker("W9 tunnel, 32 clients", "CPU s/GiB")

    def table(self) -> str:
        rows = [("large hit", self.hit_gib, "s/GiB"), ("range of 1 MiB", self.range_gib, "s/GiB"),
                ("hit of 4 KiB", self.small_hit * 1e6, "µs"), ("large miss", self.miss_gib, "s/GiB"),
                ("insertion of 4 KiB", self.insertion * 1e6, "µs"), ("tunnel", self.tunnel_gib, "s/GiB")]
        return "\n".join(["| work | CPU |", "|---|---|", *(f"| {name} | {value:.3g} {unit} |" for name, value, unit in rows)])


def least(**limits: float) -> tuple[float, str]:
    name = min(limits, key=limits.__getitem__)
    return limits[name], name.replace("_", " ").replace("LMDBs", "LMDB's")


def predict(costs: Costs, cores: int) -> list[tuple[str, str, str]]:
    """(work, what to expect, what ends it)."""
    writer = 1 / (WRITER + FSYNC / BATCH)
    large = least(CPU=cores / costs.hit_gib, the_NIC=NIC)
    cold = least(CPU=cores / costs.hit_gib, the_NIC=NIC, one_NVMe=NVME_READ)
    ranges = least(CPU=cores / costs.range_gib, the_NIC=NIC)
    small = least(CPU=cores / costs.small_hit, the_NIC=NIC * GIB / (SMALL + 400), the_lock_that_counts_hits=1 / TOUCH)
    one_miss = least(one_loop=1 / costs.miss_gib, the_NIC=NIC, one_NVMe=NVME_WRITE)
    misses = least(CPU=cores / costs.miss_gib, the_NIC=NIC, one_NVMe=NVME_WRITE)
    insertions = least(CPU=cores / costs.insertion, LMDBs_writer=writer)
    tunnels = least(CPU=cores / costs.tunnel_gib, the_NIC=NIC)
    gib, rate = "{:.1f} GiB/s".format, "{:,.0f}/s".format
    return [("large hits, in memory", gib(large[0]), large[1]), ("large hits, from the drive", gib(cold[0]), cold[1]),
            ("ranges of 1 MiB", gib(ranges[0]), ranges[1]), ("hits of 4 KiB", rate(small[0]), small[1]),
            ("one large miss", gib(one_miss[0]), one_miss[1]), ("many large misses", gib(misses[0]), misses[1]),
            ("insertions of 4 KiB", rate(insertions[0]), insertions[1]), ("tunnels", gib(tunnels[0]), tunnels[1])]


def predictions(costs: Costs) -> str:
    columns = [predict(costs, cores) for cores in (8, 64, 128)]
    lines = ["| | 8 cores | ends at | 64 cores | ends at | 128 cores | ends at |", "|---|---|---|---|---|---|---|"]
    for row in zip(*columns):
        lines.append(f"| {row[0][0]} | " + " | ".join(f"{value} | {end}" for _, value, end in row) + " |")
    return "\n".join(lines)


def against(run: Run) -> list[tuple[str, float, float]]:
    """(what, the model's word for the measuring machine, measured). The load takes its share of the same cores."""
    found = []
    for name in ("4k", "64k"):
        workload = f"W2 small hit, {name}"
        each = run.hawker(workload, "CPU µs/request") + run.hawker(workload, "load's CPU µs/request")
        found.append((f"requests/s of {name} hits", run.cores / each * 1e6, run.hawker(workload, "requests/s")))
    workload = "W1 large hit, 8 clients"
    each = run.hawker(workload, "CPU s/GiB") + run.hawker(workload, "load's CPU s/GiB")
    found.append(("GiB/s of large hits", run.cores / each, run.hawker(workload, "GiB/s")))
    return found


def checks(run: Run) -> str:
    lines = ["| on the measuring machine | model | measured | measured ÷ model |", "|---|---|---|---|"]
    for what, model, measured in against(run):
        lines.append(f"| {what} | {model:,.4g} | {measured:,.4g} | {measured / model:.2f} |")
    return "\n".join(lines)


def write(tables: dict[str, str]):
    text = PAGE.read_text()
    for name, table in tables.items():
        mark, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        begin = text.index(mark) + len(mark)
        text = text[:begin] + table + text[text.index(end):]
    PAGE.write_text(text)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("results", type=pathlib.Path)
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--write", action="store_true")
    options = arguments.parse_args()
    run = Run(json.loads(options.results.read_text()))
    costs = Costs(run)
    tables = {"costs": costs.table(), "predictions": predictions(costs), "checks": checks(run)}
    print("\n\n".join(tables.values()))
    if options.write:
        write(tables)
    wrong = [what for what, model, measured in against(run) if not 0.6 <= measured / model <= 1.15]
    if options.check and wrong:
        print(f"\nThe model does not explain: {', '.join(wrong)}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
