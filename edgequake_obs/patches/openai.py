"""The openai SDK: every HTTP surface of its clients goes through `request` and `_process_response`.

What generates or bills is recorded; everything else passes through untouched. Holds for 1.40 to 3.x.

Not hooked, with the reasons: the resources' methods (they miss `client.post` and move between versions), the HTTP
client (the program may bring its own), `_prepare_request` (overridden in 3.x), `_build_request` and `_should_retry`
(what is passed on the good path costs; and a yes to a retry is not yet one).
"""

from __future__ import annotations

import copy
import sys

from edgequake_obs import _native
from edgequake_obs.patches import hooks, tee
from edgequake_obs.patches.failure import error_type_of, error_type_of_status, message_of
from edgequake_obs.patches.frame import Frame, current, enter_span, leave
from edgequake_obs.patches.library import LibraryFrame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any, Protocol, TypeGuard

    from edgequake_obs.patches.hooks import Args, Handler, Hook, Kwargs, Original
    from edgequake_obs.patches.vendor import Client

    class Options(Protocol):
        """What we use of the SDK's FinalRequestOptions."""

        method: str
        url: str
        json_data: dict[str, object] | bytes | None  # a `Body`; what is not an object is left alone
        extra_json: Mapping[str, object] | None
        headers: object  # a dict, or the SDK's mark for none


recorded = True


def install(module: ModuleType) -> list[tuple[str, Hook | None]]:
    """Hook the SDK.

    Args:
        module: `openai._base_client`, imported.

    Returns:
        Each target's name and its hook; None where this version has no such function.
    """
    return hook_base_client(module)


def hook_base_client(module: ModuleType) -> list[tuple[str, Hook | None]]:
    """Hook the clients of an SDK that was generated like this one."""
    common = _native.SdkHooks(sys.modules[__name__])
    targets: list[tuple[str, str, Handler]] = [
        ("SyncAPIClient", "request", common.request),
        ("AsyncAPIClient", "request", _awaited_request(common)),
        ("SyncAPIClient", "_process_response", common.process_response),
        ("AsyncAPIClient", "_process_response", common.process_response),
        ("BaseClient", "_calculate_retry_timeout", _calculate_retry_timeout),
        # A further attempt begins: after the sleep, or, before there was that function, with this one.
        ("SyncAPIClient", "_sleep_for_retry", _sleep_for_retry),
        ("AsyncAPIClient", "_sleep_for_retry", _asleep_for_retry),
        ("SyncAPIClient", "_request", _one_attempt),
        ("AsyncAPIClient", "_request", _one_attempt),
    ]
    installed: list[tuple[str, Hook | None]] = []
    for owner, name, handler in targets:
        function = hooks.innermost(vars(getattr(module, owner, object)).get(name))
        hook = None if function is None else hooks.InPlace(function, handler)
        installed.append((f"{module.__name__}.{owner}.{name}", hook))
    return installed


def release() -> None:
    """Nothing is hooked later than at the installation."""


def _awaited_request(common: _native.SdkHooks) -> Handler:
    async def _arequest(original: Original, args: Args, kwargs: Kwargs) -> object:
        frame = common.begin(args, kwargs, True)
        if frame is None:
            return await original(*args, **kwargs)
        token = current.set(frame)
        span = enter_span(frame) if frame.span else None
        try:
            if frame.options is not None:
                return await with_options(original, args, kwargs, frame.options)
            return await original(*args, **kwargs)
        except BaseException as error:
            raised(frame, error)
            raise
        finally:
            leave(frame, token, span)

    return _arequest


def _calculate_retry_timeout(original: Original, args: Args, kwargs: Kwargs) -> object:
    # Called wherever the SDK has decided to try again, inside its `except`.
    frame = current.get()
    if frame is not None and frame.call is not None and frame.active:
        try:
            frame.retrying = True
            _attempt_failed(frame.call, sys.exc_info()[1])
        except Exception as error:
            _native.note_internal_error("openai retry", error)
    return original(*args, **kwargs)


def _sleep_for_retry(original: Original, args: Args, kwargs: Kwargs) -> object:
    result = original(*args, **kwargs)
    _attempt_begins()
    return result


async def _asleep_for_retry(original: Original, args: Args, kwargs: Kwargs) -> object:
    result = await original(*args, **kwargs)
    _attempt_begins()
    return result


def _one_attempt(original: Original, args: Args, kwargs: Kwargs) -> object:
    _attempt_begins()
    return original(*args, **kwargs)


def _attempt_begins() -> None:
    frame = current.get()
    if frame is not None and frame.retrying and frame.active and frame.call is not None:
        frame.retrying = False
        try:
            frame.call.attempt()
        except Exception as error:
            _native.note_internal_error("openai attempt", error)


# What follows up to the errors, `SdkHooks` calls where a request is not as most are.


