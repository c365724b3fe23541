"""litellm: its public functions and its Router own the record; what they send makes its attempts.

The functions are hooked where litellm defines them, from 1.80 on; from 1.104 on a dispatcher stands before some.
What goes through the openai SDK is heard by that patch, everything else by the two HTTP handlers hooked here.
"""

from __future__ import annotations

import sys
from importlib import import_module

from edgequake_obs import _native
from edgequake_obs._caller import current as caller
from edgequake_obs.patches import guard, hooks, tee
from edgequake_obs.patches.failure import error_type_of
from edgequake_obs.patches.frame import current, enter_span, leave
from edgequake_obs.patches.library import LibraryFrame, hidden_of
from edgequake_obs.patches.propagation import carrying

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import FunctionType, ModuleType

    from edgequake_obs.patches.hooks import Args, Handler, Hook, Kwargs, Original

recorded = True

# Function -> the operation, and the arguments that may be given by position.
_FUNCTIONS: dict[str, tuple[str, Sequence[str]]] = {
    "completion": ("chat", ("model", "messages")),
    "text_completion": ("text_completion", ("prompt", "model")),
    "embedding": ("embeddings", ("model", "input")),
    "transcription": ("transcription", ("model",)),
    "speech": ("speech", ("model", "input")),
    "moderation": ("moderation", ("input", "model")),
    "image_generation": ("image_generation", ("prompt", "model")),
    "image_edit": ("image_edit", ("image", "prompt", "model")),
    "image_variation": ("image_edit", ("image", "model")),
    "rerank": ("rerank", ("model",)),
    "responses": ("responses", ("input", "model")),
    "anthropic_messages": ("messages", ("max_tokens", "messages", "model")),
}
_MESSAGES = "litellm.llms.anthropic.experimental_pass_through.messages.handler"
# Where litellm has them, in one version or another.
_HOMES = (
    "litellm.main",
    "litellm.images.main",
    "litellm.rerank_api.main",
    "litellm.responses.main",
    "litellm.chat_completions.dispatch",
    "litellm.embeddings.dispatch",
    "litellm.responses.dispatch",
    "litellm.messages.dispatch",
    _MESSAGES,
)


def install(module: ModuleType) -> list[tuple[str, Hook | None]]:
    """Hook litellm.

    Args:
        module: `litellm`, imported.

    Returns:
        Each target's name and its hook; None where this version has no such function.
    """
    _Version.text = _version()
    installed: list[tuple[str, Hook | None]] = []
    seen: set[int] = set()
    for home in _HOMES:
        found = vars(sys.modules[home]) if home in sys.modules else {}
        for name, (surface, positions) in _FUNCTIONS.items():
            for public in (name, f"a{name}"):
                function = _own(found[public]) if public in found else None
                if function is None or id(function) in seen:
                    continue
                seen.add(id(function))
                handler = (_afunction if _is_coroutine(function) else _function)(surface, positions)
                installed.append((f"{home}.{public}", hooks.InPlace(function, handler)))
    # The attribute makes litellm load its Router, which `litellm.Router` is for most programs anyhow.
    router: type | None = getattr(module, "Router", None)
    for name, handler in (("function_with_fallbacks", _routed), ("async_function_with_fallbacks", _arouted)):
        function = _own(getattr(router, name, None))
        hook = None if function is None or id(function) in seen else hooks.InPlace(function, handler)
        installed.append((f"litellm.Router.{name}", hook))
    handlers = import_module("litellm.llms.custom_httpx.http_handler")
    posts: tuple[tuple[str, Handler], ...] = (("HTTPHandler", _post), ("AsyncHTTPHandler", _apost))
    for owner, post in posts:
        function = _own(vars(getattr(handlers, owner, object)).get("post"))
        hook = None if function is None else hooks.InPlace(function, post)
        installed.append((f"litellm.llms.custom_httpx.http_handler.{owner}.post", hook))
    return installed


def release() -> None:
    """Give litellm's streams their methods back."""
    guard.release()


class _Version:
    text: str | None = None


def _version() -> str | None:
    told: object = getattr(sys.modules.get("litellm._version"), "version", None)
    if isinstance(told, str) and told[:1].isdigit():  # else "unknown"
        return told
    from importlib.metadata import PackageNotFoundError, version  # takes 2 ms

    try:
        return version("litellm")
    except PackageNotFoundError:  # run from its sources
        return None


def _own(function: object) -> FunctionType | None:
    """litellm's outermost function, beneath other tools' wrappers: its own decorator answers from its cache."""
    from types import FunctionType

    function = getattr(function, "__func__", function)
    while not (isinstance(function, FunctionType) and function.__globals__["__name__"].startswith("litellm")):
        function = getattr(function, "__wrapped__", None)
        if function is None:
            return None
    return function


