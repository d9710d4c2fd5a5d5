/**
 * An answer that the warehouse cannot have given: HTML of a captive portal, JSON that is cut or of another shape, rows that
 * repeat. It says nothing about what was asked, so it counts as no answer. Its message holds nothing of the body.
 */
export class ForeignAnswer extends Error {
  override readonly name = 'ForeignAnswer';
}

/** For an HTTP answer. @param address where it was sent; its path may name tables, so only the host is said */
export function foreignAnswer(
  warehouse: string,
  { address, status, contentType }: { readonly address: string; readonly status?: number; readonly contentType?: unknown },
): ForeignAnswer {
  const host = URL.canParse(address) ? new URL(address).host : 'the server';
  const type = typeof contentType === 'string' && contentType !== '' ? contentType.split(';', 1)[0] : 'no content type';
  const answered = status === undefined ? 'answered' : `answered HTTP ${status}`;
  return new ForeignAnswer(`${host} ${answered} (${type}) with something that is not ${warehouse}'s protocol`);
}
