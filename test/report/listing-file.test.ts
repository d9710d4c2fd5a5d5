import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createListing } from '../../src/report/listing-file.ts';
import { listingMark, parseListingMark } from '../../src/report/listing-mark.ts';
import { temporaryFolder } from '../support/project.ts';

const JOB = 'churn-weekly';
const run = (window: string) => ({ job: JOB, runId: `${window}-0123456789ab` });
const content = (entry: number, job = JOB) => ({
  entry,
  html: `<!doctype html><html><head><meta charset="utf-8">${listingMark({ job, entry })}</head><body>${entry}</body></html>`,
});

async function shown(file: string): Promise<number | undefined> {
  return parseListingMark(await readFile(file, 'utf8'))?.entry;
}

it('replaces an index of fewer entries, one of the same, and none of more', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'index.html');
  for (const [entry, after] of [
    [5, 5],
    [5, 5],
    [3, 5],
    [12, 12],
  ] as const) {
    const listing = await createListing(file, run('1997-W11'), content(entry));
    expect(await listing.replace()).toBe('in place');
    // The ledger may decide twice and then calls it twice.
    expect(await listing.replace()).toBe('in place');
    await listing.removeOthers();
    await listing.discard();
    expect(await shown(file)).toBe(after);
  }
  expect(await readdir(folder)).toEqual(['index.html']);
});

it('keeps the newer of two windows that finish at once, whichever pauses where', async () => {
  // Steps of both writers in every order: create, then replace. Each makes its index again while it is behind.
  for (const order of ['oOnN', 'onON', 'onNO', 'noON', 'noNO', 'nNoO']) {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'index.html');
    const entries = { o: 5, n: 12 };
    const listings = new Map<string, Awaited<ReturnType<typeof createListing>>>();
    const behind: string[] = [];
    for (const step of order) {
      const who = step.toLowerCase() as 'o' | 'n';
      if (step === who)
        listings.set(who, await createListing(file, run(who === 'o' ? '1997-W10' : '1997-W11'), content(entries[who])));
      else if ((await listings.get(who)?.replace()) === 'behind') behind.push(who);
    }
    expect(behind, order).not.toContain('n');
    for (const listing of listings.values()) await listing.discard();
    expect(await shown(file), order).toBe(12);
    expect(await readdir(folder), order).toEqual(['index.html']);
  }
});

it('does not overtake a newer one that is about to be renamed, and takes its place if made again', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'index.html');
  // The newer writer has removed lower pending files, and pauses before its rename: the older one comes too late for that.
  const newer = await createListing(file, run('1997-W11'), content(12));
  const older = await createListing(file, run('1997-W10'), content(5));
  expect(await older.replace()).toBe('behind');
  await older.discard();
  // Whatever becomes of the newer process, an index of as many entries is right.
  const again = await createListing(file, run('1997-W10'), content(12));
  expect(await again.replace()).toBe('in place');
  expect(await shown(file)).toBe(12);
  await again.removeOthers();
  expect(await newer.replace()).toBe('behind');
  await newer.discard();
  expect(await readdir(folder)).toEqual(['index.html']);
});

it('many writers at once leave the one of most entries', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'index.html');
  let last = 0;
  const write = async (window: string): Promise<void> => {
    for (;;) {
      last += 1;
      const listing = await createListing(file, run(window), content(last));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
      const placed = await listing.replace();
      if (placed === 'in place') await listing.removeOthers();
      await listing.discard();
      if (placed === 'in place') return;
    }
  };
  let highest = 0;
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(Array.from({ length: 12 }, (_, i) => write(`1997-W${10 + i}`)));
    const now = (await shown(file)) ?? 0;
    expect(now).toBeGreaterThanOrEqual(highest);
    highest = now;
    last += 1;
    const final = await createListing(file, run('1997-W30'), content(last));
    expect(await final.replace()).toBe('in place');
    await final.discard();
    expect(await shown(file)).toBe(last);
  }
  expect(await readdir(folder)).toEqual(['index.html']);
});

it('replaces an index of another job, whatever number that states: the job may, if it is forced', async () => {
  const file = path.join(await temporaryFolder(), 'index.html');
  for (const there of [content(99, 'another-job').html, 'no index', '']) {
    await writeFile(file, there);
    const listing = await createListing(file, run('1997-W11'), content(3));
    expect(await listing.replace()).toBe('in place');
    expect(await shown(file)).toBe(3);
  }
});

it('throws for content that does not state its entry, and reports a path that cannot be written', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'index.html');
  await expect(createListing(file, run('1997-W11'), { entry: 4, html: content(3).html })).rejects.toThrow('does not state');
  await expect(createListing(file, run('1997-W11'), content(3, 'another-job'))).rejects.toThrow('does not state');
  await mkdir(file);
  const listing = await createListing(file, run('1997-W11'), content(3));
  await expect(listing.replace()).rejects.toMatchObject({ kind: 'report' });
  await listing.discard();
  expect(await readdir(folder)).toEqual(['index.html']);
});
