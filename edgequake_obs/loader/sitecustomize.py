"""Found by every interpreter that `edgequake-obs run` starts, or that those start: installs import hooks, nothing else.

The interpreter takes the first `sitecustomize` on its path; the next one, which would have been the program's, is run
after ours.
"""

import os
import sys


def _instrument() -> None:
    try:
        import edgequake_obs

        edgequake_obs.instrument()
    except Exception as error:  # the program runs all the same
        print(f"edgequake_obs records nothing here: {type(error).__name__}: {error}", file=sys.stderr)


def _run_the_next() -> None:
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))
    others = [folder for folder in sys.path if os.path.abspath(folder or os.curdir) != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


_instrument()
_run_the_next()
