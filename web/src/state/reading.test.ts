import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ChatSchema, LifetimeSchema, MessageSchema, MessageState, PersonSchema, type Message } from '../gen/kith/v1/kith_pb';
import { beginning, between, follows, joins, newBelow, readIn, readUpTo } from './reading';

const by = (id: string, cursor: string): Message => create(MessageSchema, { id: `id-${cursor}`, cursor, author: create(PersonSchema, { id }), state: MessageState.SHOWN });
const list = (cursors: string, mine = ''): Message[] => [...cursors].map((cursor) => by(mine.includes(cursor) ? 'ann' : 'ben', cursor));
const loaded = (cursors: string, more = false, moreAfter = false, mine = '') => ({ messages: list(cursors, mine), more, moreAfter });
const chat = (unread: number, readTo: string, mentions: string[] = []) => create(ChatSchema, { id: 'c', unread, readTo, mentions });

describe('where what is unread begins', () => {
  it('is here if nothing is missing after the place', () => {
    expect(follows(loaded('cdef', true), 'c')).toBe(true);
    expect(follows(loaded('cdef', true), 'b')).toBe(false);
    expect(follows(loaded('cdef', false), 'b')).toBe(true);
    expect(follows(loaded('cdef', true, true), 'e')).toBe(true);
    expect(follows(loaded('cdef', true, true), 'f')).toBe(false);
    expect(follows(loaded('', false, true), 'f')).toBe(false);
    expect(joins(loaded('', true), 'a')).toBe(false);
  });

  it('is before all messages where nothing was read', () => {
    expect(beginning < `${'0'.repeat(15)}1`).toBe(true);
    expect(follows(loaded('ab', false, true), beginning)).toBe(true);
    expect(follows(loaded('ab', true), beginning)).toBe(false);
  });
});

describe('how far a chat is read', () => {
  it('goes as far as what was in view', () => {
    expect(readIn(loaded('abcdefgh'), 'b', 'b', 'e', 'ann')).toBe('e');
    expect(readIn(loaded('abcdefgh'), 'b', 'c', 'e', 'ann')).toBe('e');
  });

  it('stays where it was when older ones are in view', () => {
    expect(readIn(loaded('abcdefgh'), 'd', 'a', 'c', 'ann')).toBe('d');
  });

  it('stays where something unread was passed over', () => {
    expect(readIn(loaded('abcdefgh'), 'b', 'e', 'g', 'ann')).toBe('b');
    expect(readIn(loaded('abcdefgh', false, false, 'cd'), 'b', 'e', 'g', 'ann')).toBe('g'); // one's own
    expect(readIn(loaded('fgh', true), 'b', 'f', 'g', 'ann')).toBe('b'); // not loaded
  });

  it('passes over what has disappeared', () => {
    const messages = list('abcde');
    messages[2] = { ...messages[2]!, state: MessageState.OVER };
    expect(readIn({ messages, more: false, moreAfter: false }, 'b', 'd', 'e', 'ann')).toBe('e');
    expect(between(messages, 'b', 'e', 'ann')).toBe(2);
  });

  it('needs no line between messages in view', () => {
    const messages = list('abcde');
    messages[2] = { ...messages[2]!, lifetime: create(LifetimeSchema, { seconds: 60 }) };
    expect(readIn({ messages, more: false, moreAfter: false }, 'b', 'd', 'e', 'ann')).toBe('e');
  });

  it('leaves unread what is below, also where that is not loaded', () => {
    const read = readUpTo(chat(150, 'b', ['d', 'x']), loaded('abcdefg', true, true, 'e'), 'f', 'ann');
    expect(read).toMatchObject({ unread: 147, readTo: 'f', mentions: ['x'] });
    expect(readUpTo(chat(4, 'b'), loaded('abcdef'), 'd', 'ann').unread).toBe(2);
  });

  it('leaves nothing at the end, whatever was counted', () => {
    expect(readUpTo(chat(150, 'b', ['d']), loaded('def', true), 'f', 'ann')).toMatchObject({ unread: 0, readTo: 'f', mentions: [] });
    expect(readUpTo(chat(150, 'b'), loaded('def', true, true), 'f', 'ann').unread).toBe(147);
  });
});

describe('what is new below', () => {
  it('is counted by the messages that are here, if they go to the end', () => {
    expect(newBelow(loaded('abcdef', false, false, 'e'), chat(0, 'b'), 'd', 'ann')).toBe(1);
    expect(newBelow(loaded('abcdef'), chat(4, 'b'), '', 'ann')).toBe(4);
    expect(newBelow(loaded('abcdef'), chat(0, 'e'), 'b', 'ann')).toBe(1);
  });

  it('is told by the chat where more follows', () => {
    expect(newBelow(loaded('abcd', true, true), chat(148, 'b'), 'b', 'ann')).toBe(148);
    expect(newBelow(loaded('abcd', true, true), chat(148, 'b'), 'c', 'ann')).toBe(147); // in view, and told of as read later
    expect(newBelow(loaded('ab', true, true), chat(148, 'k'), 'b', 'ann')).toBe(148); // in what was read long ago
  });

  it('is not said beyond a gap', () => {
    expect(newBelow(loaded('mnop', true, true), chat(148, 'b'), 'n', 'ann')).toBe(0);
  });
});
