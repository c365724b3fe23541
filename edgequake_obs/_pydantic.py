"""How pydantic takes answer objects into its models."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pydantic_core import CoreSchema


def core_schema(answer_class: type) -> CoreSchema:
    """Instances as they are, dicts by construction; both serialise as `model_dump()` gives them."""
    from pydantic_core import core_schema as schemas

    return schemas.no_info_plain_validator_function(
        answer_class.model_validate,  # type: ignore[attr-defined]
        serialization=schemas.plain_serializer_function_ser_schema(_dumped),
        json_schema_input_schema=schemas.dict_schema(),
    )


def _dumped(answer: object) -> object:
    return answer.model_dump()  # type: ignore[attr-defined]
