"""What litellm has and this package does not: said with what to do instead, where a program asks for it or sets it.

The names are those of litellm 1.106 that its users rely on.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ROUTER = (
    "give completion() `fallbacks=`, or keep litellm's Router and call edgequake_obs.instrument(), which records it"
)
_CACHE = "keep litellm with its cache and have edgequake_obs.instrument() record it: cached answers cost nothing"
_BUDGET = "no call is refused for what was spent: ask edgequake_obs.context(...).cost_usd, or the ledger"
_OTHER_API = "call the provider's SDK, or litellm, and edgequake_obs.instrument() to record what it does"
_RULES = "check messages and answers around the call, or register a CustomLogger to look at them"
_FALLBACKS = "give completion() `fallbacks=`"
_CALLBACKS = "register it in callbacks, success_callback or failure_callback"
_HTTP = "connections are the client's own: give the call ssl_verify, timeout or extra_headers"
_LISTS = "look into model_cost, models_by_provider or get_valid_models()"

_INSTEAD: dict[str, tuple[str, ...]] = {
    _ROUTER: ("Router", "Deployment", "allowed_fails"),
    _CACHE: (
        "Cache",
        "cache",
        "caching",
        "caching_with_models",
        "disable_cache",
        "enable_cache",
        "in_memory_llm_clients_cache",
        "update_cache",
    ),
    _BUDGET: ("BudgetManager", "_current_cost", "budget_duration", "default_max_internal_user_budget", "max_budget"),
    _OTHER_API: (
        "CustomLLM",
        "acreate_batch",
        "acreate_file",
        "add_message",
        "ahealth_check",
        "anthropic_messages",
        "aocr",
        "asearch",
        "cancel_batch",
        "cancel_fine_tuning_job",
        "create_batch",
        "create_file",
        "create_fine_tuning_job",
        "create_thread",
        "custom_provider_map",
        "delete_responses",
        "file_content",
        "file_delete",
        "file_list",
        "file_retrieve",
        "get_assistants",
        "get_messages",
        "get_responses",
        "list_batches",
        "list_fine_tuning_jobs",
        "list_input_items",
        "ocr",
        "retrieve_batch",
        "run_thread",
        "search",
        "vertex_location",
        "vertex_project",
        "video_generation",
    ),
    _RULES: ("custom_prompt_dict", "enable_json_schema_validation", "post_call_rules", "pre_call_rules"),
    _FALLBACKS: ("content_policy_fallbacks", "context_window_fallbacks", "default_fallbacks", "fallbacks"),
    _CALLBACKS: ("Logging", "_async_failure_callback", "_async_success_callback", "service_callback"),
    _HTTP: ("aclient_session", "client_session", "force_ipv4"),
    _LISTS: (
        "anthropic_models",
        "bedrock_models",
        "open_ai_chat_completion_models",
        "openai_compatible_endpoints",
        "openai_compatible_providers",
    ),
}

# Where nobody heeds them, money or answers are others than the program counts on.
_SETTINGS = frozenset(
    (
        "aclient_session",
        "allowed_fails",
        "cache",
        "caching",
        "caching_with_models",
        "client_session",
        "content_policy_fallbacks",
        "context_window_fallbacks",
        "custom_prompt_dict",
        "custom_provider_map",
        "default_fallbacks",
        "enable_json_schema_validation",
        "fallbacks",
        "force_ipv4",
        "max_budget",
        "post_call_rules",
        "pre_call_rules",
        "service_callback",
        "vertex_location",
        "vertex_project",
    )
)


def remedy(name: str) -> str | None:
    """What to do instead of using one of litellm's names; None where litellm has no such name."""
    return next((instead for instead, names in _INSTEAD.items() if name in names), None)


def settings_among(given: Mapping[str, object]) -> list[str]:
    """Sentences about those settings of litellm's that a program gave and nothing here heeds."""
    return [
        f"litellm's {name} is set, and not served: {remedy(name)}"
        for name, value in list(given.items())
        # A module of ours may have such a name, too.
        if name in _SETTINGS and value and not isinstance(value, type(sys))
    ]
