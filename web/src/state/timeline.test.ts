import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { BlockSchema, ChangeKind, MessageSchema, MessageState, type Block, type Message } from '../gen/kith/v1/kith_pb';
import { comeOf, folded, merge, onlyEmoji, rowsOf, spansOf, tickOf, Timeline, type Draftling, type Row } from './timeline';

const noon = new Date(2026, 4, 5, 12, 0, 0).getTime();
const minute = 60_000;

function message(cursor: string, by: string, minutes: number, more: Exclude<MessageInitShape<typeof MessageSchema>, Message> = {}): Message {
  return create(MessageSchema, { id: `id-${cursor}`, cursor, author: { id: by, name: by }, time: BigInt(noon + minutes * minute), text: cursor, ...more });
}

function block(minutes: number, sentence: string, more: Exclude<MessageInitShape<typeof BlockSchema>, Block> = {}): Block {
  return create(BlockSchema, { hash: sentence, createdAt: BigInt(noon + minutes * minute), onChain: true, changes: [{ kind: ChangeKind.ADDED, sentence }], ...more });
}

const shape = { me: 'ann', unreadAfter: '', missing: false, more: false, moreAfter: false, blocks: [] };

/** One word a row: what the row is, with ( and ) where a group begins and ends. */
function picture(rows: Row[]): string {
  return rows
    .map((row) => {
      if (row.kind === 'message') return `${row.first ? '(' : ''}${row.message.cursor}${row.last ? ')' : ''}`;
      if (row.kind === 'draftling') return `${row.first ? '(' : ''}~${row.draftling.text}${row.last ? ')' : ''}`;
      if (row.kind === 'change') return `[${row.sentence}${row.earlier.length > 0 ? ` after ${row.earlier.join(', ')}` : ''}]`;
      return row.kind;
    })
    .join(' ');
}

describe('what disappears', () => {
  it('has no place any more, and its setting has a line', () => {
    const list = [
      message('a', 'ann', 0, { lifetime: { seconds: 86_400 } }),
      message('b', 'ben', 1),
      message('c', 'ben', 2, { state: MessageState.OVER }),
      message('d', 'ben', 3),
    ];
    expect(picture(rowsOf(list, [], shape))).toBe('day [You set messages to disappear after 1 day.] (b d)');
  });
});

describe('merge', () => {
  const list = [message('b', 'ann', 0), message('d', 'ann', 1)];
  const cursors = (messages: readonly Message[]) => messages.map((m) => m.cursor).join('');

  it('puts each message in its place, once', () => {
    expect(cursors(merge(list, [message('e', 'ben', 2)]))).toBe('bde');
    expect(cursors(merge(list, [message('c', 'ben', 2), message('a', 'ben', 2)]))).toBe('abcd');
    expect(cursors(merge(list, [message('d', 'ann', 1)]))).toBe('bd');
  });

  it('moves a message whose place has changed', () => {
    const moved = { ...message('z', 'ann', 0), id: 'id-b' };
    expect(cursors(merge(list, [moved]))).toBe('dz');
  });

  it('leaves the list as it is when nothing came', () => {
    expect(merge(list, [])).toBe(list);
  });

  it('adds to a list twice, each time to what it was', () => {
    const [one, other] = [merge(list, [message('e', 'ben', 2)]), merge(list, [message('f', 'ben', 2)])];
    expect([cursors(merge(one, [message('g', 'ben', 3)])), cursors(merge(other, [message('g', 'ben', 3)]))]).toEqual(['bdeg', 'bdfg']);
    expect(cursors(merge(other, [message('f', 'ben', 2)]))).toBe('bdf');
    const timeline = new Timeline();
    timeline.rows(one, [], shape);
    expect(picture(timeline.rows(merge(other, [message('g', 'ben', 3)]), [], shape))).toBe('day (b d) (f g)');
  });

  it('leaves the others as they are where one message changes', () => {
    const changed = { ...list[0]!, reached: 2 } as Message;
    expect(merge(list, [changed])).toEqual([changed, list[1]]);
    expect(merge(list, [changed])[1]).toBe(list[1]);
  });
});

