"""Which libraries are installed, what of them is hooked, and by whom else."""

from __future__ import annotations

import os
import sys
from functools import reduce
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from .check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARIES = ("openai", "litellm", "anthropic")
# Distributions that hook the same libraries; where their spans cannot be seen, the remedy against two is ours to say.
OTHERS = (
    "opentelemetry-instrumentation-openai",
    "opentelemetry-instrumentation-openai-v2",
    "opentelemetry-instrumentation-genai-openai",
    "opentelemetry-instrumentation-anthropic",
    "openinference-instrumentation-openai",
    "openinference-instrumentation-litellm",
    "openinference-instrumentation-anthropic",
    "logfire",
    "langfuse",
    "langsmith",
    "ddtrace",
)
# Where others put their wrappers, and on the asynchronous twins: the path in each module.
_WRAPPED = (
    ("openai", "OpenAI.request"),
    ("openai.resources.chat.completions", "Completions.create"),
    ("openai.resources.responses", "Responses.create"),
    ("litellm", "completion"),
    ("anthropic.resources.messages", "Messages.create"),
)
_TWO_SPANS = "two spans of one call: EDGEQUAKE_OBS_OTEL=off leaves out ours"


def checks() -> list[Check]:
    """Hooks what is installed, as `instrument()` does, and says what came of it."""
    from edgequake_obs import patches

    found: list[Check] = []
    installed: dict[str, str] = {}
    for library in LIBRARIES:
        try:
            installed[library] = version(library)
        except PackageNotFoundError:
            found.append(Check(library, "note", "not installed"))
    if not installed:
        remedy = "record calls by `import edgequake_obs as litellm`, or install one of them beside this package"
        return [*found, Check("libraries", "note", "none that can be hooked", remedy)]
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import asks the network
    patches.instrument()
    return [*found, *(_of(library, its_version) for library, its_version in installed.items()), *_others()]


def _of(library: str, its_version: str) -> Check:
    from edgequake_obs import _native, patches

    try:
        import_module(library)
    except Exception as error:
        remedy = f"`python -c 'import {library}'` must work"
        return Check(library, "wrong", f"{its_version} cannot be imported: {error}", remedy)
    if not _native.enabled():
        return Check(library, "note", f"{its_version}, not hooked: recording is switched off")
    targets = patches.hooked().get(library, {})
    missing = [name.rpartition(".")[2] for name, is_hooked in targets.items() if not is_hooked]
    found = f"{its_version}, {len(targets) - len(missing)} functions hooked"
    if not any(targets.values()):
        remedy = "this version is not known: report it, or install an older one"
        return Check(library, "wrong", f"{its_version}, nothing could be hooked", remedy)
    if missing:
        found = f"{found}; not in this version: {', '.join(dict.fromkeys(missing))}"
    return Check(library, "ok", found)


def _others() -> Iterator[Check]:
    for name in OTHERS:
        try:
            found = f"{name} {version(name)} is installed and may hook the same calls: each still has one row here"
        except PackageNotFoundError:
            continue
        yield Check("beside", "note", found, _TWO_SPANS)
    for module, path in _WRAPPED:
        function = reduce(lambda owner, name: getattr(owner, name, None), path.split("."), sys.modules.get(module))
        for wrapper in _wrappers(function, module.partition(".")[0]):
            yield Check("beside", "note", f"{module}.{path} is hooked by {wrapper} too", _TWO_SPANS)


def _wrappers(function: object, library: str) -> list[str]:
    """The modules of other people's wrappers around a function, the outermost first."""
    modules: list[str] = []
    for _ in range(32):  # a wrapper may name itself
        beneath = getattr(function, "__wrapped__", None)
        if beneath is None:
            break
        # wrapt's names its function; of any other the globals say where it was written, whatever `wraps` copied.
        by = getattr(function, "_self_wrapper", function)
        by = getattr(by, "__func__", by)
        module = getattr(by, "__globals__", {}).get("__name__") or type(by).__module__
        if module.partition(".")[0] not in (library, "edgequake_obs", "functools"):
            modules.append(module)
        function = beneath
    return list(dict.fromkeys(modules))
