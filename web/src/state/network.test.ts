import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NetworkSchema, PathSchema, type Path } from '../gen/kith/v1/kith_pb';
import { NetworkView } from './network.svelte';

describe('NetworkView', () => {
  let asked: number;
  let seen: boolean;
  let paths: Path[];
  const make = () =>
    new NetworkView(
      async () => {
        asked++;
        return create(NetworkSchema, { paths });
      },
      () => seen,
    );
  const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const ben = (nextTry: number, kind = '') => create(PathSchema, { person: { id: 'ben' }, kind, tries: 1n, nextTry: BigInt(nextTry) });

  beforeEach(() => {
    [asked, seen] = [0, true];
    vi.useFakeTimers();
    paths = [ben(0, 'quic')];
  });
  afterEach(() => vi.useRealTimers());

  it('asks only while it is watched, and once for events that come together', async () => {
    const view = make();
    view.changed();
    await later(10_000);
    expect(asked).toBe(0);
    const stop = view.watch();
    await later(0);
    expect(asked).toBe(1);
    for (let i = 0; i < 5; i++) view.changed();
    await later(60_000);
    expect(asked).toBe(2);
    expect(view.of('ben')?.kind).toBe('quic');
    stop();
    view.changed();
    await later(60_000);
    expect(asked).toBe(2);
  });

  it('counts down here and asks again once the next try is due', async () => {
    paths = [ben(Date.now() + 20_000)];
    const view = make();
    view.watch('ben');
    await later(0);
    const from = view.now;
    await later(10_000);
    expect(asked).toBe(1);
    expect(view.now - from).toBe(10_000);
    paths = [ben(0, 'quic')];
    await later(11_000);
    expect(asked).toBe(2);
    await later(600_000);
    expect(asked).toBe(2);
  });

  it('does not look for what befalls others while one person is watched', async () => {
    paths = [ben(Date.now() + 1000), create(PathSchema, { person: { id: 'cleo' }, kind: 'quic' })];
    const view = make();
    view.watch('cleo');
    await later(600_000);
    expect(asked).toBe(1);
  });

  it('rests while nobody can look at the page', async () => {
    paths = [ben(Date.now() + 5000)];
    const view = make();
    view.watch();
    await later(0);
    seen = false;
    await later(600_000);
    const before = asked;
    expect(before).toBeLessThanOrEqual(2);
    seen = true;
    view.changed();
    await later(300);
    expect(asked).toBe(before + 1);
  });

  it('asks again where something happened while it asked', async () => {
    const answers: (() => void)[] = [];
    const view = new NetworkView(
      () => {
        asked++;
        return new Promise((resolve) => answers.push(() => resolve(create(NetworkSchema, {}))));
      },
      () => true,
    );
    view.watch();
    await later(0);
    view.changed();
    await later(1000);
    expect(asked).toBe(1);
    answers[0]!();
    await later(1000);
    expect(asked).toBe(2);
  });
});
