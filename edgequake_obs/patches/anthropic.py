"""The anthropic SDK: made by the generator that made openai's, so the same functions are hooked by the same handlers.

What differs is where it sends (its path is one of the native side's) and whom that reaches (`vendor`).
"""

from __future__ import annotations

from edgequake_obs.patches import openai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from edgequake_obs.patches.hooks import Hook

recorded = True


def install(module: ModuleType) -> list[tuple[str, Hook | None]]:
    """Hook the SDK.

    Args:
        module: `anthropic._base_client`, imported.

    Returns:
        Each target's name and its hook; None where this version has no such function.
    """
    return openai.hook_base_client(module)


def release() -> None:
    """Nothing is hooked later than at the installation."""
