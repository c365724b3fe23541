"""litellm's base class for objects that are told of each call."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class CustomLogger:
    """Override what is of interest, and put an object into `edgequake_obs.callbacks`.

    The methods run on a thread of ours, in a copy of the caller's context, one call's in order; the `async_` ones on
    the caller's event loop, for asynchronous calls, in place of their synchronous kin. Whatever they do, the call goes
    on. `kwargs` describes the call as in litellm; at its end it holds `response_cost` (USD, None where no price is
    known) and `standard_logging_object`.

    Args:
        turn_off_message_logging: Whether this object shall not see prompts and answers.
        message_logging: False: the same.
    """

    def __init__(self, turn_off_message_logging: bool = False, message_logging: bool = True, **_: object) -> None:
        self.turn_off_message_logging = turn_off_message_logging
        self.message_logging = message_logging

    def log_pre_api_call(self, model: str, messages: list[object], kwargs: Mapping[str, object]) -> None:
        """The request is about to be sent."""

    def log_post_api_call(
        self, kwargs: Mapping[str, object], response_obj: object, start_time: datetime, end_time: datetime | None
    ) -> None:
        """The provider has answered."""

    def log_stream_event(
        self, kwargs: Mapping[str, object], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """A chunk of a stream arrived."""

    def log_success_event(
        self, kwargs: Mapping[str, object], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """The call is over; of a stream, `response_obj` is the whole answer."""

    def log_failure_event(
        self, kwargs: Mapping[str, object], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """The call failed: `kwargs["exception"]`."""

    async def async_log_stream_event(
        self, kwargs: Mapping[str, object], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """A chunk of an asynchronous stream arrived."""

    async def async_log_success_event(
        self, kwargs: Mapping[str, object], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """An asynchronous call is over."""

    async def async_log_failure_event(
        self, kwargs: Mapping[str, object], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """An asynchronous call failed."""