describe('rowsOf', () => {
  it('joins what one person wrote within five minutes', () => {
    const rows = rowsOf([message('a', 'ann', 0), message('b', 'ann', 1), message('c', 'ben', 2), message('d', 'ben', 9)], [], shape);
    expect(picture(rows)).toBe('day (a b) (c) (d)');
  });

  it('says in one line that the group was split, and when it was whole', () => {
    const split = (undone: number) => ({ from: BigInt(noon + minute), to: BigInt(noon + 3 * minute), undone, again: undone - 1 });
    const blocks = (undone: number) => [block(0, 'Ann began.', { split: split(undone) }), block(2, 'Ann added Cleo.'), block(1, 'Ben added Dan.', { onChain: false }), block(9, 'Ann added Eve.')];
    const rows = rowsOf([message('a', 'ann', 1), message('b', 'ann', 5)], [], { ...shape, blocks: blocks(2) });
    expect(picture(rows)).toMatch(/^day \[Ann began\.\] \(a\) \[Ann added Cleo\.\] \[The group was split from .+ to .+ and is whole again; 2 changes were undone, 1 was done again\.\] \(b\) \[Ann added Eve\.\]$/);
    expect(picture(rowsOf([], [], { ...shape, blocks: blocks(0) }))).not.toContain('split');
    expect(picture(rowsOf([message('z', 'ann', 4)], [], { ...shape, more: true, blocks: blocks(2) }))).not.toContain('split');
  });

  it('folds many who were added at once, and nothing else', () => {
    const added = (names: string[]) => names.map((name) => ({ kind: ChangeKind.ADDED, sentence: `+${name}` }));
    const drawn = (changes: { kind: ChangeKind; sentence: string }[]) => picture(rowsOf([message('a', 'ann', 6)], [], { ...shape, blocks: [block(0, 'x', { changes })] }));
    const made = { kind: ChangeKind.TITLE, sentence: 'made' };
    expect(drawn([made, ...added(['b', 'c', 'd', 'e', 'f'])])).toBe('day [made] [+b] [+c] [+d] [+e] [+f] (a)');
    expect(drawn([made, ...added(['b', 'c', 'd', 'e', 'f', 'g'])])).toBe('day [made] [+g after +b, +c, +d, +e, +f] (a)');
  });

  it('folds renames in a row by one person, and no others', () => {
    const title = (minutes: number, by: string, to: string) => block(minutes, to, { author: { id: by }, changes: [{ kind: ChangeKind.TITLE, sentence: to }] });
    const blocks = [title(0, 'ann', 'A'), title(1, 'ann', 'B'), title(2, 'ann', 'C'), title(3, 'ben', 'D'), block(4, 'Ben added Dan.', { author: { id: 'ben' } }), title(5, 'ben', 'E'), title(7, 'ben', 'F')];
    const timeline = new Timeline();
    const list = [message('a', 'ann', 6)];
    const want = 'day [C after A, B] [D] [Ben added Dan.] [E] (a) [F]';
    expect(picture(timeline.rows(list, [], { ...shape, blocks }))).toBe(want);
    const more = [...blocks, title(8, 'ben', 'G')];
    const rows = timeline.rows(list, [], { ...shape, blocks: more });
    expect(picture(rows)).toBe(`${want.slice(0, -3)}[G after F]`);
    expect(rows.at(-1)?.key).toBe('b-F-0'); // what was opened stays open
  });

  it('marks the day once, and again when it changes', () => {
    const rows = rowsOf([message('a', 'ann', 0), message('b', 'ann', 24 * 60)], [], shape);
    expect(picture(rows)).toBe('day (a) day (b)');
  });

  it('marks where the unread begins, at the first message of others', () => {
    const messages = [message('a', 'ben', 0), message('b', 'ann', 1), message('c', 'ben', 2)];
    expect(picture(rowsOf(messages, [], { ...shape, unreadAfter: 'a' }))).toBe('day (a) (b) unread (c)');
  });

  it('does not mark the page above which the first unread message is still to be loaded', () => {
    const messages = [message('c', 'ben', 0), message('d', 'ben', 1)];
    expect(picture(rowsOf(messages, [], { ...shape, unreadAfter: 'a', more: true }))).toBe('day (c d)');
    expect(picture(rowsOf(messages, [], { ...shape, unreadAfter: 'a' }))).toBe('unread day (c d)');
    expect(picture(rowsOf(messages, [], { ...shape, unreadAfter: 'c', more: true }))).toBe('day (c) unread (d)');
  });

  it('puts what waits to be sent at the end, joined to what was sent', () => {
    const waiting: Draftling = { clientId: '1', chatId: 'x', text: 'later', time: noon + 2 * minute, failed: '' };
    expect(picture(rowsOf([message('a', 'ann', 0)], [waiting], shape))).toBe('day (a ~later)');
  });

  it('keeps the key of a message when the node takes it', () => {
    const waiting: Draftling = { clientId: 'k', chatId: 'x', text: 'hi', time: noon, failed: '' };
    const before = rowsOf([], [waiting], shape).at(-1)?.key;
    const after = rowsOf([message('a', 'ann', 0, { clientId: 'k' })], [], shape).at(-1)?.key;
    expect(after).toBe(before);
  });

  it('shows once what the node has taken and the page does not know of yet', () => {
    const waiting: Draftling = { clientId: 'k', chatId: 'x', text: 'hi', time: noon, failed: '' };
    const later: Draftling = { clientId: 'l', chatId: 'x', text: 'later', time: noon, failed: '' };
    const taken = message('a', 'ann', 0, { clientId: 'k' });
    expect(picture(rowsOf([taken], [waiting, later], shape))).toBe('day (a ~later)');
  });

  it('says where earlier messages are still to come', () => {
    const messages = [message('a', 'ben', 0), message('b', 'ben', 1, { earlierComing: true })];
    expect(picture(rowsOf(messages, [], { ...shape, missing: true }))).toBe('day (a) coming (b)');
    expect(picture(rowsOf(messages.slice(0, 1), [], { ...shape, missing: true }))).toBe('coming day (a)');
    expect(picture(rowsOf(messages, [], shape))).toBe('day (a b)');
    const all = ['a', 'b', 'c'].map((cursor, i) => message(cursor, 'ben', i, { earlierComing: true }));
    expect(picture(rowsOf(all, [], { ...shape, missing: true })), 'said once, however many wait').toBe('coming day (a b c)');
  });

  it('tells who came and went between the messages', () => {
    const blocks = [block(-1, 'Ann created the group.'), block(5, 'Ann added Ben.')];
    const messages = [message('a', 'ann', 0), message('b', 'ann', 6)];
    expect(picture(rowsOf(messages, [], { ...shape, blocks }))).toBe('day [Ann created the group.] (a) [Ann added Ben.] (b)');
  });

  it('leaves out changes that lost, that only made new keys, or that are older than what is loaded', () => {
    const blocks = [block(-9, 'old'), block(1, 'lost', { onChain: false }), block(2, 'keys', { changes: [{ kind: ChangeKind.REKEYED, sentence: 'keys' }] })];
    expect(picture(rowsOf([message('a', 'ann', 0)], [], { ...shape, blocks, more: true }))).toBe('day (a)');
  });
});

