"""Functions as OpenAI writes them into a prompt, in TypeScript: what `token_counter` counts for `tools`.

The form was found by github.com/hmarr/openai-chat-tokens (MIT), by comparing with the usage that OpenAI reports.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def typescript(tools: Sequence[Any]) -> str:
    """The definitions of these tools, in OpenAI's form for chat completions."""
    lines = ["namespace functions {", ""]
    for tool in tools:
        function: Mapping[str, Any] = tool.get("function") or {}
        if function.get("description"):
            lines.append(f"// {function['description']}")
        parameters: Mapping[str, Any] = function.get("parameters") or {}
        if parameters.get("properties"):
            lines += [f"type {function.get('name')} = (_: {{", _properties(parameters, 0), "}) => any;"]
        else:
            lines.append(f"type {function.get('name')} = () => any;")
        lines.append("")
    lines.append("} // namespace functions")
    return "\n".join(lines)


def _properties(schema: Mapping[str, Any], indent: int) -> str:
    properties: Mapping[str, Any] = schema.get("properties") or {}
    required = schema.get("required") or ()
    lines: list[str] = []
    for name, property_schema in properties.items():
        if property_schema.get("description"):
            lines.append(f"// {property_schema['description']}")
        optional = "" if name in required else "?"
        lines.append(f"{name}{optional}: {_type(property_schema, indent)},")
    return "\n".join(" " * indent + line for line in lines)


def _type(schema: Mapping[str, Any], indent: int) -> str:
    kind = schema.get("type")
    if kind in ("string", "integer", "number") and "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if kind == "array":
        return f"{_type(schema.get('items') or {}, indent)}[]"
    if kind == "object":
        return f"{{\n{_properties(schema, indent + 2)}\n}}"
    if kind == "integer":
        return "number"
    return kind if kind in ("string", "number", "boolean", "null") else "any"
