import { redactSql, redactText } from './redact.js';

describe('jobs.md 12: redaction', () => {
  it('shows no literal of a query', () => {
    expect(
      redactSql(
        `SELECT "a 1", AVG(x2) FROM t WHERE c = 'O''Hara' AND d > 12.5e3 OR e = DATE '2020-01-01'`,
      ),
    ).toBe(`SELECT "a 1", AVG(x2) FROM t WHERE c = ? AND d > ? OR e = DATE ?`);
    expect(redactSql(`c = 'open`)).toBe('c = ?');
  });

  it('shows no query of a link, no token and no key', () => {
    const key = 'abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJK_0123';
    expect(
      redactText(`PUT http://h/storage/b/k?X-Glacis-Signature=12ab failed: eyJh.eyJz.c2ln ${key}`),
    ).toBe('PUT http://h/storage/b/k?… failed: [token] [key]');
  });
});
