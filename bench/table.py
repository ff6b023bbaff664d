"""What was measured: samples of each contestant, ratios within one run, and whether what hawker must do holds."""

import statistics

MORE_IS_BETTER = {"GiB/s", "requests/s", "tunnels/s", "insertions/s"}


class Table:
    def __init__(self):
        self.rows, self.verdicts = [], []

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

    def print(self):
        print(f"\n{'workload':34} {'unit':14} {'contestant':18} {'median':>11} {'min':>11} {'max':>11} {'ratio':>7}")
        last = None
        for row in self.rows:
            key = (row["workload"], row["unit"])
            label = key if key != last else ("", "")
            ratio = f"{row['ratio']:7.2f}" if row["ratio"] is not None else "      –"
            print(f"{label[0]:34} {label[1]:14} {row['peer']:18} {row['median']:11.3f} {row['min']:11.3f} "
                  f"{row['max']:11.3f} {ratio}")
            last = key
        print(f"\n{'hawker must':62} {'is':>9} {'bound':>9}")
        for verdict in self.verdicts:
            sign = "≥" if verdict["at_least"] else "≤"
            print(f"{verdict['workload'] + ': ' + verdict['what']:62} {verdict['value']:9.3f} {sign} {verdict['bound']:7.2f} "
                  f"{'' if verdict['holds'] else '  missed'}")
