// {status, body, contentType} under `healthz`: what the webhooks answer to whoever asks whether they are there.
import { call } from '../webhooks.mjs';

export function fits({ path }) {
  return path === '/healthz';
}

export async function run({ status, body, contentType }) {
  const answer = await call('/healthz');
  return {
    recorded: { status, body, contentType },
    ours: { status: answer.httpStatus, body: answer.text, contentType: answer.contentType },
  };
}
