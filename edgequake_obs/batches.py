"""`batch_completion` and its kin: many calls at once, on threads."""

from __future__ import annotations

from contextvars import copy_context

from .calls import completion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._native import ModelResponse
    from .streaming import CustomStreamWrapper

    Reply = ModelResponse | CustomStreamWrapper

_MOST_THREADS = 100


def batch_completion(
    model: str, messages: Sequence[Sequence[object]] = (), max_workers: int = _MOST_THREADS, **params: object
) -> list[Reply | Exception]:
    """Ask one model about many conversations at once.

    Args:
        model: Its name.
        messages: The conversations.
        max_workers: How many calls are under way at most.
        **params: Of each call, as for `completion`.

    Returns:
        The answers in the order of the conversations; the exception of a call that failed stands in its place.
    """
    return _all([_call(model, conversation, params) for conversation in messages], max_workers)


def batch_completion_models(*, models: Sequence[str], messages: Sequence[object] = (), **params: object) -> Reply:
    """Ask several models at once, and take the first answer.

    Raises:
        OpenAIError: All failed; this is the last failure.
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    if not models:
        raise ValueError("models must name at least one model")
    pool = ThreadPoolExecutor(max_workers=len(models))
    try:
        calls = [pool.submit(_call(model, messages, params)) for model in models]
        failure: BaseException | None = None
        for done in as_completed(calls):
            failure = done.exception()
            if failure is None:
                return done.result()
        assert failure is not None
        raise failure
    finally:
        pool.shutdown(wait=False)


def batch_completion_models_all_responses(
    *, models: Sequence[str], messages: Sequence[object] = (), **params: object
) -> list[Reply]:
    """Ask several models at once, and take all answers.

    Returns:
        The answers in the order of the models, without those of calls that failed.
    """
    if not models:
        raise ValueError("models must name at least one model")
    answers = _all([_call(model, messages, params) for model in models], len(models))
    return [answer for answer in answers if not isinstance(answer, Exception)]


def _call(model: str, messages: Sequence[object], params: dict[str, object]) -> Callable[[], Reply]:
    # Labels and sums are those of the caller's context, which threads do not inherit.
    context = copy_context()
    return lambda: context.run(completion, model, messages, **params)  # type: ignore[arg-type]


def _all(calls: Sequence[Callable[[], Reply]], most: int) -> list[Reply | Exception]:
    from concurrent.futures import ThreadPoolExecutor

    def outcome(call: Callable[[], Reply]) -> Reply | Exception:
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(max_workers=max(min(most, len(calls)), 1)) as pool:
        return list(pool.map(outcome, calls))
