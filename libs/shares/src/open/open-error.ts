/** Result files or receipts that do not fit one another; no row is shown. */
export class OpenError extends Error {
  override readonly name = 'OpenError';

  constructor(
    /** `share_mismatch`: the files; `receipt_mismatch`: what the agents signed. */
    readonly code: 'share_mismatch' | 'receipt_mismatch',
    message: string,
    readonly place: {
      /** Name in the header, without its slot number. */
      column?: string;
      /** Of the file, from 1. */
      row?: number;
      /** The parties that hold different copies; the one at fault alone where the others agree. */
      parties?: number[];
    } = {},
  ) {
    super(message);
  }
}
