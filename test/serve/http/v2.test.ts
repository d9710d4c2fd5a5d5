import { expect, it } from 'vitest';
import { IRIS, served } from '../served.ts';

it('answers', async () => {
  const { addresses } = await served([IRIS]);
  const r = await fetch(`${addresses.http}/v2/models/iris/infer`, { method: 'POST', body: JSON.stringify({ id: 'x', inputs: [{ name: 'measurements', shape: [2, 4], datatype: 'FP32', data: [[5.1, 3.5, 1.4, 0.2], [5.1, 3.5, 1.4, 200]] }] }) });
  console.log(r.status, r.headers, await r.text());
  const m = await fetch(`${addresses.http}/v2/models/iris`);
  console.log(JSON.stringify(await m.json(), null, 1));
  expect(1).toBe(1);
});
