import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { connect, type SecureVersion } from 'node:tls';
import { createLogger, Metrics } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import type { CertificateAuthority } from '@glacis/testbed/cluster';
import {
  ConversionError,
  converting,
  mutating,
  refused,
  validating,
  WebhookServer,
  type AdmissionRequest,
  type WebhookServerOptions,
} from '../src/index.js';
import { authority, https, MountedSecret, type HttpAnswer } from './webhooks.js';
import type { Widget } from './widgets.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const widget: Widget = {
  apiVersion: 'test.glacis.dev/v1',
  kind: 'Widget',
  metadata: { name: 'a', uid: '', resourceVersion: '' },
  spec: { size: 1 },
};

const admissionReview = (request: Partial<AdmissionRequest<Widget>> = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u1',
    kind: { group: 'test.glacis.dev', version: 'v1', kind: 'Widget' },
    resource: { group: 'test.glacis.dev', version: 'v1', resource: 'widgets' },
    operation: 'CREATE',
    userInfo: { username: 'somebody', extra: { x: ['y'] } },
    object: widget,
    oldObject: null,
    options: { kind: 'CreateOptions' },
    ...request,
  },
});

const nested = (depth: number): Widget =>
  JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as Widget;

const conversionReview = (desiredAPIVersion: string, objects: object[], version = 'v1') => ({
  apiVersion: `apiextensions.k8s.io/${version}`,
  kind: 'ConversionReview',
  request: { uid: 'u2', desiredAPIVersion, objects },
});

