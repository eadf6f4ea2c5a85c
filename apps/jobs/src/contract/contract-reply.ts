/** A 200 of a contract route: members of the contract first, extensions behind them. */
export interface ContractReply {
  contract: Record<string, unknown>;
  extension: Record<string, unknown>;
}

/** `return=minimal` (RFC 7240 4.2) leaves the extensions out. */
export function bodyOf({ contract, extension }: ContractReply, prefer: string | undefined): object {
  const minimal = /(^|[,;])\s*return\s*=\s*"?minimal"?\s*($|[,;])/i.test(prefer ?? '');
  return minimal ? contract : { ...contract, ...extension };
}
