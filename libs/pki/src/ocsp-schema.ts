import { AsnProp, AsnPropTypes } from '@peculiar/asn1-schema';
import { CertID } from '@peculiar/asn1-ocsp';
import { AlgorithmIdentifier, Certificate, Extension, GeneralName } from '@peculiar/asn1-x509';

// RFC 6960 4.1.1. The request classes of @peculiar/asn1-ocsp 2.6.1 miss the [0] of singleRequestExtensions and so
// refuse every request that has some; the classes below them are used as they are.

/** Request: one certificate asked for. */
export class SingleRequest {
  @AsnProp({ type: CertID })
  reqCert = new CertID();

  @AsnProp({ type: Extension, context: 0, repeated: 'sequence', optional: true })
  singleRequestExtensions?: Extension[];
}

export class TbsRequest {
  @AsnProp({ type: AsnPropTypes.Integer, context: 0, defaultValue: 0 })
  version = 0;

  @AsnProp({ type: GeneralName, context: 1, optional: true })
  requestorName?: GeneralName;

  @AsnProp({ type: SingleRequest, repeated: 'sequence' })
  requestList: SingleRequest[] = [];

  @AsnProp({ type: Extension, context: 2, repeated: 'sequence', optional: true })
  requestExtensions?: Extension[];
}

export class RequestSignature {
  @AsnProp({ type: AlgorithmIdentifier })
  signatureAlgorithm = new AlgorithmIdentifier();

  @AsnProp({ type: AsnPropTypes.BitString })
  signature = new ArrayBuffer(0);

  @AsnProp({ type: Certificate, context: 0, repeated: 'sequence', optional: true })
  certs?: Certificate[];
}

/** OCSPRequest. */
export class OcspRequestSchema {
  @AsnProp({ type: TbsRequest })
  tbsRequest = new TbsRequest();

  @AsnProp({ type: RequestSignature, context: 0, optional: true })
  optionalSignature?: RequestSignature;
}
