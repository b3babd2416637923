import { afterEach, describe, expect, it, vi } from 'vitest';
import { noticePresence } from './presence';

describe('noticePresence', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('tells at once, and then seldom', () => {
    const page = new EventTarget();
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
    let [told, time] = [0, 1_000_000];
    const stop = noticePresence(
      () => told++,
      () => time,
    );
    page.dispatchEvent(new Event('keydown'));
    page.dispatchEvent(new Event('pointermove'));
    expect(told).toBe(1);
    time += 29_999;
    page.dispatchEvent(new Event('wheel'));
    expect(told).toBe(1);
    time += 1;
    page.dispatchEvent(new Event('visibilitychange')); // nobody's doing
    expect(told).toBe(1);
    page.dispatchEvent(new Event('touchmove'));
    expect(told).toBe(2);
    stop();
    time += 30_000;
    page.dispatchEvent(new Event('keydown'));
    expect(told).toBe(2);
  });
});
