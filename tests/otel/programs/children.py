"""children.py HOW WHEN: a process and its children make calls.

HOW fork | _exit | pool | mp-fork | mp-spawn | mp-forkserver, the last by multiprocessing;
WHEN before | after the first call.
"""

import multiprocessing
import os
import sys

import edgequake_obs

USAGE = {"prompt_tokens": 3, "completion_tokens": 4}


def calls(count: int = 3) -> None:
    for _ in range(count):
        edgequake_obs.record(provider="openai", model="gpt-4o-mini", usage=USAGE)


def work_and_leave(_: int = 0) -> None:
    """As celery's and other pools' workers do, which are recycled by `os._exit`."""
    calls()
    edgequake_obs.flush(10)


if __name__ == "__main__":
    how, when = sys.argv[1:]
    if when == "after":
        calls()
    if how in ("fork", "_exit"):
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                calls()
                if how == "fork":
                    sys.exit(0)
                os._exit(0 if edgequake_obs.flush(10) else 3)
            children.append(child)
        calls()
        statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    else:
        context = multiprocessing.get_context(how.removeprefix("mp-") if how != "pool" else "fork")
        target = work_and_leave if how == "pool" else calls
        workers = [context.Process(target=target) for _ in range(3)]
        for worker in workers:
            worker.start()
        calls()
        for worker in workers:
            worker.join()
        statuses = [worker.exitcode for worker in workers]
    sys.exit(any(statuses))
