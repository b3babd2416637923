import { create } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageSchema } from '../gen/kith/v1/kith_pb';
import { Code, Refusal } from '../net/protocol';
import type { Draftling } from './timeline';

const storage = () => {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    key: (i: number) => [...kept.keys()][i] ?? null,
    clear: () => kept.clear(),
    get length() {
      return kept.size;
    },
    everything: () => JSON.stringify([...kept]),
  };
};
const [local, session] = [storage(), storage()];
vi.stubGlobal('localStorage', local);
vi.stubGlobal('sessionStorage', session);
const { Box, countSealed } = await import('../lib/sealed');
const { Outbox } = await import('./outbox.svelte');

const settled = () => new Promise((resolve) => setTimeout(resolve, 20)); // sealing takes a moment
const key = new Uint8Array(32).fill(7);
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

  let parted: string[];
  const parting = (draftling: Draftling) => void parted.push(draftling.text);

  beforeEach(() => {
    local.clear();
    session.clear();
    sent = [];
    parted = [];
    answer = () => undefined;
  });

  it('sends in order and forgets what was taken', async () => {
    const outbox = new Outbox(send, parting);
    outbox.open(await Box.open(key));
    for (const text of ['one', 'two', 'three']) outbox.write('chat', text);
    expect(outbox.of('chat')).toHaveLength(3);
    await settled();
    expect(sent).toEqual(['one', 'two', 'three']);
    expect(outbox.draftlings).toEqual([]);
    expect(countSealed()).toBe(0);
  });

  it('waits while the program is away, outlives the tab, and keeps the client id', async () => {
    answer = () => away;
    const outbox = new Outbox(send, parting);
    outbox.write('chat', 'one'); // before the key was there
    outbox.open(await Box.open(key));
    outbox.write('chat', 'two');
    await settled();
    const ids = outbox.draftlings.map((d) => d.clientId);
    expect(outbox.draftlings.map((d) => d.failed)).toEqual(['', '']);

    const reopened = new Outbox(send, parting);
    expect(countSealed()).toBe(2);
    reopened.open(await Box.open(key));
    await reopened.resume();
    expect(reopened.draftlings.map((d) => d.clientId)).toEqual(ids);
    await settled();
    answer = () => undefined;
    await reopened.resume();
    await settled();
    expect(sent).toEqual(['one', 'two']);
    expect(countSealed()).toBe(0);
  });

  it('sends as the page goes what is not kept yet, and nothing else', async () => {
    answer = (text) => (text === 'bad' ? new Refusal(Code.invalidArgument, 'this is too long') : away);
    const outbox = new Outbox(send, parting);
    outbox.write('chat', 'one'); // before the key was there
    outbox.write('other', 'bad');
    await settled();
    outbox.part();
    expect(parted).toEqual(['one']);
    outbox.open(await Box.open(key));
    await settled();
    outbox.write('chat', 'two'); // is still being sealed
    outbox.part();
    expect(parted).toEqual(['one', 'two']);
    await settled();
    outbox.part();
    expect(parted).toHaveLength(2);
  });

  it('leaves nothing in the browser that can be read without the key', async () => {
    answer = () => away;
    const outbox = new Outbox(send, parting);
    outbox.open(await Box.open(key));
    outbox.write('chat', 'the harbour at nine');
    await settled();
    expect(local.everything() + session.everything()).not.toContain('harbour');
    const other = new Outbox(send, parting);
    other.open(await Box.open(new Uint8Array(32)));
    await other.resume();
    expect(other.draftlings).toEqual([]);
    expect(countSealed()).toBe(1); // it is another home's
  });

  it('takes over what a page before it kept in the tab', async () => {
    session.setItem('kith.outbox', JSON.stringify([{ clientId: 'a', chatId: 'chat', text: 'old', time: 1, failed: '' }]));
    expect(countSealed()).toBe(1);
    const outbox = new Outbox(send, parting);
    outbox.open(await Box.open(key));
    await outbox.resume();
    await settled();
    expect(sent).toEqual(['old']);
    expect(countSealed()).toBe(0);
  });

  it('says why one was refused, sends the others, and tries again when asked', async () => {
    answer = (text) => (text === 'bad' ? new Refusal(Code.invalidArgument, 'this is too long') : undefined);
    const outbox = new Outbox(send, parting);
    for (const text of ['bad', 'good']) outbox.write('chat', text);
    await settled();
    expect(sent).toEqual(['good']);
    expect(outbox.draftlings).toMatchObject([{ text: 'bad', failed: 'This is too long.' }]);

    answer = () => undefined;
    outbox.retry(outbox.draftlings[0]!.clientId);
    await settled();
    expect(sent).toEqual(['good', 'bad']);
  });

  it('tries all again that was refused, where what was in the way is gone', async () => {
    answer = () => new Refusal(Code.failedPrecondition, 'the disk is full');
    const outbox = new Outbox(send, parting);
    for (const text of ['one', 'two']) outbox.write('chat', text);
    await settled();
    expect(outbox.draftlings.map((d) => d.failed)).toEqual(['The disk is full.', 'The disk is full.']);
    answer = () => undefined;
    outbox.retryAll();
    await settled();
    expect(sent).toEqual(['one', 'two']);
  });

  it('drops one that is not wanted any more', async () => {
    answer = () => away;
    const outbox = new Outbox(send, parting);
    outbox.write('chat', 'never mind');
    await settled();
    outbox.discard(outbox.draftlings[0]!.clientId);
    expect(outbox.draftlings).toEqual([]);
  });

  it('begins anew where what was kept makes no sense', async () => {
    for (const nonsense of ['{', '{}', '[1, {"text": 3}]', 'null', '']) {
      local.setItem('kith.outbox.a', nonsense);
      session.setItem('kith.outbox', nonsense);
      const outbox = new Outbox(send, parting);
      outbox.open(await Box.open(key));
      await outbox.resume();
      expect(outbox.draftlings).toEqual([]);
    }
  });
});
