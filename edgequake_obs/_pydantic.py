"""How pydantic takes answer objects into its models."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
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
