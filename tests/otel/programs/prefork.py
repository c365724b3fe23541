"""prefork.py TASKS: a parent with threads and calls of its own, and workers by fork that are replaced after two tasks.

As celery's: a worker leaves by `os._exit`, so that nothing runs at its end but what it asked for itself.
"""

import os
import sys
import threading

import edgequake_obs

USAGE = {"prompt_tokens": 3, "completion_tokens": 4}
WORKERS, TASKS_EACH = 3, 2


def call() -> None:
    edgequake_obs.record(provider="openai", model="gpt-4o-mini", usage=USAGE)


def work(tasks: int) -> int:
    """A worker's process id."""
    child = os.fork()
    if child == 0:
        for _ in range(tasks):
            call()
        os._exit(0 if edgequake_obs.flush(10) else 3)
    return child


def main(tasks: int) -> int:
    enough = threading.Event()
    made = [0]

    def beside() -> None:
        # The parent's exporter is at work while it forks.
        while not enough.is_set():
            call()
            made[0] += 1
            enough.wait(0.001)

    thread = threading.Thread(target=beside)
    thread.start()
    left, running, failed = tasks, 0, 0
    while left or running:
        while left and running < WORKERS:
            work(min(TASKS_EACH, left))
            left, running = left - min(TASKS_EACH, left), running + 1
        failed += os.waitstatus_to_exitcode(os.wait()[1]) != 0
        running -= 1
    enough.set()
    thread.join()
    print(tasks + made[0])
    return failed


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
