import type { App } from '../apps/app.entity.js';

/** An event of a stream (HTML, 9.2.6). Its id is the time of the App's last edit: who comes back with it missed no version. */
export function message(event: string, { lastEdit }: App, data: unknown): string {
  return `event: ${event}\nid: ${lastEdit.getTime()}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function deletedMessage(appId: string): string {
  return `event: deleted\ndata: ${JSON.stringify({ appId })}\n\n`;
}
