import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { draftPause, Drafts } from './drafts';

describe('Drafts', () => {
  let told: string[];
  let parting: string[];
  let away: boolean;
  const begun = (text: string) => ({ text, replyTo: '' });
  const make = () =>
    new Drafts(
      async (chatId, draft) => {
        if (away) throw new Error('away');
        told.push(`${chatId}:${draft.text}`);
      },
      (chatId, draft, at) => parting.push(`${chatId}:${draft.text}:${at}`),
    );

  beforeEach(() => {
    [told, parting, away] = [[], [], false];
    vi.useFakeTimers();
    vi.setSystemTime(1000);
  });
  afterEach(() => vi.useRealTimers());

  it('tells the first change at once, and of those that follow the last', async () => {
    const drafts = make();
    for (const text of ['a', 'ab', 'abc']) drafts.keep('chat', begun(text));
    expect(told).toEqual(['chat:a']);
    await vi.advanceTimersByTimeAsync(draftPause);
    expect(told).toEqual(['chat:a', 'chat:abc']);
    expect(drafts.of('chat', begun('old')).text).toBe('abc');
    await vi.advanceTimersByTimeAsync(10 * draftPause);
    expect(told).toHaveLength(2);
  });

  it('tells what was sent as nothing, never the draft after it', async () => {
    const drafts = make();
    drafts.keep('chat', begun('a'));
    drafts.keep('chat', begun('ab'));
    drafts.keep('chat', begun(''));
    await vi.advanceTimersByTimeAsync(10 * draftPause);
    expect(told).toEqual(['chat:a', 'chat:']);
  });

  it('keeps what the node did not take until it is back', async () => {
    const drafts = make();
    away = true;
    drafts.keep('chat', begun('a'));
    await vi.advanceTimersByTimeAsync(10);
    away = false;
    drafts.flush();
    expect(told).toEqual(['chat:a']);
  });

  it('tells the last keys as the page goes, and goes on if it does not', async () => {
    const drafts = make();
    drafts.keep('chat', begun('a'));
    vi.setSystemTime(1100);
    drafts.keep('chat', begun('ab'));
    drafts.part();
    expect(parting).toEqual(['chat:ab:1100']);
    await vi.advanceTimersByTimeAsync(draftPause);
    expect(told).toEqual(['chat:a', 'chat:ab']);
    await vi.advanceTimersByTimeAsync(draftPause);
    drafts.part();
    expect(parting).toHaveLength(1);
  });

  it('tells as the page goes what was told and not answered', () => {
    const drafts = make();
    drafts.keep('chat', begun('a'));
    drafts.keep('other', begun('b'));
    drafts.part();
    expect(parting).toEqual(['chat:a:1000', 'other:b:1000']);
  });
});
