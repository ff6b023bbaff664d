"""What was measured: samples of each contestant, ratios within one run, and whether what hawker must do holds."""

import statistics

MORE_IS_BETTER = {"GiB/s", "requests/s", "tunnels/s", "insertions/s"}
STATIC = ("nginx static", "nginx TLS static")


class AtLeast(float):
    """Of somebody who was not waited for any longer."""


class Table:
    def __init__(self):
        self.rows, self.verdicts = [], []
        self.printed = 0

    def add(self, workload: str, samples: dict[str, dict[str, list[float]]], base: str):
        """`samples`: contestant → unit → one value a round. Ratios are to `base`."""
        units = list(dict.fromkeys(unit for values in samples.values() for unit in values))
        for unit in units:
            foundation = statistics.median(samples[base][unit]) if unit in samples.get(base, {}) else 0
            for name, values in samples.items():
                if unit not in values:
                    continue
                middle = statistics.median(values[unit])
                self.rows.append({"workload": workload, "unit": unit, "peer": name, "median": middle,
                                  "min": min(values[unit]), "max": max(values[unit]), "base": base,
                                  "ratio": middle / foundation if foundation else None})
                if any(isinstance(value, AtLeast) for value in values[unit]):
                    self.rows[-1]["at_least"] = True

    def median(self, workload: str, unit: str, peer: str) -> float:
        return next(row["median"] for row in self.rows
                    if (row["workload"], row["unit"], row["peer"]) == (workload, unit, peer))

    def ratio(self, workload: str, unit: str, to: str) -> float:
        foundation = self.median(workload, unit, to)
        return self.median(workload, unit, "hawker") / foundation if foundation else float("inf")

    def must(self, workload: str, what: str, value: float, bound: float, at_least: bool):
        holds = value >= bound if at_least else value <= bound
        self.verdicts.append({"workload": workload, "what": what, "value": value, "bound": bound,
                              "at_least": at_least, "holds": holds})

    def must_reach(self, workload: str, unit: str, to: str, bound: float):
        """hawker's ratio to `to`: at least `bound` where more is better, at most where less is."""
        self.must(workload, f"{unit}, × {to}", self.ratio(workload, unit, to), bound, unit in MORE_IS_BETTER)

    def print_new(self):
        """The tables of what has been measured since the last time."""
        rows = self.rows[self.printed:]
        self.printed = len(self.rows)
        for workload in dict.fromkeys(row["workload"] for row in rows):
            print_columns(workload, lines_of([row for row in rows if row["workload"] == workload]))

    def print_verdicts(self):
        print(f"\n{'hawker must':72} {'is':>9} {'bound':>9}")
        for verdict in self.verdicts:
            sign = "≥" if verdict["at_least"] else "≤"
            print(f"{verdict['workload'] + ': ' + verdict['what']:72} {verdict['value']:9.3f} {sign} {verdict['bound']:7.2f} "
                  f"{'' if verdict['holds'] else '  missed'}")


def number(value: float) -> str:
    digits = 0 if abs(value) >= 100 or value == 0 else 2 if abs(value) >= 1 else 3 if abs(value) >= 0.1 else 4
    return f"{value:,.{digits}f}"


def short(value: float) -> str:
    """In five letters: two of them share a column."""
    if abs(value) >= 9_999.5:
        return f"{value / 1e3:,.{1 if abs(value) < 99_950 else 0}f}k"
    return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3}f}"


def lines_of(rows: list[dict]) -> list[tuple[str, dict[str, str]]]:
    """One workload's lines, of what stands in each contestant's column: of every unit the median, the spread where there were
    several rounds, and the ratios to the base and to nginx serving the file statically. What belongs to the unit above is indented."""
    lines = [("", {row["peer"]: row["peer"] for row in rows})]
    for unit in dict.fromkeys(row["unit"] for row in rows):
        of = {row["peer"]: row for row in rows if row["unit"] == unit}
        marks = {peer: "≥ " if row.get("at_least") else "" for peer, row in of.items()}
        lines.append((unit, {peer: marks[peer] + number(row["median"]) for peer, row in of.items()}))
        spread = {peer: f"{short(row['min'])}..{short(row['max'])}" for peer, row in of.items() if row["min"] != row["max"]}
        if spread:
            lines.append(("  min..max", spread))
        for base in dict.fromkeys([rows[0]["base"], *STATIC]):
            if base in of and of[base]["median"] and len(of) > 1:
                ratios = {peer: f"{marks[peer]}{row['median'] / of[base]['median']:.2f}" for peer, row in of.items()}
                lines.append((f"  × {base}", ratios))
    return lines


def print_columns(workload: str, lines: list[tuple[str, dict[str, str]]]):
    first = max(len(label) for label, _ in lines)
    widths = {peer: 2 + max(len(cells.get(peer, "")) for _, cells in lines) for peer in lines[0][1]}
    print(f"\n{workload}")
    for label, cells in lines:
        print(f"{label:{first}}" + "".join(f"{cells.get(peer, '–'):>{width}}" for peer, width in widths.items()), flush=True)
