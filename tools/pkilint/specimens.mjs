// One of every kind of certificate, CRL and OCSP response that the certificates service gives out, per CA key.
import * as pki from '@glacis/pki';

const domain = 'spiffe://glacis.local';
const entity = 'ca219243-0dd4-4e6e-94ad-54fbf3dd8b32';
const status = 'http://status.example.com/certs';
const day = 86_400_000;
const now = new Date();
const justNow = new Date(now.getTime() - 60_000);
const later = (days) => new Date(now.getTime() + days * day);

const organization = { type: 'organization', value: 'Glacis' };
const commonName = (value) => ({ type: 'commonName', value });

const caPointers = (name) => ({
  caIssuers: `${status}/ca/${name}.crt`,
  crl: `${status}/crl/${name}/root.crl`,
});

/** A CA: its issuer form, key and certificate. */
async function authority(algorithm, subject, days, make) {
  const keys = await pki.generateKeys(algorithm);
  const self = pki.selfIssuer([organization, commonName(subject)], keys);
  const spki = pki.spkiOf(keys.publicKey);
  const { issuer = self, extensions } = make({ self, spki });
  const certificate = pki.certificate({
    serial: pki.newSerial(),
    issuer,
    subject: self.subjectDer,
    publicKey: spki,
    notBefore: justNow,
    notAfter: later(days),
    extensions,
  });
  return { ...self, spki, certificate };
}

const rootOf = (algorithm, name) =>
  authority(algorithm, name, 3650, ({ spki }) => ({
    extensions: pki.rootExtensions({ publicKey: spki, uri: domain }),
  }));

const intermediateOf = (algorithm, root) =>
  authority(algorithm, 'Glacis Issuing CA 1 01234567', 730, ({ spki }) => ({
    issuer: root,
    extensions: pki.intermediateExtensions({
      issuer: root,
      publicKey: spki,
      uri: domain,
      pointers: caPointers('root'),
    }),
  }));

function crossOf(root, older) {
  return pki.certificate({
    serial: pki.newSerial(),
    issuer: older,
    subject: root.subjectDer,
    publicKey: root.spki,
    notBefore: justNow,
    notAfter: later(3000),
    extensions: pki.crossExtensions({
      issuer: older,
      publicKey: root.spki,
      uri: domain,
      pointers: caPointers('older'),
    }),
  });
}

function leafOf(issuer, spki, serverAuth, full) {
  const names = { uris: [`${domain}/tenant/t1/backend/${entity}`] };
  return pki.certificate({
    serial: pki.newSerial(),
    issuer,
    subject: full
      ? [
          { type: 'country', value: 'DE' },
          { type: 'province', value: 'Baden-Württemberg' },
          { type: 'locality', value: 'Karlsruhe' },
          { type: 'streetAddress', value: 'Marktplatz 1' },
          { type: 'postalCode', value: '76133' },
          organization,
          { type: 'organizationalUnit', value: 'Hosts' },
          commonName(entity),
        ]
      : [organization, commonName(entity)],
    publicKey: spki,
    notBefore: justNow,
    notAfter: later(90),
    extensions: pki.leafExtensions({
      issuer,
      publicKey: spki,
      serverAuth,
      names: full
        ? { ...names, dnsNames: ['host.example.com'], ipAddresses: ['192.0.2.7', '2001:db8::7'] }
        : names,
      pointers: { ocsp: `${status}/ocsp`, ...caPointers('ca'), crl: `${status}/crl/ca/3.crl` },
    }),
  });
}

/** As the profiles `short` and `svid` make them: one without a place to ask of its status, one for both purposes. */
function profiledLeaf(issuer, spki, { short }) {
  const pointers = short
    ? { caIssuers: caPointers('ca').caIssuers }
    : { ocsp: `${status}/ocsp`, ...caPointers('ca'), crl: `${status}/crl/ca/3.crl` };
  return pki.certificate({
    serial: pki.newSerial(),
    issuer,
    subject: [organization, commonName(entity)],
    publicKey: spki,
    notBefore: justNow,
    notAfter: later(1),
    extensions: pki.leafExtensions({
      issuer,
      publicKey: spki,
      serverAuth: !short,
      noRevAvail: short,
      names: { uris: [`${domain}/tenant/t1/backend/${entity}`] },
      pointers,
    }),
  });
}

async function responderOf(issuer, algorithm) {
  const keys = await pki.generateKeys(algorithm);
  const spki = pki.spkiOf(keys.publicKey);
  const certificate = pki.certificate({
    serial: pki.newSerial(),
    issuer,
    subject: [organization, commonName('Glacis OCSP Responder')],
    publicKey: spki,
    notBefore: justNow,
    notAfter: later(7),
    extensions: pki.responderExtensions({ issuer, publicKey: spki }),
  });
  return { privateKey: keys.privateKey, keyId: pki.keyIdOf(spki), certificate };
}

