"""litellm's `standard_logging_object`: one call as a flat dict, the same for every provider."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .details import CallDetails, Ending

_NO_ERROR = {
    "error_code": "",
    "error_class": "",
    "llm_provider": "",
    "traceback": "",
    "error_message": "",
    "error_provider_request_id": None,
}


def standard_logging_object(kwargs: Mapping[str, object], ending: Ending, details: CallDetails) -> dict[str, object]:
    """The payload, with litellm's keys.

    `response_cost` is a float in USD, and 0.0 where no price is known, as litellm has it: `kwargs["response_cost"]`
    tells the two apart. Times are seconds since the epoch.
    """
    facts = ending.facts
    error = ending.exception
    cost = facts["cost"]
    started: datetime = kwargs["start_time"]  # type: ignore[assignment]
    ended: datetime = kwargs["end_time"]  # type: ignore[assignment]
    first: datetime = kwargs["completion_start_time"]  # type: ignore[assignment]
    metadata: dict[str, object] = details.metadata  # type: ignore[assignment]
    input_tokens, output_tokens = facts["input_tokens"] or 0, facts["output_tokens"] or 0
    parameters: dict[str, object] = details.params  # type: ignore[assignment]
    litellm_params: dict[str, object] = kwargs["litellm_params"]  # type: ignore[assignment]
    return {
        "id": facts["response_id"] or facts["call_uid"],
        "trace_id": facts["trace_id"],
        "session_id": facts["session"],
        "litellm_call_id": facts["call_uid"],
        "call_type": kwargs["call_type"],
        "stream": True if details.streaming else None,
        "status": "success" if error is None else "failure",
        "status_fields": {
            "llm_api_status": "success" if error is None else "failure",
            "guardrail_status": "not_run",
        },
        "custom_llm_provider": facts["provider"],
        "model": details.model,
        "model_id": None,
        "model_group": "",
        "model_parameters": parameters,
        "api_base": litellm_params["api_base"],
        "messages": kwargs["messages"],
        "response": {} if ending.plain is None else ending.plain,
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "response_cost": 0.0 if cost is None else cost,
        "saved_cache_cost": 0.0,
        "cost_breakdown": None,
        "startTime": started.timestamp(),
        "endTime": ended.timestamp(),
        "completionStartTime": first.timestamp(),
        "response_time": facts["duration_ns"] / 1e9,
        "cache_hit": kwargs["cache_hit"],
        "cache_key": None,
        "request_tags": metadata.get("tags") or [],
        "end_user": metadata.get("user_api_key_end_user_id"),
        "metadata": {**metadata, "usage_object": facts["usage"]},
        "hidden_params": {
            "model_id": None,
            "cache_key": None,
            "api_base": litellm_params["api_base"],
            "response_cost": 0.0 if cost is None else cost,
            "additional_headers": {
                f"llm_provider-{name}": value for name, value in facts["headers"].items() if "cookie" not in name
            },
            "litellm_model_name": f"{facts['provider']}/{details.model}",
            "usage_object": facts["usage"],
        },
        "model_map_information": {"model_map_key": details.model, "model_map_value": None},
        "error_str": None if error is None else str(error),
        "error_information": _NO_ERROR if error is None else _information(error),
        "requester_ip_address": None,
        "user_agent": None,
        "guardrail_information": None,
        "standard_built_in_tools_params": None,
    }


def _information(error: Exception) -> dict[str, object]:
    return {
        "error_code": str(getattr(error, "status_code", "")),
        "error_class": type(error).__name__,
        "llm_provider": getattr(error, "llm_provider", ""),
        "traceback": "",
        "error_message": str(error),
        "error_provider_request_id": None,
    }