describe('webhook server', () => {
  let ca: CertificateAuthority;
  let secret: MountedSecret;
  let roots: Buffer;
  let metrics: Metrics;
  let server: WebhookServer;
  let port: number;
  let seen: AdmissionRequest<Widget> | undefined;
  let aborted = false;
  let finish: () => void = () => undefined;

  const hooks: WebhookServerOptions['hooks'] = {
    '/validate': validating<Widget>((request) => {
      seen = request;
      if (request.object?.spec.size === 13) throw new Error('a secret of the handler');
      if ((request.object?.spec.size ?? 0) <= 10)
        return { allowed: true, warnings: ['quite small'] };
      const cause = { reason: 'TOO_LARGE', field: 'spec.size', message: 'over 10' };
      return refused('over 10', { reason: 'Invalid: over 10', causes: [cause] });
    }),
    '/mutate': mutating<Widget>(({ object, dryRun }) => {
      if (!object || dryRun) return { allowed: true };
      return { allowed: true, object: { ...object, spec: { colour: 'red', ...object.spec } } };
    }),
    '/patch': mutating(() => ({ allowed: true, patch: [] })),
    '/convert': converting((object, apiVersion) => {
      if (!apiVersion.endsWith('/v2')) throw new ConversionError(`no version ${apiVersion}`);
      const { spec, ...rest } = object as Widget;
      if (spec?.size === 13) throw new Error('a secret of the handler');
      return { ...rest, ...(spec && { spec: { length: spec.size } }) };
    }),
    '/slow': validating(async (_request, { signal }) => {
      signal.addEventListener('abort', () => (aborted = true));
      await new Promise<void>((resolve) => (finish = resolve));
      return { allowed: true };
    }),
  };

  const open = async (options: Partial<WebhookServerOptions> = {}): Promise<void> => {
    metrics = new Metrics();
    const { source: certificate } = secret;
    const host = '127.0.0.1';
    const given = { host, port: 0, hooks, certificate, drainMs: 0, logger, metrics };
    server = new WebhookServer({ ...given, ...options });
    await server.start();
    ({ port } = server);
  };
  const post = (path: string, body: unknown, options: object = {}): Promise<HttpAnswer> => {
    const sent = typeof body === 'string' ? body : JSON.stringify(body);
    return https({ port, ca: roots, method: 'POST', path, ...options }, sent);
  };
  const answerTo = async (path: string, review: object) => {
    const { status, body } = await post(path, review);
    expect(status).toBe(200);
    return (JSON.parse(body) as { response: Record<string, unknown> }).response;
  };

  beforeAll(async () => {
    ca = await authority('first CA');
    roots = await readFile(ca.cert);
  });

  beforeEach(async () => {
    secret = await MountedSecret.of(ca);
    aborted = false;
  });

  afterEach(() => server.stop());

  describe('admission', () => {
    beforeEach(() => open());

    it('allows, with warnings', async () => {
      const { body } = await post('/validate', admissionReview());
      expect(JSON.parse(body)).toEqual({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: 'u1', allowed: true, warnings: ['quite small'] },
      });
      expect(seen).toMatchObject({ operation: 'CREATE', object: widget, dryRun: false });
      expect(seen?.oldObject).toBeUndefined();
    });

    it('refuses, with what is wrong in which field', async () => {
      const object = { ...widget, spec: { size: 11 } };
      expect(await answerTo('/validate', admissionReview({ object, dryRun: true }))).toEqual({
        uid: 'u1',
        allowed: false,
        status: {
          code: 403,
          reason: 'Invalid: over 10',
          message: 'over 10',
          details: { causes: [{ reason: 'TOO_LARGE', field: 'spec.size', message: 'over 10' }] },
        },
      });
      expect(seen?.dryRun).toBe(true);
    });

    it('sends changes as a JSON patch, and none where nothing changes', async () => {
      const { patch, ...rest } = await answerTo('/mutate', admissionReview());
      expect(rest).toEqual({ uid: 'u1', allowed: true, patchType: 'JSONPatch' });
      expect(JSON.parse(Buffer.from(patch as string, 'base64').toString())).toEqual([
        { op: 'add', path: '/spec/colour', value: 'red' },
      ]);
      for (const request of [
        { object: { ...widget, spec: { size: 1, colour: 'blue' } } },
        { dryRun: true },
        { operation: 'DELETE' as const, object: undefined, oldObject: widget },
      ]) {
        const response = await answerTo('/mutate', admissionReview(request));
        expect(response).toEqual({ uid: 'u1', allowed: true });
      }
    });

    it('sends a given patch as it is', async () => {
      const response = await answerTo('/patch', admissionReview());
      const patch = Buffer.from('[]').toString('base64');
      expect(response).toEqual({ uid: 'u1', allowed: true, patchType: 'JSONPatch', patch });
    });

    it('refuses when the handler throws, tells nothing of why, and counts it', async () => {
      const object = { ...widget, spec: { size: 13 } };
      expect(await answerTo('/validate', admissionReview({ object }))).toEqual({
        uid: 'u1',
        allowed: false,
        status: { code: 500, reason: 'InternalError', message: 'the webhook could not decide' },
      });
      expect(await metrics.text()).toContain(
        'glacis_kube_webhook_requests_total{hook="/validate",result="failed"} 1',
      );
    });

    it('refuses before the API server gives up, and the handler is told', async () => {
      const response = await answerTo('/slow?timeout=1s', admissionReview());
      expect(response).toMatchObject({ allowed: false, status: { code: 504 } });
      expect(aborted).toBe(true);
      expect(await metrics.text()).toContain('hook="/slow",result="timeout"} 1');
    });
  });

  describe('conversion', () => {
    beforeEach(() => open());

    it('converts each object, in order, and leaves those alone that are of that version', async () => {
      const v2 = { apiVersion: 'test.glacis.dev/v2', kind: 'Widget', spec: { length: 9 } };
      const partial = { apiVersion: 'test.glacis.dev/v1', kind: 'Widget', metadata: { name: 'p' } };
      // So comes what server-side apply is about to prune; without metadata API servers do not take it back.
      const bare = { apiVersion: 'test.glacis.dev/v1', kind: 'Widget' };
      const { body } = await post(
        '/convert',
        conversionReview('test.glacis.dev/v2', [widget, v2, partial, bare], 'v1beta1'),
      );
      expect(JSON.parse(body)).toEqual({
        apiVersion: 'apiextensions.k8s.io/v1beta1',
        kind: 'ConversionReview',
        response: {
          uid: 'u2',
          result: { status: 'Success' },
          convertedObjects: [
            { ...widget, apiVersion: 'test.glacis.dev/v2', spec: { length: 1 } },
            v2,
            { ...partial, apiVersion: 'test.glacis.dev/v2' },
            { ...bare, apiVersion: 'test.glacis.dev/v2', metadata: {} },
          ],
        },
      });
      const none = await answerTo('/convert', conversionReview('test.glacis.dev/v2', []));
      expect(none).toMatchObject({ convertedObjects: [] });
    });

    it('fails as a whole, with the message of a ConversionError only', async () => {
      const unknown = conversionReview('test.glacis.dev/v3', [widget]);
      expect(await answerTo('/convert', unknown)).toEqual({
        uid: 'u2',
        result: { status: 'Failed', message: 'no version test.glacis.dev/v3' },
      });
      const broken = { ...widget, spec: { size: 13 } };
      const failed = { status: 'Failed', message: 'the webhook could not decide' };
      const review = conversionReview('test.glacis.dev/v2', [widget, broken]);
      expect(await answerTo('/convert', review)).toEqual({ uid: 'u2', result: failed });
    });

    it('fails where the answer is nested deeper than it can be written', async () => {
      await server.stop();
      await open({ hooks: { '/convert': converting(() => nested(20_000)) } });
      const review = conversionReview('test.glacis.dev/v2', [widget]);
      expect(await answerTo('/convert', review)).toMatchObject({ result: { status: 'Failed' } });
    });
  });

  describe('requests', () => {
    it('that are no such review are answered 400', async () => {
      await open();
      const { uid: _uid, ...anonymous } = admissionReview().request;
      const bad: [string, unknown][] = [
        ['/validate', '{'],
        ['/validate', ''],
        ['/validate', 'null'],
        ['/validate', { ...admissionReview(), apiVersion: 'admission.k8s.io/v1beta1' }],
        ['/validate', { ...admissionReview(), request: anonymous }],
        ['/validate', admissionReview({ operation: 'PATCH' as 'CREATE' })],
        ['/validate', admissionReview({ object: [] as unknown as Widget })],
        ['/validate', conversionReview('test.glacis.dev/v2', [])],
        ['/convert', admissionReview()],
        ['/convert', conversionReview('', [])],
        ['/convert', conversionReview('test.glacis.dev/v2', ['x' as unknown as object])],
      ];
      for (const [path, body] of bad) expect(await post(path, body)).toMatchObject({ status: 400 });
      expect(await metrics.text()).toContain('hook="/validate",result="invalid"} 8');
    });

    it('find hooks by POST only, and health by GET', async () => {
      await open();
      const ask = (method: string, path: string) => https({ port, ca: roots, method, path });
      expect(await ask('GET', '/healthz')).toMatchObject({ status: 200, body: '' });
      expect(await ask('GET', '/validate')).toMatchObject({ status: 405 });
      expect(await ask('POST', '/elsewhere')).toMatchObject({ status: 404 });
      expect(await ask('POST', '/toString')).toMatchObject({ status: 404 });
      expect(() => server.check()).not.toThrow();
    });

    it('are bounded, one by one and all together', async () => {
      await open({ maxBodyBytes: 10_000, maxPendingBytes: 15_000 });
      const padded = (bytes: number) => ({ ...admissionReview(), padding: 'x'.repeat(bytes) });
      expect(await post('/validate', padded(11_000))).toMatchObject({ status: 413 });
      const held = post('/slow', padded(8_000));
      await waitFor(async () => (await post('/validate', padded(8_000))).status === 413);
      finish();
      expect(await held).toMatchObject({ status: 200 });
      await waitFor(async () => (await post('/validate', padded(8_000))).status === 200);
    });

    it('are still taken for a while when it stops, and those under way are answered', async () => {
      await open({ drainMs: 1_000 });
      const agent = new Agent({ keepAlive: true });
      const before = finish;
      const held = post('/slow', admissionReview(), { agent });
      await waitFor(() => finish !== before);
      const stopped = server.stop();
      expect(() => server.check()).toThrow('it takes no reviews');
      expect(await post('/validate', admissionReview())).toMatchObject({ status: 200 });
      await waitFor(() =>
        post('/validate', admissionReview()).then(
          () => false,
          () => true,
        ),
      );
      finish();
      expect(await held).toMatchObject({ status: 200 });
      await stopped;
      agent.destroy();
    });

    it('come without TLS where it has no certificate', async () => {
      await open({ certificate: undefined });
      const body = JSON.stringify(admissionReview());
      const url = `http://127.0.0.1:${port}/validate`;
      const answer = await fetch(url, { method: 'POST', body });
      expect(await answer.json()).toMatchObject({ response: { allowed: true } });
    });
  });

  describe('certificate', () => {
    const issuer = async (): Promise<string> => {
      const options = { port, path: '/healthz', rejectUnauthorized: false };
      return (await https(options)).issuer;
    };
    const protocol = (maxVersion: SecureVersion): Promise<string | null> =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port, ca: roots, maxVersion };
        const socket = connect({ ...options, minVersion: 'TLSv1' }, () => {
          resolve(socket.getProtocol());
          socket.destroy();
        }).on('error', reject);
      });

    it('is served over TLS 1.3 and 1.2 only', async () => {
      await open();
      expect(await protocol('TLSv1.3')).toBe('TLSv1.3');
      expect(await protocol('TLSv1.2')).toBe('TLSv1.2');
      await expect(protocol('TLSv1.1')).rejects.toThrow(
        /alert protocol version|unsupported protocol|version/,
      );
    });

    it('is replaced without an end of connections', async () => {
      await open();
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const kept = () =>
        https({ port, ca: roots, path: '/healthz', agent }).then(({ localPort }) => localPort);
      const connection = await kept();
      await secret.renew(await authority('second CA'));
      await waitFor(async () => (await issuer()) === 'CN=second CA');
      expect(await kept()).toBe(connection);
      agent.destroy();
      expect(await metrics.text()).toMatch(/glacis_kube_webhook_certificate_expiry_seconds 1\d{9}/);
    });

    it('stays while another key than its own lies beside the next one', async () => {
      const warnings: object[] = [];
      const telling = createLogger({ name: 'test', level: 'silent' });
      telling.warn = ((fields: object) => warnings.push(fields)) as typeof telling.warn;
      await open({ logger: telling });
      const { source } = secret;
      const { key } = source.credentials();
      const next = await MountedSecret.of(await authority('second CA'));
      const mixed = { ...next.source.credentials(), key };
      source.credentials = () => mixed;
      await waitFor(() => warnings.length > 0);
      expect(await issuer()).toBe('CN=first CA');
      source.credentials = () => next.source.credentials();
      await waitFor(async () => (await issuer()) === 'CN=second CA');
    });

    it('is not ready before API servers trust its CA, and stays ready then', async () => {
      let trusted = false;
      await open({ trusted: () => trusted });
      expect(() => server.check()).toThrow('API servers do not trust its certificate yet');
      trusted = true;
      expect(() => server.check()).not.toThrow();
      trusted = false;
      expect(() => server.check()).not.toThrow();
    });

    it('of a new CA waits until API servers trust it', async () => {
      let trusted = false;
      let asked = 0;
      await open({
        trusted: () => {
          asked += 1;
          return trusted;
        },
      });
      await secret.renew(await authority('second CA'));
      await waitFor(() => asked > 1);
      expect(await issuer()).toBe('CN=first CA');
      trusted = true;
      await waitFor(async () => (await issuer()) === 'CN=second CA');
    });
  });
});
