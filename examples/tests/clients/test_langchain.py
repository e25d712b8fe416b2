"""LangChain's OpenAI integration, pointed at the gateway."""

import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from conftest import API_KEY, ASK_WEATHER, NEAR, SUNSHINE, WEATHER, WORDS
from conftest import assert_near_texts_are_near, base_url


@pytest.fixture(scope="module")
def chat():
    return ChatOpenAI(
        model="gpt-4o", base_url=base_url() + "/v1", api_key=API_KEY, max_retries=0
    )


def test_invoke_is_answered_with_its_usage(chat):
    answer = chat.invoke(WORDS)
    assert WORDS in answer.content
    assert answer.usage_metadata["total_tokens"] > 0


def test_a_stream_adds_up_to_the_answer(chat):
    chunks = list(chat.stream(WORDS))
    assert len(chunks) > 2
    assert WORDS in "".join(chunk.content for chunk in chunks)


def test_a_stream_carries_usage_when_it_is_asked_for(chat):
    total = None
    for chunk in chat.stream(WORDS, stream_usage=True):
        total = chunk if total is None else total + chunk
    assert total.usage_metadata["total_tokens"] > 0


def test_a_tool_is_called_and_its_result_is_used(chat):
    chat = chat.bind_tools([{"type": "function", "function": WEATHER}])
    messages = [HumanMessage(ASK_WEATHER)]
    asked = chat.invoke(messages)
    (call,) = asked.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Oslo"})
    messages += [asked, ToolMessage(SUNSHINE, tool_call_id=call["id"])]
    assert SUNSHINE in chat.invoke(messages).content


def test_near_texts_have_near_embeddings():
    embeddings = OpenAIEmbeddings(
        model="text-embedding-3-small",
        base_url=base_url() + "/v1",
        api_key=API_KEY,
        max_retries=0,
        # Else texts go as tokens, and the table for that is fetched from elsewhere.
        check_embedding_ctx_length=False,
    )
    assert_near_texts_are_near(embeddings.embed_documents(NEAR))
    assert len(embeddings.embed_query(NEAR[0])) == len(embeddings.embed_query(WORDS))