def _is_coroutine(function: FunctionType) -> bool:
    return bool(function.__code__.co_flags & 0x80)  # inspect.CO_COROUTINE


def _function(surface: str, positions: Sequence[str]) -> Handler:
    def handler(original: Original, args: Args, kwargs: Kwargs) -> object:
        frame = _begin(surface, positions, args, kwargs)
        if frame is None:
            return original(*args, **kwargs)
        token = current.set(frame)
        span = enter_span(frame) if frame.span else None
        try:
            answer = original(*args, **kwargs)
        except BaseException as error:
            frame.raised(error)
            raise
        finally:
            leave(frame, token, span)
        # Told to be asynchronous by an argument, litellm gives a coroutine.
        is_coroutine = guard.is_coroutine(type(answer))  # pyright: ignore[reportUnknownArgumentType]
        return _awaited(frame, answer) if is_coroutine else _ended(frame, answer)

    return handler


def _afunction(surface: str, positions: Sequence[str]) -> Handler:
    async def handler(original: Original, args: Args, kwargs: Kwargs) -> object:
        frame = _begin(surface, positions, args, kwargs)
        if frame is None:
            return await original(*args, **kwargs)
        return await _within(frame, lambda: original(*args, **kwargs))

    return handler


def _routed(original: Original, args: Args, kwargs: Kwargs) -> object:
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        # Beneath a running loop litellm goes on in a thread that knows nothing of this context: the call begins there.
        return original(*args, **kwargs)
    frame = _begin_routed(kwargs)
    if frame is None:
        return original(*args, **kwargs)
    token = current.set(frame)
    span = enter_span(frame) if frame.span else None
    try:
        answer = original(*args, **kwargs)
    except BaseException as error:
        frame.raised(error)
        raise
    finally:
        leave(frame, token, span)
    return _ended(frame, answer, routes=True)


async def _arouted(original: Original, args: Args, kwargs: Kwargs) -> object:
    frame = _begin_routed(kwargs)
    if frame is None:
        return await original(*args, **kwargs)
    return await _within(frame, lambda: original(*args, **kwargs), routes=True)


async def _within(frame: LibraryFrame, call: Callable[[], Awaitable[object]], routes: bool = False) -> object:
    frame.active = True
    token = current.set(frame)
    span = enter_span(frame) if frame.span else None
    try:
        answer = await call()
    except BaseException as error:
        frame.raised(error)
        raise
    finally:
        leave(frame, token, span)
    return _ended(frame, answer, routes)


async def _awaited(frame: LibraryFrame, answer: Awaitable[object]) -> object:
    async def wait() -> object:
        return await answer

    return await _within(frame, wait)


def _ended(frame: LibraryFrame, answer: object, routes: bool = False) -> object:
    try:
        if guard.is_stream(type(answer)):
            if getattr(answer, "custom_llm_provider", None) == "cached_response":
                frame.library_call.unsent(True)
            elif frame.mocked and not frame.sent:
                frame.library_call.unsent(False)
            elif frame.in_own_words or not frame.sent:
                frame.tell(answer, hidden_of(answer))
            return guard.watch(answer, frame, routes)
        frame.answered(answer)
    except Exception as error:
        _native.note_internal_error("litellm answer", error)
    return answer


def _begin(surface: str, positions: Sequence[str], args: Args, kwargs: Kwargs) -> LibraryFrame | None:
    try:
        outer = current.get()
        params = {**kwargs, **dict(zip(positions, args, strict=False))} if args else kwargs
        if outer is not None and outer.active:
            if isinstance(outer, LibraryFrame):
                _serve(outer, surface, params)
            return None
        provider, model = _target(params)
        return _frame(surface, provider, model, params)
    except Exception as error:
        _native.note_internal_error("litellm call", error)
        return None


def _begin_routed(kwargs: Kwargs) -> LibraryFrame | None:
    try:
        outer = current.get()
        if outer is not None and outer.active:
            return None
        name: str = getattr(kwargs.get("original_function"), "__name__", "")
        surface = next((s for n, (s, _) in _FUNCTIONS.items() if name.lstrip("_").removeprefix("a") == n), "chat")
        model = kwargs.get("model")
        return _frame(surface, None, model if isinstance(model, str) else None, kwargs)
    except Exception as error:
        _native.note_internal_error("litellm router", error)
        return None