describe('Timeline', () => {
  const messages = ['a', 'b', 'c', 'd', 'e', 'f'].map((cursor, i) => message(cursor, i % 4 < 2 ? 'ann' : 'ben', i * 3));
  const waiting: Draftling = { clientId: '1', chatId: 'x', text: 'later', time: noon + 20 * minute, failed: '' };
  const blocks = [block(4, 'Ann added Ben.'), block(30, 'Ann added Cleo.')];

  it('lays out the same step by step as at once', () => {
    const timeline = new Timeline();
    for (let n = 0; n <= messages.length; n++) {
      const now = { ...shape, blocks };
      const drafts = n % 2 === 0 ? [waiting] : [];
      expect(timeline.rows(messages.slice(0, n), drafts, now)).toEqual(rowsOf(messages.slice(0, n), drafts, now));
    }
  });

  it('begins anew when a message changes, goes or comes before', () => {
    const timeline = new Timeline();
    timeline.rows(messages.slice(1), [], shape);
    expect(picture(timeline.rows(messages, [], shape))).toBe(picture(rowsOf(messages, [], shape)));
    const changed = messages.map((m, i) => (i === 3 ? { ...m, reached: 1 } : m));
    expect(timeline.rows(changed, [], shape).find((row) => row.kind === 'message' && row.message.cursor === 'd')).toMatchObject({ message: { reached: 1 } });
    expect(picture(timeline.rows(messages.slice(0, 2), [], shape))).toBe('day (a b)');
  });
});

