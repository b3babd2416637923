import { create } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageSchema } from '../gen/kith/v1/kith_pb';
import { Code, Refusal } from '../net/protocol';
import type { Draftling } from './timeline';

const kept = new Map<string, string>();
vi.stubGlobal('sessionStorage', {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
});
const { Outbox } = await import('./outbox.svelte');

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const away = new Refusal(Code.unavailable, 'away');

describe('Outbox', () => {
  let sent: string[];
  let answer: (text: string) => Refusal | undefined;
  const send = async (draftling: Draftling) => {
    const refusal = answer(draftling.text);
    if (refusal !== undefined) throw refusal;
    sent.push(draftling.text);
    return create(MessageSchema, { clientId: draftling.clientId });
  };

  beforeEach(() => {
    kept.clear();
    sent = [];
    answer = () => undefined;
  });

  it('sends in order and forgets what was taken', async () => {
    const outbox = new Outbox(send);
    for (const text of ['one', 'two', 'three']) outbox.write('chat', text);
    expect(outbox.of('chat')).toHaveLength(3);
    await settled();
    expect(sent).toEqual(['one', 'two', 'three']);
    expect(outbox.draftlings).toEqual([]);
    expect(kept.size).toBe(0);
  });

  it('waits while the program is away, and keeps the client id', async () => {
    answer = () => away;
    const outbox = new Outbox(send);
    outbox.write('chat', 'one');
    outbox.write('chat', 'two');
    await settled();
    const ids = outbox.draftlings.map((d) => d.clientId);
    expect(outbox.draftlings.map((d) => d.failed)).toEqual(['', '']);

    const reloaded = new Outbox(send);
    expect(reloaded.draftlings.map((d) => d.clientId)).toEqual(ids);
    answer = () => undefined;
    reloaded.resume();
    await settled();
    expect(sent).toEqual(['one', 'two']);
  });

  it('says why one was refused, sends the others, and tries again when asked', async () => {
    answer = (text) => (text === 'bad' ? new Refusal(Code.invalidArgument, 'this is too long') : undefined);
    const outbox = new Outbox(send);
    for (const text of ['bad', 'good']) outbox.write('chat', text);
    await settled();
    expect(sent).toEqual(['good']);
    expect(outbox.draftlings).toMatchObject([{ text: 'bad', failed: 'This is too long.' }]);

    answer = () => undefined;
    outbox.retry(outbox.draftlings[0]!.clientId);
    await settled();
    expect(sent).toEqual(['good', 'bad']);
  });

  it('drops one that is not wanted any more', async () => {
    answer = () => away;
    const outbox = new Outbox(send);
    outbox.write('chat', 'never mind');
    await settled();
    outbox.discard(outbox.draftlings[0]!.clientId);
    expect(outbox.draftlings).toEqual([]);
  });

  it('begins anew where what was kept makes no sense', () => {
    for (const nonsense of ['{', '{}', '[1, {"text": 3}]', 'null']) {
      kept.set('kith.outbox', nonsense);
      expect(new Outbox(send).draftlings).toEqual([]);
    }
  });
});
