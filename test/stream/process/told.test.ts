import { afterEach, expect, it, vi } from 'vitest';
import { tellOf } from '../../../src/stream/process/told.ts';

afterEach(() => vi.useRealTimers());

it('says what it waits for where the group hands out no partition, unless it has done so or the stream ends', () => {
  vi.useFakeTimers();
  const said: string[] = [];
  const tell = (text: string) => void said.push(text);
  const told = () => tellOf({ info: tell, warn: tell, debug: tell }, undefined);
  told().joining();
  vi.advanceTimersByTime(1999);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual(['waiting for the group to hand out partitions: after a process was killed this takes up to 10 s']);

  const [assigned, ended] = [told(), told()];
  assigned.joining();
  assigned.assigned(0, { from: 0, position: 0, kept: false, begins: true });
  ended.joining();
  ended.end();
  vi.advanceTimersByTime(60_000);
  expect(said).toHaveLength(2);
});
