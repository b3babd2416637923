import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { MessageReachSchema, MessageSchema, type Message } from '../gen/kith/v1/kith_pb';
import { Thread } from './thread.svelte';

const message = (cursor: string, text = cursor): Message => create(MessageSchema, { id: `id-${cursor}`, cursor, text });
const texts = (thread: Thread) => thread.messages.map((m) => m.text).join(' ');

function loading(): Thread {
  const thread = new Thread('chat');
  thread.loading = true;
  return thread;
}

describe('Thread', () => {
  it('keeps what came while the first page was fetched, though the answer does not have it', () => {
    const thread = loading();
    thread.take(message('b', 'b, edited'));
    thread.take(message('c'));
    thread.takePage([message('a'), message('b')], false);
    expect(texts(thread)).toBe('a b, edited c');
  });

  it('keeps what is newer than a page of older ones', () => {
    const thread = new Thread('chat');
    thread.takePage([message('c'), message('d')], true);
    thread.loading = true;
    thread.take(message('a', 'a, edited'));
    thread.take(message('e'));
    thread.reach([create(MessageReachSchema, { messageId: 'id-d', reached: 2, reachOf: 3 })]);
    thread.takePage([message('a'), message('b')], false);
    expect(texts(thread)).toBe('a, edited b c d e');
    thread.endLoad();
    thread.restart([message('c'), message('d')], true);
    expect(texts(thread)).toBe('c d');
  });

  it('leaves out what is beyond a place of long ago, until that is reached', () => {
    const thread = loading();
    thread.take(message('z'));
    thread.restart([message('c'), message('d')], true, true);
    expect(texts(thread)).toBe('c d');
    thread.take(message('y'));
    thread.takeNewer([message('e'), message('x')], false);
    expect(texts(thread)).toBe('c d e x y');
  });

  it('keeps how far a message came while it was fetched', () => {
    const thread = loading();
    thread.reach([create(MessageReachSchema, { messageId: 'id-a', reached: 2, reachOf: 3 })]);
    thread.takePage([message('a')], false);
    expect(thread.messages[0]!.reached).toBe(2);
  });
});
