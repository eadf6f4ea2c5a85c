import { appId } from '@glacis/graphs';
import type { FastifyReply } from 'fastify';
import { invalidRequest } from '../problems.js';
import type { AppRef } from './app.entity.js';

/** Where the next page begins, as callers are given it and give it back. */
export function cursorOf(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** What `read` finds in a cursor. @throws {Problem} invalid-request where it throws */
export function positionIn<T>(cursor: string, read: (position: string) => T): T {
  try {
    return read(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw invalidRequest('cursor: not one of ours', { members: { field: 'cursor' } });
  }
}

export interface PageInfo {
  /** Items there are in all. */
  total: number;
  /** Cursor of the next page; absent: this is the last one. */
  next?: string;
}

/** `X-Total-Count`, and the `Link` to the next page with everything else of the query kept (`graph-apps.md` 6.1). */
export function setPageHeaders(reply: FastifyReply, { total, next }: PageInfo): void {
  reply.header('x-total-count', String(total));
  if (next === undefined) return;
  const url = new URL(reply.request.raw.url ?? '/', 'http://glacis');
  url.searchParams.set('cursor', next);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
}

/** The cursor after these Apps. A full page may be the last one; then the next one is empty. */
export function nextPage(apps: readonly AppRef[], limit: number | undefined): string | undefined {
  const last = apps.at(-1);
  return last && apps.length === limit ? cursorOf(appId(last)) : undefined;
}