function crlsOf(root, intermediate) {
  const entry = (reason) => pki.crlEntry({ serial: pki.newSerial(), revokedAt: justNow, reason });
  const make = (issuer, entries, scope) =>
    pki.crl({
      issuer,
      entries,
      number: BigInt(now.getTime()),
      thisUpdate: justNow,
      nextUpdate: later(1),
      scope,
    });
  const url = `${status}/crl/ca/3.crl`;
  return [
    ['crl empty shard', make(intermediate, [], { url })],
    ['crl shard', make(intermediate, [0, 1, 3, 4, 5, 9].map(entry), { url })],
    ['crl full', make(intermediate, [0, 1, 3, 4, 5, 9].map(entry))],
    ['crl empty full', make(intermediate, [])],
    ['arl root', make(root, [entry(2)])],
    ['arl empty root', make(root, [])],
  ];
}

function ocspOf(issuer, responder) {
  const hashes = pki.certIdHashes(issuer);
  const certId = (hash, serial) => pki.certIdDer({ hash, ...hashes[hash], serial });
  const make = (answerStatus, more = {}, hash = 'sha1') =>
    pki.ocspResponse({
      responder,
      producedAt: now,
      answers: [
        {
          certIdDer: certId(hash, pki.newSerial()),
          status: answerStatus,
          thisUpdate: justNow,
          nextUpdate: new Date(now.getTime() + 3_600_000),
          archiveCutoff: more.archiveCutoff,
        },
      ],
      nonce: more.nonce,
    });
  const nonce = Buffer.concat([Buffer.of(0x04, 32), Buffer.alloc(32, 7)]);
  return [
    ['ocsp good', make({ kind: 'good' })],
    ['ocsp good sha256', make({ kind: 'good' }, {}, 'sha256')],
    ['ocsp revoked', make({ kind: 'revoked', at: justNow, reason: 0 })],
    ['ocsp revoked with reason', make({ kind: 'revoked', at: justNow, reason: 1 })],
    ['ocsp revoked with its issuer', make({ kind: 'revoked', at: justNow, reason: 2 })],
    ['ocsp unknown', make({ kind: 'unknown' })],
    ['ocsp nonce', make({ kind: 'good' }, { nonce })],
    ['ocsp archive cutoff', make({ kind: 'good' }, { archiveCutoff: later(-365) })],
  ];
}

/** Issuer and subject of every link of a chain. */
function chainsOf({ root, older, intermediate, responder, cross }, leafKeys) {
  return [
    ['chain intermediate', root.certificate, intermediate.certificate],
    ['chain cross', older.certificate, cross],
    ['chain responder', intermediate.certificate, responder.certificate],
    ...Object.entries(leafKeys).map(([name, spki]) => [
      `chain leaf ${name}`,
      intermediate.certificate,
      leafOf(intermediate, spki, false, true),
    ]),
  ];
}

/**
 * `[name, DER]` of everything that a CA with this kind of key makes, the name beginning with what it is; chains have the
 * DER of issuer and subject. `leafKeys` are public keys by name.
 */
export async function specimens(caAlgorithm, leafKeys) {
  const root = await rootOf(caAlgorithm, 'Glacis Root CA 2 89abcdef');
  const older = await rootOf(caAlgorithm, 'Glacis Root CA 1 76543210');
  const intermediate = await intermediateOf(caAlgorithm, root);
  const responder = await responderOf(intermediate, caAlgorithm);
  const cross = crossOf(root, older);
  return [
    ['certificate root', root.certificate],
    ['certificate cross', cross],
    ['certificate intermediate', intermediate.certificate],
    ['certificate responder', responder.certificate],
    ...Object.entries(leafKeys).flatMap(([name, spki]) => [
      [`certificate leaf ${name}`, leafOf(intermediate, spki, false, false)],
      [
        `certificate leaf ${name} with serverAuth and names`,
        leafOf(intermediate, spki, true, true),
      ],
    ]),
    ['certificate short', profiledLeaf(intermediate, leafKeys['ECDSA-P256'], { short: true })],
    ['certificate svid', profiledLeaf(intermediate, leafKeys['ECDSA-P256'], { short: false })],
    ...chainsOf({ root, older, intermediate, responder, cross }, leafKeys),
    ...crlsOf(root, intermediate),
    ...ocspOf(intermediate, responder),
  ].map(([name, ...ders]) => [`${String(name)}, CA ${caAlgorithm}`, ...ders]);
}
