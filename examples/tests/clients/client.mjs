// The official `openai` package for Node, pointed at the gateway.
//
//   AIGW_BASE_URL   the gateway's root, as http://127.0.0.1:8080
//   AIGW_API_KEY    the key to call it with; optional
//   AIGW_TEST_NODE  the folder whose node_modules has the package; default target/node

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const home =
  process.env.AIGW_TEST_NODE ??
  fileURLToPath(new URL('../../../target/node', import.meta.url));
export const openai = createRequire(`${home}/package.json`)('openai');

const root = process.env.AIGW_BASE_URL;
assert.ok(root, 'AIGW_BASE_URL names no gateway');

export const connect = (options = {}) =>
  new openai.OpenAI({
    baseURL: `${root.replace(/\/+$/, '')}/v1`,
    apiKey: process.env.AIGW_API_KEY ?? 'sk-test',
    maxRetries: 0,
    ...options,
  });

// What the providers behind it say again.
export const words = 'seven blue horses';
