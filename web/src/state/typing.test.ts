import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PersonSchema } from '../gen/kith/v1/kith_pb';
import { heardFor, sayEvery, Typing } from './typing.svelte';

describe('Typing', () => {
  let said: string[];
  const make = () => new Typing(async (chatId, off) => void said.push(`${chatId} ${off ? 'off' : 'on'}`));
  const ben = create(PersonSchema, { id: 'ben', name: 'Ben' });

  beforeEach(() => {
    said = [];
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it('says it now and then, and once that it is over', () => {
    const typing = make();
    for (const text of ['a', 'ab', 'abc']) typing.say('chat', text);
    vi.advanceTimersByTime(sayEvery);
    typing.say('chat', 'abcd');
    typing.say('chat', '');
    typing.say('chat', '');
    expect(said).toEqual(['chat on', 'chat on', 'chat off']);
  });

  it('forgets who does not say it again, and at once who says that it is over', () => {
    const typing = make();
    typing.hear({ chatId: 'chat', person: ben, off: false });
    typing.hear({ chatId: 'chat', person: ben, off: false });
    expect(typing.of('chat').map((p) => p.name)).toEqual(['Ben']);
    vi.advanceTimersByTime(heardFor);
    expect(typing.of('chat')).toEqual([]);
    typing.hear({ chatId: 'chat', person: ben, off: false });
    typing.hear({ chatId: 'chat', person: ben, off: true });
    expect(typing.of('chat')).toEqual([]);
  });
});
