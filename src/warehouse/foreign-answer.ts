/**
 * An answer that cannot come from the warehouse: a captive portal's HTML, truncated or malformed JSON, repeated rows. It
 * counts as no answer at all. The message never quotes the body.
 */
export class ForeignAnswer extends Error {
  override readonly name = 'ForeignAnswer';
}

/** For an HTTP answer. @param address of the request; the message shows only its host, because the path may name tables */
export function foreignAnswer(
  warehouse: string,
  { address, status, contentType }: { readonly address: string; readonly status?: number; readonly contentType?: unknown },
): ForeignAnswer {
  const host = URL.canParse(address) ? new URL(address).host : 'the server';
  const type = typeof contentType === 'string' && contentType !== '' ? contentType.split(';', 1)[0] : 'no content type';
  const answered = status === undefined ? 'answered' : `answered HTTP ${status}`;
  return new ForeignAnswer(`${host} ${answered} (${type}) with something that is not ${warehouse}'s protocol`);
}
