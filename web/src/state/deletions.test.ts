import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageSchema, type Message } from '../gen/kith/v1/kith_pb';
import { Deletions, undoFor } from './deletions.svelte';

describe('Deletions', () => {
  const message = create(MessageSchema, { id: 'a', chatId: 'chat' });
  let sent: string[];
  const send = async (m: Message) => void sent.push(m.id);
  const sendParting = (m: Message) => void sent.push(`${m.id}, parting`);

  beforeEach(() => {
    sent = [];
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it('sends nothing before its time, and then once', async () => {
    const deletions = new Deletions(send, sendParting);
    deletions.start(message);
    deletions.start(message);
    await vi.advanceTimersByTimeAsync(undoFor - 1);
    expect(sent).toEqual([]);
    expect(deletions.waits('a')).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual(['a']);
    expect(deletions.waits('a')).toBe(false);
  });

  it('sends nothing that was taken back', async () => {
    const deletions = new Deletions(send, sendParting);
    deletions.start(message);
    deletions.undo('a');
    await vi.advanceTimersByTimeAsync(2 * undoFor);
    expect(sent).toEqual([]);
  });

  it('sends at once when the page goes, and not again', async () => {
    const deletions = new Deletions(send, sendParting);
    deletions.start(message);
    deletions.part();
    await vi.advanceTimersByTimeAsync(2 * undoFor);
    expect(sent).toEqual(['a, parting']);
  });

  it('says why it was refused, until it is tried again', async () => {
    let refuse = true;
    const deletions = new Deletions(async () => {
      if (refuse) throw new Error('only an admin can do this');
    }, sendParting);
    deletions.start(message);
    await vi.advanceTimersByTimeAsync(undoFor);
    expect(deletions.refused('a')).toBe('Only an admin can do this.');
    refuse = false;
    deletions.start(message);
    expect(deletions.refused('a')).toBe('');
  });
});
