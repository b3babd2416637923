import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ChatSchema, MessageSchema, MessageState, PersonSchema, type Message } from '../gen/kith/v1/kith_pb';
import { Ahead, mentionsAfter } from './mentions.svelte';

describe('which unread messages mention one', () => {
  const chat = create(ChatSchema, { readTo: 'c', mentions: ['d', 'f'] });
  const message = create(MessageSchema, { cursor: 'e', state: MessageState.SHOWN, mentionsMe: true, author: { id: 'ben' } });
  const after = (more: Partial<Message>) => mentionsAfter(chat, { ...message, ...more });

  it('takes one in where it stands, once', () => {
    expect(after({})).toEqual(['d', 'e', 'f']);
    expect(after({ cursor: 'f' })).toBe(chat.mentions);
  });

  it('counts nothing that is read, one’s own, or mentions others', () => {
    for (const more of [{ cursor: 'b' }, { cursor: 'c' }, { author: create(PersonSchema, { me: true }) }, { mentionsMe: false }]) expect(after(more)).toBe(chat.mentions);
  });

  it('lets go what does not mention one any more, or is gone', () => {
    expect(after({ cursor: 'd', mentionsMe: false })).toEqual(['f']);
    expect(after({ cursor: 'f', state: MessageState.DELETED })).toEqual(['d']);
  });
});

describe('mentions that are ahead', () => {
  it('are each told once, the oldest first, until they were in view', () => {
    const ahead = new Ahead();
    ahead.take(['d', 'f']);
    ahead.pass((c) => c === 'd');
    expect(ahead.list).toEqual(['f']);
    ahead.take(['d', 'e', 'f']);
    expect(ahead.list).toEqual(['e', 'f']);
    ahead.take([]); // the chat was read up to its end
    expect(ahead.list).toEqual(['e', 'f']);
    ahead.pass(() => true);
    expect(ahead.list).toEqual([]);
  });
});
