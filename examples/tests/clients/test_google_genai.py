"""The official `google-genai` package, pointed at the gateway."""

import pytest
from google import genai
from google.genai import errors, types

from conftest import API_KEY, ASK_WEATHER, NEAR, SUNSHINE, WEATHER, WORDS
from conftest import assert_near_texts_are_near, base_url

MODEL = "gemini-2.0-flash"
TOOLS = types.GenerateContentConfig(
    tools=[
        types.Tool(
            function_declarations=[
                types.FunctionDeclaration(
                    name=WEATHER["name"],
                    description=WEATHER["description"],
                    parameters_json_schema=WEATHER["parameters"],
                )
            ]
        )
    ]
)


@pytest.fixture(scope="module")
def client():
    return genai.Client(api_key=API_KEY, http_options={"base_url": base_url()})


def test_content_is_generated_with_its_usage(client):
    answer = client.models.generate_content(model=MODEL, contents=WORDS)
    assert WORDS in answer.text
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert usage.prompt_token_count > 0 and usage.candidates_token_count > 0
    assert usage.total_token_count >= usage.prompt_token_count + usage.candidates_token_count


def test_a_stream_adds_up_to_the_answer(client):
    chunks = list(client.models.generate_content_stream(model=MODEL, contents=WORDS))
    assert len(chunks) > 1
    assert WORDS in "".join(chunk.text or "" for chunk in chunks)
    assert chunks[-1].usage_metadata.candidates_token_count > 0


def test_a_tool_is_called_and_its_result_is_used(client):
    asked = client.models.generate_content(model=MODEL, contents=ASK_WEATHER, config=TOOLS)
    (call,) = asked.function_calls
    assert (call.name, call.args) == ("get_weather", {"city": "Oslo"})
    result = types.Part.from_function_response(name=call.name, response={"result": SUNSHINE})
    told = client.models.generate_content(
        model=MODEL,
        contents=[
            types.Content(role="user", parts=[types.Part.from_text(text=ASK_WEATHER)]),
            asked.candidates[0].content,
            types.Content(role="user", parts=[result]),
        ],
        config=TOOLS,
    )
    assert SUNSHINE in told.text


def test_near_texts_have_near_embeddings(client):
    answer = client.models.embed_content(model="gemini-embedding-001", contents=NEAR)
    assert_near_texts_are_near([embedding.values for embedding in answer.embeddings])


def test_tokens_are_counted_as_they_are_charged(client):
    counted = client.models.count_tokens(model=MODEL, contents=WORDS)
    answer = client.models.generate_content(model=MODEL, contents=WORDS)
    assert counted.total_tokens == answer.usage_metadata.prompt_token_count > 0


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(errors.ClientError) as refusal:
        client.models.generate_content(model="gemini-nowhere", contents=WORDS)
    assert (refusal.value.code, refusal.value.status) == (404, "NOT_FOUND")
