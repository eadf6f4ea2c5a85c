import type { Body } from '../client/owner.js';

/** PUTs a body and tells how much of it is out, which `fetch` does not. */
export function putFromPage(
  { url, headers, bytes }: Body,
  onSent: (share: number) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener('progress', ({ loaded }) => onSent(loaded / bytes.length));
    request.addEventListener('load', () => resolve(request.status));
    request.addEventListener('error', () => reject(new Error('the connection broke')));
    request.send(bytes);
  });
}
