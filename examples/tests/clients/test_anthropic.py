"""The official `anthropic` package, pointed at the gateway."""

import anthropic
import pytest

from conftest import API_KEY, ASK_WEATHER, SUNSHINE, WEATHER, WORDS, base_url

MODEL = "claude-sonnet-4-5"
USER = [{"role": "user", "content": WORDS}]
TOOLS = [
    {
        "name": WEATHER["name"],
        "description": WEATHER["description"],
        "input_schema": WEATHER["parameters"],
    }
]


@pytest.fixture(scope="module")
def client():
    with anthropic.Anthropic(base_url=base_url(), api_key=API_KEY, max_retries=0) as client:
        yield client


def test_a_message_is_answered_with_its_usage(client):
    answer = client.messages.create(model=MODEL, max_tokens=256, messages=USER)
    assert WORDS in answer.content[0].text
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


def test_a_stream_adds_up_to_the_answer(client):
    with client.messages.stream(model=MODEL, max_tokens=256, messages=USER) as stream:
        pieces = list(stream.text_stream)
        answer = stream.get_final_message()
    assert len(pieces) > 1
    assert WORDS in "".join(pieces)
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


def test_a_stream_has_the_events_of_the_vendor(client):
    stream = client.messages.create(model=MODEL, max_tokens=256, messages=USER, stream=True)
    kinds = [event.type for event in stream]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1


def test_a_tool_is_called_and_its_result_is_used(client):
    messages = [{"role": "user", "content": ASK_WEATHER}]
    ask = {"model": MODEL, "max_tokens": 256, "tools": TOOLS}
    asked = client.messages.create(messages=messages, **ask)
    assert asked.stop_reason == "tool_use"
    (call,) = [block for block in asked.content if block.type == "tool_use"]
    assert (call.name, call.input) == ("get_weather", {"city": "Oslo"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": SUNSHINE}
    messages += [
        {"role": "assistant", "content": asked.content},
        {"role": "user", "content": [result]},
    ]
    told = client.messages.create(messages=messages, **ask)
    assert SUNSHINE in told.content[0].text


def test_a_tool_call_streams_in_pieces(client):
    with client.messages.stream(
        model=MODEL,
        max_tokens=256,
        messages=[{"role": "user", "content": ASK_WEATHER}],
        tools=TOOLS,
    ) as stream:
        answer = stream.get_final_message()
    (call,) = [block for block in answer.content if block.type == "tool_use"]
    assert (call.name, call.input) == ("get_weather", {"city": "Oslo"})


def test_tokens_are_counted_as_they_are_charged(client):
    counted = client.messages.count_tokens(model=MODEL, messages=USER)
    answer = client.messages.create(model=MODEL, max_tokens=16, messages=USER)
    assert counted.input_tokens == answer.usage.input_tokens > 0


def test_a_stream_that_is_closed_early_leaves_the_client_usable(client):
    with client.messages.stream(model=MODEL, max_tokens=256, messages=USER) as stream:
        next(iter(stream))
    assert client.messages.create(model=MODEL, max_tokens=16, messages=USER).content


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(anthropic.NotFoundError) as refusal:
        client.messages.create(model="claude-nowhere", max_tokens=16, messages=USER)
    assert refusal.value.body["type"] == "error"
    assert refusal.value.body["error"]["type"] == "not_found_error"


def test_a_member_of_the_wrong_type_is_a_bad_request(client):
    with pytest.raises(anthropic.BadRequestError) as refusal:
        client.messages.create(model=5, max_tokens=16, messages=USER)
    assert refusal.value.body["error"]["type"] == "invalid_request_error"
