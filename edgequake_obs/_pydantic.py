"""How pydantic takes answer objects into its models, and how its classes are asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import CoreSchema


def core_schema(answer_class: type) -> CoreSchema:
    """Instances as they are, dicts by construction; both serialise as `model_dump()` gives them."""
    from pydantic_core import core_schema as schemas

    def validated(value: object) -> object:
        if isinstance(value, answer_class):
            return value
        if not isinstance(value, dict):
            raise ValueError(f"an instance of {answer_class.__name__} or a dict is needed")
        try:
            return answer_class(**value)
        except TypeError as error:  # pydantic knows a wrong value by ValueError only
            raise ValueError(str(error)) from error

    return schemas.no_info_plain_validator_function(
        validated,
        serialization=schemas.plain_serializer_function_ser_schema(_dumped),
        json_schema_input_schema=schemas.dict_schema(),
    )


def _dumped(answer: object) -> object:
    return answer.model_dump()  # type: ignore[attr-defined]


def response_format(model: type[BaseModel], strict: bool) -> dict[str, object]:
    """The `response_format` that asks for objects of a pydantic class.

    Args:
        model: The class.
        strict: Write the schema as OpenAI's strict mode wants it: every property required, none beside them.

    Raises:
        TypeError: The class is none of pydantic's.
    """
    schema_of = getattr(model, "model_json_schema", None)
    if schema_of is None:
        raise TypeError(f"response_format must be a dict or a pydantic model, not the class {model.__name__}")
    schema: dict[str, object] = schema_of()
    if strict:
        _close(schema)
    return {"type": "json_schema", "json_schema": {"schema": schema, "name": model.__name__, "strict": True}}


def _close(schema: object) -> None:
    """OpenAI's rules for strict schemas, as its own SDK applies them (openai.lib._pydantic)."""
    if isinstance(schema, list):
        for item in schema:  # pyright: ignore[reportUnknownVariableType]
            _close(item)  # pyright: ignore[reportUnknownArgumentType]
    if not isinstance(schema, dict):
        return
    fields: dict[str, object] = schema  # pyright: ignore[reportUnknownVariableType]
    if fields.get("type") == "object" and "additionalProperties" not in fields:
        fields["additionalProperties"] = False
    properties = fields.get("properties")
    if isinstance(properties, dict):
        fields["required"] = list(properties)  # pyright: ignore[reportUnknownArgumentType]
    if "default" in fields and fields["default"] is None:
        del fields["default"]
    for value in fields.values():
        _close(value)
