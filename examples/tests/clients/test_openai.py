"""The official `openai` package, pointed at the gateway."""

import asyncio
import io
import json
import wave

import openai
import pytest

from conftest import API_KEY, ASK_WEATHER, NEAR, SUNSHINE, WEATHER, WORDS
from conftest import assert_near_texts_are_near, base_url

CHAT = "gpt-4o"
USER = [{"role": "user", "content": WORDS}]
TOOLS = [{"type": "function", "function": WEATHER}]


@pytest.fixture(scope="module")
def client():
    with openai.OpenAI(base_url=base_url() + "/v1", api_key=API_KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def azure():
    with openai.AzureOpenAI(
        azure_endpoint=base_url(), api_version="2024-10-21", api_key=API_KEY, max_retries=0
    ) as client:
        yield client


def text_of(chunks):
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def test_chat_is_answered_with_its_usage(client):
    answer = client.chat.completions.create(model=CHAT, messages=USER)
    assert WORDS in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    usage = answer.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_chat_is_answered_asynchronously():
    async def chat():
        async with openai.AsyncOpenAI(
            base_url=base_url() + "/v1", api_key=API_KEY, max_retries=0
        ) as client:
            one = client.chat.completions.create(model=CHAT, messages=USER)
            two = client.chat.completions.create(model="gpt-4o-mini", messages=USER, stream=True)
            one, two = await asyncio.gather(one, two)
            return one.choices[0].message.content, text_of([chunk async for chunk in two])

    whole, streamed = asyncio.run(chat())
    assert WORDS in whole and WORDS in streamed


def test_a_stream_shows_no_usage_that_was_not_asked_for(client):
    chunks = list(client.chat.completions.create(model=CHAT, messages=USER, stream=True))
    assert WORDS in text_of(chunks)
    assert len(chunks) > 2
    assert all(chunk.usage is None for chunk in chunks)
    assert all(chunk.choices for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_a_stream_ends_with_the_usage_that_was_asked_for(client):
    chunks = list(
        client.chat.completions.create(
            model=CHAT, messages=USER, stream=True, stream_options={"include_usage": True}
        )
    )
    *words, last = chunks
    assert WORDS in text_of(words)
    assert all(chunk.usage is None for chunk in words)
    assert last.choices == []
    assert last.usage.prompt_tokens > 0 and last.usage.completion_tokens > 0


def test_stream_and_whole_answer_count_alike(client):
    whole = client.chat.completions.create(model=CHAT, messages=USER)
    stream = client.chat.completions.create(
        model=CHAT, messages=USER, stream=True, stream_options={"include_usage": True}
    )
    assert [c.usage for c in stream][-1].total_tokens == whole.usage.total_tokens


def test_a_stream_that_is_closed_early_leaves_the_client_usable(client):
    for _ in range(3):
        stream = client.chat.completions.create(model=CHAT, messages=USER, stream=True)
        next(iter(stream))
        stream.close()
    assert client.chat.completions.create(model=CHAT, messages=USER).choices


def test_a_tool_is_called_and_its_result_is_used(client):
    messages = [{"role": "user", "content": ASK_WEATHER}]
    asked = client.chat.completions.create(model=CHAT, messages=messages, tools=TOOLS)
    assert asked.choices[0].finish_reason == "tool_calls"
    (call,) = asked.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    messages.append(asked.choices[0].message)
    messages.append({"role": "tool", "tool_call_id": call.id, "content": SUNSHINE})
    told = client.chat.completions.create(model=CHAT, messages=messages, tools=TOOLS)
    assert SUNSHINE in told.choices[0].message.content


def test_a_tool_call_streams_in_pieces(client):
    messages = [{"role": "user", "content": ASK_WEATHER}]
    stream = client.chat.completions.create(
        model=CHAT, messages=messages, tools=TOOLS, stream=True
    )
    name, arguments, reasons = "", "", []
    for chunk in stream:
        (choice,) = chunk.choices
        reasons.append(choice.finish_reason)
        for piece in choice.delta.tool_calls or []:
            name += piece.function.name or ""
            arguments += piece.function.arguments or ""
    assert (name, json.loads(arguments)) == ("get_weather", {"city": "Oslo"})
    assert reasons[-1] == "tool_calls"


def test_image_and_audio_parts_pass(client):
    parts = [
        {"type": "text", "text": WORDS},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]
    answer = client.chat.completions.create(
        model=CHAT, messages=[{"role": "user", "content": parts}]
    )
    assert WORDS in answer.choices[0].message.content


def test_legacy_completions_are_answered(client):
    whole = client.completions.create(model=CHAT, prompt=WORDS)
    assert WORDS in whole.choices[0].text
    stream = client.completions.create(model=CHAT, prompt=WORDS, stream=True)
    assert WORDS in "".join(chunk.choices[0].text for chunk in stream)


def test_responses_are_answered_whole(client):
    answer = client.responses.create(model=CHAT, input=WORDS)
    assert WORDS in answer.output_text
    assert answer.status == "completed"
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


def test_responses_are_answered_as_a_stream(client):
    events = list(client.responses.create(model=CHAT, input=WORDS, stream=True))
    deltas = [e.delta for e in events if e.type == "response.output_text.delta"]
    assert WORDS in "".join(deltas)
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert events[-1].response.usage.output_tokens > 0


def test_responses_call_a_tool(client):
    tool = {"type": "function", **WEATHER}
    answer = client.responses.create(model=CHAT, input=ASK_WEATHER, tools=[tool])
    (call,) = [item for item in answer.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Oslo"})


def test_near_texts_have_near_embeddings(client):
    answer = client.embeddings.create(model="text-embedding-3-small", input=NEAR)
    assert [item.index for item in answer.data] == [0, 1, 2]
    assert answer.usage.prompt_tokens > 0
    assert_near_texts_are_near([item.embedding for item in answer.data])


def test_embeddings_are_the_same_in_either_encoding(client):
    def embed(encoding):
        return client.embeddings.create(
            model="text-embedding-3-small", input=WORDS, encoding_format=encoding
        ).data[0]

    assert embed("float").embedding == pytest.approx(client.embeddings.create(
        model="text-embedding-3-small", input=WORDS
    ).data[0].embedding, abs=1e-6)
    assert isinstance(embed("base64").embedding, str)


def test_moderation_gives_a_verdict_for_each_text(client):
    answer = client.moderations.create(model="omni-moderation-latest", input=[WORDS, WORDS])
    assert [result.flagged for result in answer.results] == [False, False]


def test_models_are_listed_and_found(client):
    assert CHAT in [model.id for model in client.models.list()]
    assert client.models.retrieve(CHAT).id == CHAT


def test_an_image_is_made(client):
    (image,) = client.images.generate(model="gpt-image-1", prompt=WORDS).data
    assert image.b64_json or image.url


def test_speech_is_made(client):
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input=WORDS)
    assert len(speech.read()) > 0


def test_speech_is_transcribed(client):
    recording = io.BytesIO()
    with wave.open(recording, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(bytes(16000))
    file = ("speech.wav", recording.getvalue())
    assert client.audio.transcriptions.create(model="whisper-1", file=file).text


def test_the_azure_client_chats(azure):
    answer = azure.chat.completions.create(model=CHAT, messages=USER)
    assert WORDS in answer.choices[0].message.content
    stream = azure.chat.completions.create(model=CHAT, messages=USER, stream=True)
    assert WORDS in text_of(stream)


def test_the_azure_client_embeds(azure):
    answer = azure.embeddings.create(model="text-embedding-3-small", input=NEAR)
    assert_near_texts_are_near([item.embedding for item in answer.data])


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as refusal:
        client.chat.completions.create(model="gpt-nowhere", messages=USER)
    assert refusal.value.code == "model_not_found"
    assert refusal.value.type == "invalid_request_error"


def test_an_unknown_model_is_not_found_by_the_azure_client(azure):
    with pytest.raises(openai.NotFoundError):
        azure.chat.completions.create(model="gpt-nowhere", messages=USER)


def test_a_member_of_the_wrong_type_is_a_bad_request(client):
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(model=5, messages=USER)
    assert refusal.value.type == "invalid_request_error"
    assert refusal.value.message


def test_a_missing_model_is_a_bad_request(client):
    with pytest.raises(openai.BadRequestError):
        client.post("/chat/completions", cast_to=object, body={"messages": USER})
