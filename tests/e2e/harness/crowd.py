"""Several clients at the same moment."""

import threading

from harness.waiting import patience


class Crowd:
    """crowd = Crowd(); crowd.start(function, ...); results = crowd.join()"""

    def __init__(self):
        self._threads = []
        self._results = []
        self._problems = []

    def start(self, work, *arguments, **named):
        index = len(self._threads)
        self._results.append(None)

        def run():
            try:
                self._results[index] = work(*arguments, **named)
            except BaseException as problem:  # handed to join()
                self._problems.append(problem)

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def join(self, within=120):
        """The results in the order of start(); the first exception of any of them is raised here."""
        for thread in self._threads:
            thread.join(patience(within))
            assert not thread.is_alive(), "a client did not finish"
        if self._problems:
            raise self._problems[0]
        return self._results


def all_at_once(count, work, within=120):
    """work(0) ... work(count - 1), released together."""
    barrier = threading.Barrier(count)
    crowd = Crowd()

    def released(number):
        barrier.wait(patience(20))
        return work(number)

    for number in range(count):
        crowd.start(released, number)
    return crowd.join(within)


def fetching(hawker, url, count):
    """So many clients, each on a connection of its own: a Crowd under way."""
    crowd = Crowd()
    for _ in range(count):
        crowd.start(hawker.fetch, url)
    return crowd