describe('spansOf', () => {
  const picture = (text: string) => spansOf(text).map((s) => (s.href === '' ? s.text : `<${s.href}>`)).join('|');

  it('finds web addresses and nothing else', () => {
    expect(picture('see https://a.example/x?y=1, ok')).toBe('see |<https://a.example/x?y=1>|, ok');
    expect(picture('javascript:alert(1) data:x file:///etc')).toBe('javascript:alert(1) data:x file:///etc');
    expect(picture('<b>https://a.example</b>')).toBe('<b>|<https://a.example/>|</b>');
    expect(picture('https://')).toBe('https://');
    expect(picture('')).toBe('');
  });

  const links = (text: string) => spansOf(text).map((s) => (s.href === '' ? s.text : `<${s.text}>`)).join('|');

  it('says where a link leads', () => {
    expect(links('https://a.example https://a.example/x')).toBe('<https://a.example>| |<https://a.example/x>');
    expect(links('HTTPS://A.example')).toBe('HTTPS://A.example');
    expect(links('https://A.example/ü')).toBe('<https://a.example/%C3%BC>');
    expect(links('https://\u0430pple.example/')).toBe('<https://xn--pple-43d.example/>'); // a Cyrillic letter
    expect(links('https://good.example\\@evil.example')).toBe('<https://good.example/@evil.example>');
  });

  it('makes no link of what reads like another host', () => {
    expect(links('https://good.example@evil.example/')).toBe('https://good.example@evil.example/');
    expect(links('https://a:b@evil.example/')).toBe('https://a:b@evil.example/');
  });

  it('ends a link at what cannot be seen, and shows that', () => {
    expect(links('https://good.example/\u202emoc.live')).toBe('<https://good.example/>|\ufffdmoc.live');
    expect(links('\u2067abc')).toBe('\ufffdabc');
  });
});

describe('folded', () => {
  const text = (t: string) => folded(spansOf(t))?.map((s) => s.text).join('');

  it('leaves short messages whole', () => {
    expect(text('short')).toBeUndefined();
    expect(text('')).toBeUndefined();
    expect(text('x'.repeat(2400))).toBeUndefined();
    expect(text('x\n'.repeat(23))).toBeUndefined();
  });

  it('cuts many lines and many letters', () => {
    expect(text('x\n'.repeat(5000))?.split('\n').length).toBe(24);
    expect(text('y'.repeat(60_000))?.length).toBe(2400);
    expect(text('x' + '😀'.repeat(2000))?.at(-1)).toBe('\ude00');
  });

  it('never cuts a link', () => {
    const link = `https://a.example/${'z'.repeat(100)}`;
    expect(text(`${'y'.repeat(2350)} ${link}`)).toBe(`${'y'.repeat(2350)} `);
    expect(folded(spansOf(`${link} `.repeat(100)))?.every((s) => s.href === '' || s.href === link)).toBe(true);
  });
});

describe('a message that changes', () => {
  const list = [message('a', 'ann', 0), message('b', 'ann', 1), message('c', 'ben', 2), message('d', 'ben', 3)];

  it('is drawn anew, and no other', () => {
    const timeline = new Timeline();
    const before = timeline.rows(list, [], shape);
    const now = merge(list, [{ ...list[1]!, reached: 1, edits: 1, text: 'B' } as Message]);
    const after = timeline.rows(now, [], shape);
    expect(after).toEqual(rowsOf(now, [], shape));
    expect(after.map((row, i) => row === before[i])).toEqual([true, true, false, true, true]);
    expect(timeline.rows(merge(now, [message('e', 'ben', 4)]), [], shape)).toEqual(rowsOf([...now, message('e', 'ben', 4)], [], shape));
  });

  it('has its rows about it laid out anew where they change', () => {
    for (const more of [{ state: MessageState.OVER }, { time: BigInt(noon + 2000 * minute) }, { earlierComing: true }, { author: list[3]!.author }]) {
      const timeline = new Timeline();
      const missing = { ...shape, missing: true };
      timeline.rows(list, [], missing);
      const now = merge(list, [{ ...list[1]!, ...more } as Message]);
      expect(timeline.rows(now, [], missing)).toEqual(rowsOf(now, [], missing));
    }
  });
});

describe('onlyEmoji', () => {
  it('holds for up to three, and for no digit or letter', () => {
    for (const text of ['👍', '👨‍👩‍👧', '☕ ☕', '👋🏽']) expect(onlyEmoji(text), text).toBe(true);
    for (const text of ['', '1', 'ok 👍', '👍👍👍👍']) expect(onlyEmoji(text), text).toBe(false);
  });
});

describe('tickOf', () => {
  it('counts devices', () => {
    expect(tickOf({ reached: 0, reachOf: 2, read: 0 })).toBe('kept');
    expect(tickOf({ reached: 1, reachOf: 2, read: 0 })).toBe('some');
    expect(tickOf({ reached: 2, reachOf: 2, read: 0 })).toBe('all');
    expect(tickOf({ reached: 1, reachOf: 2, read: 1 })).toBe('readSome');
    expect(tickOf({ reached: 2, reachOf: 2, read: 2 })).toBe('readAll');
  });

  it('is said so that large counts can be read', () => {
    expect(comeOf({ reached: 700, reachOf: 1000, read: 0 })).toBe('Reached 700 of 1,000');
    expect(comeOf({ reached: 1200, reachOf: 12_000, read: 1 })).toBe('Read by 1 of 12,000, reached 1,200');
  });
});