def begin_within(
    outer: Frame,
    service: _native.Service,
    client: Client,
    options: Options,
    operation: str,
    streaming: bool,
    asynchronous: bool,
) -> Frame:
    """The frame of a request that is made within another patched call."""
    if not isinstance(outer, LibraryFrame):
        return Frame(None, False, asynchronous)
    params = options.json_data if isinstance(options.json_data, dict) else {}
    params = {**params, **options.extra_json} if options.extra_json else params
    model, key = params.get("model"), getattr(client, "api_key", None)
    part = outer.part(
        operation,
        service.provider,
        model if isinstance(model, str) else None,
        service.server_address,
        key if isinstance(key, str) else None,
    )
    frame = Frame(part, streaming or params.get("stream") is True, asynchronous)
    frame.within = outer
    if carried := part.carried():
        frame.options = carrying(options, carried, client)
    return frame


def answers_piecewise(
    frame: Frame, call: _native.Call | _native.Part | _native.Fetched, response: tee.Response
) -> None:
    """The program has yet to read the answer: a stream, or what it reads by itself."""
    if isinstance(call, _native.Fetched):
        tee.attach(response, call, frame.asynchronous)
    elif frame.streaming:
        frame.tap = call.tap(response.status_code, response.headers, frame.hide_usage)
        if frame.within is not None:
            frame.within.tap = frame.tap
        tee.attach(response, frame.tap, frame.asynchronous)
    else:  # `with_streaming_response`
        tee.attach(response, tee.Collected(call, response), frame.asynchronous)


def with_options(original: Original, args: Args, kwargs: Kwargs, options: object) -> Any:
    """The request with other options than the program gave."""
    if len(args) > 2:
        return original(*args[:2], options, *args[3:], **kwargs)
    return original(*args, **{**kwargs, "options": options})


def carrying(options: Options, carried: list[tuple[str, str]], client: Client) -> Options:
    """The options with headers that tell the provider of the request's trace; what the program has set stays."""
    from edgequake_obs.patches.propagation import added

    own: Mapping[str, object] = options.headers if _are_given(options.headers) else {}
    of_client: Mapping[str, object] = getattr(client, "_custom_headers", {})
    changed = copy.copy(options)
    changed.headers = added(carried, own, of_client)
    return changed


def ask_for_usage(frame: Frame, options: Options) -> None:
    """Send the request with usage asked for; the chunk that tells it is kept from the program."""
    try:
        asking = _asking_for_usage(options if frame.options is None else frame.options)
    except Exception as error:
        _native.note_internal_error("openai stream options", error)
        return
    if asking is not None:
        frame.hide_usage = True
        frame.options = asking


def _asking_for_usage(options: Options) -> Options | None:
    """The options with usage asked for; None where the program has said itself whether it wants it."""
    body, extra = options.json_data, options.extra_json or {}
    if not (isinstance(body, dict) or (body is None and extra)):
        return None
    asked = extra.get("stream_options", (body or {}).get("stream_options"))
    if not _native.stream_usage_injected() or (asked is not None and not _leaves_usage_open(asked)):
        return None
    stream_options: dict[str, object] = {**(asked or {}), "include_usage": True}
    # The program may own all three: its options, its body, its extra body.
    asking = copy.copy(options)
    if "stream_options" in extra:
        asking.extra_json = {**extra, "stream_options": stream_options}
    else:
        asking.json_data = {**(body or {}), "stream_options": stream_options}
    return asking


def _are_given(headers: object) -> TypeGuard[Mapping[str, object]]:
    return hasattr(headers, "keys")  # the SDK's mark for none has not


def _leaves_usage_open(stream_options: object) -> TypeGuard[dict[str, object]]:
    return isinstance(stream_options, dict) and "include_usage" not in stream_options


def raised(frame: Frame, error: BaseException) -> None:
    """The request failed, or the program gave it up."""
    call, tap = frame.call, frame.tap
    frame.call = None
    try:
        if tap is not None:
            tap.failed(error_type_of(error), str(error))
        elif call is None:
            pass  # what fails after the answer is the program's own parsing
        elif not isinstance(error, Exception):
            call.cancelled()
        else:
            response: tee.Response | None = getattr(error, "response", None)
            body: bytes | None = getattr(response, "_content", None)
            headers = None if response is None else response.headers
            status = None if response is None else response.status_code
            call.failed(error_type_of(error), message_of(error), status, body, headers)
    except Exception as internal:
        _native.note_internal_error("openai failure", internal)


def _attempt_failed(call: _native.Call | _native.Part | _native.Fetched, error: BaseException | None) -> None:
    response: tee.Response | None = getattr(error, "response", None)
    if response is not None:
        request_id = response.headers.get("x-request-id")
        call.attempt_failed(response.status_code, error_type_of_status(response), request_id)
    elif error is not None:
        # The SDK takes whatever a transport raises for a connection that failed.
        timeout = error_type_of(error) == "timeout"
        call.attempt_failed(None, "timeout" if timeout else "connection_error", None)
    else:
        call.attempt_failed(None, None, None)