def _frame(surface: str, provider: str | None, model: str | None, params: Kwargs) -> LibraryFrame:
    key = params.get("api_key")
    streaming = params.get("stream") is True
    call = _native.begin_call(
        origin="litellm",
        origin_version=_Version.text,
        provider=provider or "unknown",
        operation=surface,
        server_address=None,
        model=model,
        streaming=streaming,
        params=params,
        caller=caller(),
        api_key=key if isinstance(key, str) else None,
        headers=(params.get("extra_headers"), params.get("headers")),
    )
    frame = LibraryFrame(None, streaming, False)
    frame.library_call = _native.LibraryCall(call)
    frame.surface, frame.provider, frame.serving = surface, provider, (surface, provider, model)
    frame.span = call.span
    frame.mocked = params.get("mock_response") is not None or params.get("mock_tool_calls") is not None
    return frame


def _serve(outer: LibraryFrame, surface: str, params: Kwargs) -> None:
    """A router, or a fallback, has chosen another model than the call named."""
    provider, model = _target(params)
    serving = (outer.surface if outer.surface != "chat" else surface, provider, model)
    if provider is None or serving == outer.serving:
        return
    outer.provider, outer.serving = provider, serving
    outer.library_call.serves(serving[0], provider, model)


# litellm's own resolution takes tens of microseconds.
_targets: dict[tuple[object, object, object], tuple[str | None, str | None]] = {}


def _target(params: Kwargs) -> tuple[str | None, str | None]:
    """litellm's id of the provider, and the model's name without it; None where litellm does not know."""
    model, custom, base = params.get("model"), params.get("custom_llm_provider"), params.get("api_base")
    if not isinstance(model, str):
        return (custom if isinstance(custom, str) else None), None
    asked = (model, custom if isinstance(custom, str) else None, base if isinstance(base, str) else None)
    known = _targets.get(asked)
    if known is None:
        try:
            name, provider, _, _ = sys.modules["litellm"].get_llm_provider(
                model=model, custom_llm_provider=asked[1], api_base=asked[2]
            )
            known = (provider or None, name or model)
        except Exception:  # the call itself will fail of it
            known = (asked[1], model)
        if len(_targets) > 1024:
            _targets.clear()
        _targets[asked] = known
    return known


def _post(original: Original, args: Args, kwargs: Kwargs) -> object:
    frame, part = _begin_post(args, kwargs)
    if frame is None or part is None:
        return original(*args, **kwargs)
    args, kwargs = carrying(part, args, kwargs)
    try:
        response = original(*args, **kwargs)
    except BaseException as error:
        _post_failed(part, error)
        raise
    _posted(frame, part, response, kwargs.get("stream") is True, False)
    return response


async def _apost(original: Original, args: Args, kwargs: Kwargs) -> object:
    frame, part = _begin_post(args, kwargs)
    if frame is None or part is None:
        return await original(*args, **kwargs)
    args, kwargs = carrying(part, args, kwargs)
    try:
        response = await original(*args, **kwargs)
    except BaseException as error:
        _post_failed(part, error)
        raise
    _posted(frame, part, response, kwargs.get("stream") is True, True)
    return response


def _begin_post(args: Args, kwargs: Kwargs) -> tuple[LibraryFrame | None, _native.Part | None]:
    frame = current.get()
    if not (isinstance(frame, LibraryFrame) and frame.active):
        return None, None
    try:
        url = str(args[1] if len(args) > 1 else kwargs.get("url", ""))
        path = url.partition("?")[0]
        if path.endswith(("/token", "/oauth2/token")):
            return None, None  # asks for a key, not for an answer
        dialect = _native.surface_of(url)
        own = "messages" if path.endswith("/messages") else "provider"
        surface = dialect or own
        host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
        return frame, frame.part(surface, "unknown", None, host or None, None)
    except Exception as error:
        _native.note_internal_error("litellm request", error)
        return None, None


def _posted(
    frame: LibraryFrame, part: _native.Part, response: tee.Response, streaming: bool, asynchronous: bool
) -> None:
    try:
        content: bytes | None = getattr(response, "_content", None)
        if content is not None and not streaming:
            part.answered(response.status_code, response.headers, content)
        else:
            frame.tap = part.tap(response.status_code, response.headers, False)
            tee.attach(response, frame.tap, asynchronous)
    except Exception as error:
        _native.note_internal_error("litellm response", error)


def _post_failed(part: _native.Part, error: BaseException) -> None:
    try:
        response: tee.Response | None = getattr(error, "response", None)
        status = getattr(response, "status_code", None)
        body: bytes | None = getattr(response, "_content", None)
        headers = None if response is None else response.headers
        part.failed(error_type_of(error), str(error), status, body, headers)
    except Exception as internal:
        _native.note_internal_error("litellm failure", internal)
