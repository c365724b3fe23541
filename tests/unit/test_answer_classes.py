"""Answer classes as values: made from keywords, compared, copied, pickled, held by pydantic's models."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from edgequake_obs import (
    ChatCompletionMessageToolCall,
    Choices,
    Function,
    Message,
    ModelResponse,
    ModelResponseStream,
    Usage,
)

from .conftest import Ask
from .server import COST, Answer, Server, chat


@pytest.fixture
def answer(server: Server, ask: Ask) -> Any:
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    server.will(Answer(body=chat(tool_calls=[call], extra={"a": 1})))
    return ask()


def test_made_from_keywords() -> None:
    message = Message(content="hi", role="assistant", tool_calls=None, strange=1)
    assert (message.content, message["role"], message.tool_calls, message.strange) == ("hi", "assistant", None, 1)
    made = ModelResponse(id="a", model="m", choices=[{"message": {"content": "x"}, "finish_reason": "stop"}])
    assert isinstance(made.choices[0], Choices)
    assert isinstance(made.choices[0].message, Message)
    assert made.choices[0].message.content == "x"
    assert made.object == "chat.completion"
    assert ModelResponse(choices=[Choices(message=message)]).choices[0].message is message
    usage = ModelResponse(usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}).usage
    assert isinstance(usage, Usage)
    assert usage.total_tokens == 3


def test_missing_fields_are_as_litellms() -> None:
    message = Message()
    assert (message.content, message.role, message.tool_calls, message.function_call) == (None, "assistant", None, None)
    assert ModelResponse().choices == []
    ModelResponse().choices.append(1)
    assert ModelResponse().choices == [], "each has a list of its own"
    kept = ModelResponse()
    kept.choices.append(1)
    assert kept.choices == [1]
    call = ChatCompletionMessageToolCall(id="1", function={"name": "f", "arguments": "{}"})
    assert call.type == "function"
    assert isinstance(call.function, Function)


def test_positional_arguments_are_refused() -> None:
    with pytest.raises(TypeError):
        Message("hi")  # type: ignore[misc]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled(answer: Any, protocol: int) -> None:
    back = pickle.loads(pickle.dumps(answer, protocol))
    assert type(back) is ModelResponse
    assert back == answer
    assert back.choices[0].message.tool_calls[0].function.name == "f"
    assert back.model_dump() == answer.model_dump()


def test_hidden_params_are_pickled(answer: Any) -> None:
    back = pickle.loads(pickle.dumps(answer))
    assert back._hidden_params["response_cost"] == answer._hidden_params["response_cost"] == float(COST)


def test_copied(answer: Any) -> None:
    deep = copy.deepcopy(answer)
    assert deep == answer
    deep.choices[0].message.content = "changed"
    assert answer.choices[0].message.content == "Hello."
    assert deep != answer
    assert copy.copy(answer) == answer


def test_a_shallow_copy_shares_its_parts(answer: Any) -> None:
    assert copy.copy(answer).choices[0].message is answer.choices[0].message


def test_equality(answer: Any) -> None:
    assert Message(content="a") == Message(content="a")
    assert Message(content="a") != Message(content="b")
    assert Message(content="a") != {"content": "a", "role": "assistant"}
    assert Usage() != Message()
    assert answer == ModelResponse(**answer.model_dump())


def test_truth_and_text(answer: Any) -> None:
    assert answer
    assert Message()
    assert repr(Message(content="a")).startswith("Message(content='a', role='assistant'")
    assert "Hello." in str(answer)
    assert {"choices", "usage", "model_dump", "model"} <= set(dir(answer))


def test_pydantic_holds_them(answer: Any) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Kept(pydantic.BaseModel):
        answer: ModelResponse
        message: Message | None = None
        chunks: list[ModelResponseStream] | None = None

    kept = Kept(answer=answer, message=answer.choices[0].message)
    assert kept.answer is answer
    assert kept.message is answer.choices[0].message
    assert kept.model_dump()["answer"] == answer.model_dump()
    again = Kept.model_validate_json(kept.model_dump_json())
    assert type(again.answer) is ModelResponse
    assert again.answer == answer
    assert again.message == kept.message
    assert Kept(answer=answer.model_dump()).answer == answer
    assert json.loads(kept.model_dump_json())["message"]["content"] == "Hello."


@pytest.mark.parametrize("wrong", ["text", 3, None, [1]])
def test_pydantic_refuses_what_is_none(wrong: object) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Kept(pydantic.BaseModel):
        answer: ModelResponse

    with pytest.raises(pydantic.ValidationError):
        Kept(answer=wrong)


def test_pydantic_describes_them() -> None:
    pydantic = pytest.importorskip("pydantic")
    schema = pydantic.TypeAdapter(Message).json_schema()
    assert schema["type"] == "object"
    assert json.loads(pydantic.TypeAdapter(Message).dump_json(Message(content="a")))["content"] == "a"


def test_model_validate() -> None:
    assert Message.model_validate({"content": "a"}).content == "a"
    same = Message(content="a")
    assert Message.model_validate(same) is same
    with pytest.raises((TypeError, ValueError)):
        Message.model_validate("a")
