// What the official `openai` package for Node does with a gateway, and the gateway with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect, openai, words } from './client.mjs';

const { APIUserAbortError, NotFoundError } = openai;
const client = connect();
const ask = { model: 'gpt-4o', messages: [{ role: 'user', content: words }] };

test('chat is answered with its usage', async () => {
  const answer = await client.chat.completions.create(ask);
  assert.match(answer.choices[0].message.content, new RegExp(words));
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test('a stream adds up to the answer and shows no usage unasked', async () => {
  let text = '';
  for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
    assert.equal(chunk.usage ?? null, null);
    text += chunk.choices[0].delta.content ?? '';
  }
  assert.match(text, new RegExp(words));
});

test('a stream ends with the usage that was asked for', async () => {
  const stream = await client.chat.completions.create({
    ...ask,
    stream: true,
    stream_options: { include_usage: true },
  });
  let last;
  for await (const chunk of stream) last = chunk;
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.total_tokens > 0);
});

test('an aborted stream leaves the client usable', async () => {
  const stream = await client.chat.completions.create({ ...ask, stream: true });
  for await (const _ of stream) {
    stream.controller.abort();
    break;
  }
  assert.ok((await client.chat.completions.create(ask)).choices.length);
});

test('a call that is aborted before its answer says so', async () => {
  const abort = new AbortController();
  abort.abort();
  const call = client.chat.completions.create(ask, { signal: abort.signal });
  await assert.rejects(call, APIUserAbortError);
});

test('an unknown model is not found', async () => {
  const call = client.chat.completions.create({ ...ask, model: 'gpt-nowhere' });
  await assert.rejects(call, (error) => error instanceof NotFoundError && error.code === 'model_not_found');
});
