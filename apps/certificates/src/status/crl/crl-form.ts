import { toPem } from '@glacis/pki';
import { bodyTag } from '../status-headers.js';
import type { Crl } from './crls.service.js';

/** How a CRL is written for its reader. */
export type FormName = 'der' | 'pem' | 'json';

export interface CrlForm {
  type: string;
  body: Buffer;
  etag: string;
}

export const derType = 'application/pkix-crl';
export const pemType = 'application/x-pem-file';

const pemOf = ({ der }: Crl): Buffer => Buffer.from(toPem('X509 CRL', der));

const encodings: Record<FormName, { type: string; encode: (crl: Crl) => Buffer }> = {
  der: { type: derType, encode: (crl) => crl.der },
  pem: { type: pemType, encode: pemOf },
  json: {
    type: 'application/json',
    encode: (crl) => Buffer.from(`${JSON.stringify({ crl: pemOf(crl).toString('base64') })}\n`),
  },
};

const made = new WeakMap<Crl, Map<FormName, CrlForm>>();

/** The CRL in a form. Encoded and hashed once, as CRLs are large and everybody may ask; kept as long as the CRL is. */
export function crlForm(crl: Crl, name: FormName): CrlForm {
  const forms = made.get(crl) ?? new Map<FormName, CrlForm>();
  made.set(crl, forms);
  const known = forms.get(name);
  if (known !== undefined) return known;
  const { type, encode } = encodings[name];
  const body = encode(crl);
  const form = { type, body, etag: bodyTag(body) };
  forms.set(name, form);
  return form;
}

/** CRLs in PEM, one after another. */
export function joinedPem(crls: readonly Crl[]): CrlForm {
  const forms = crls.map((crl) => crlForm(crl, 'pem'));
  const etag = bodyTag(forms.map((form) => form.etag).join());
  return { type: pemType, body: Buffer.concat(forms.map((form) => form.body)), etag };
}
