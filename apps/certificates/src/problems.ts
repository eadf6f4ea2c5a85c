import { defineProblem } from '@glacis/http';

export const downloadTokenInvalid = defineProblem({
  slug: 'download-token-invalid',
  status: 401,
  title: 'Unauthorized',
  message: 'failed to perform authentication over the entity',
  about:
    'The download token is forged, expired, used already, or for another certificate. Ask for a new one at `/certs/{serial}/download/token`.',
});

export const enrolmentTokenInvalid = defineProblem({
  slug: 'enrolment-token-invalid',
  status: 401,
  title: 'Unauthorized',
  message: 'failed to perform authentication over the entity',
  about:
    'The enrolment token is forged, expired, used with another key, for another backend, or comes from outside its addresses. Make a new one at `POST /backends/{id}/enrolment-tokens`.',
});

export const certificateRevoked = defineProblem({
  slug: 'certificate-revoked',
  status: 409,
  title: 'Conflict',
  message: 'certificate is revoked',
  about: 'A revoked certificate cannot be renewed. Issue a new one.',
});

export const certificateExpired = defineProblem({
  slug: 'certificate-expired',
  status: 409,
  title: 'Conflict',
  message: 'certificate has expired',
  about: 'An expired certificate cannot be renewed. Issue a new one.',
});

export const policyOverlap = defineProblem({
  slug: 'policy-overlap',
  status: 409,
  title: 'Conflict',
  message: 'name policy takes names of another',
  about:
    'A DNS suffix or CIDR of the policy meets those of another tenant or the names of our own services. `overlaps` tells which it is.',
});

export const csrRejected = defineProblem({
  slug: 'csr-rejected',
  status: 422,
  title: 'Unprocessable Content',
  message: 'certificate signing request rejected',
  about:
    'The request is well-formed, but its key is too weak (RSA under 2048 bits, a curve other than P-256, P-384 and P-521) or it asks for a CA certificate.',
});

export const keyCompromised = defineProblem({
  slug: 'key-compromised',
  status: 422,
  title: 'Unprocessable Content',
  message: 'key is compromised',
  about:
    'A certificate of this key was revoked for keyCompromise: the key is never certified again, for nobody. `field` names the member that brought it. Make a new key.',
});

export const nameNotAllowed = defineProblem({
  slug: 'name-not-allowed',
  status: 422,
  title: 'Unprocessable Content',
  message: 'name not allowed in the certificate',
  about:
    '`name` is the first name that the certificate may not carry, `reason` why: `own_service`, `loopback`, `not_granted`, `wildcard`, `single_label` or `not_unicast`. A platform administrator grants names by the policy of the tenant.',
});

export const profileNeedsCsr = defineProblem({
  slug: 'profile-needs-csr',
  status: 422,
  title: 'Unprocessable Content',
  message: 'profile needs a key of its holder',
  about:
    'Certificates of the profile `short` are issued for a key that its holder made and renews by itself: send a CSR to `POST /certs/csrs/{entityID}`, or enrol over EST.',
});

export const subjectMismatch = defineProblem({
  slug: 'subject-mismatch',
  status: 422,
  title: 'Unprocessable Content',
  message: 'another subject than the presented certificate',
  about:
    'A renewal asks for the subject and the alternative names of the certificate that the client presents, byte for byte those of its owner. Other names need a new certificate.',
});

export const caUnavailable = defineProblem({
  slug: 'ca-unavailable',
  status: 503,
  title: 'Service Unavailable',
  message: 'certificate authority unavailable',
  about:
    'The certificate authority cannot sign now, or the service that knows the entity does not answer. Nothing was issued; repeat the request later.',
});

export const rotationUnderWay = defineProblem({
  slug: 'rotation-under-way',
  status: 409,
  title: 'Conflict',
  message: 'rotation under way',
  about:
    'The next CA is published already and waits for its time to sign. Only one waits at a time; `GET /certs/ca/issuers` shows it.',
});

export const caKeyOffline = defineProblem({
  slug: 'ca-key-offline',
  status: 409,
  title: 'Conflict',
  message: 'key of the root is offline',
  about:
    'The key of the root is not in this service, so no intermediate can be made here. Bring one in by `GLACIS_CERTS_CA_DIR`.',
});
