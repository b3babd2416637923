// What stands in a conversation, row by row, made from its messages.
import { ChangeKind, MessageState, type Block, type Message } from '../gen/kith/v1/kith_pb';

/** A message that this page has written and the node has not taken yet. */
export interface Draftling {
  clientId: string;
  chatId: string;
  text: string;
  time: number; // milliseconds since 1970
  failed: string; // why the node refused it; empty while it waits
}

export type Row =
  | { kind: 'day'; key: string; time: number }
  | { kind: 'unread'; key: string }
  | { kind: 'change'; key: string; sentence: string } // of the membership
  | { kind: 'coming'; key: string }
  | { kind: 'message'; key: string; message: Message; mine: boolean; first: boolean; last: boolean }
  | { kind: 'draftling'; key: string; draftling: Draftling; first: boolean; last: boolean };

/** Messages of one author closer than this stand together, in milliseconds. */
const together = 5 * 60_000;

/** merge puts messages into a list sorted by cursor, each once. */
export function merge(list: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  if (incoming.length === 0) return list;
  const only = incoming[0]!;
  const newest = list.at(-1);
  if (incoming.length === 1 && (newest === undefined || only.cursor > newest.cursor) && !list.some((m) => m.id === only.id)) {
    return [...list, only];
  }
  const byId = new Map(list.map((m) => [m.id, m]));
  for (const message of incoming) byId.set(message.id, message);
  return [...byId.values()].sort((a, b) => (a.cursor < b.cursor ? -1 : a.cursor > b.cursor ? 1 : 0));
}

interface Shape {
  me: string; // own person id
  unreadAfter: string; // cursor after which the "new" mark stands; empty: none
  missing: number; // earlier messages that are still to come
  more: boolean; // there are older ones that were not loaded yet
  blocks: readonly Block[]; // the membership as it came about, oldest first
}

/** rowsOf lays out a conversation, oldest first. */
export function rowsOf(messages: readonly Message[], draftlings: readonly Draftling[], shape: Shape): Row[] {
  const rows: Row[] = [];
  const days = new DayEdges();
  let author = '';
  let before = 0;
  let marked = shape.unreadAfter === '';
  const changes = new Changes(shape.blocks, shape.more ? Number(messages[0]?.time ?? 0n) : 0);

  const put = (row: Row & { first: boolean; last: boolean }, by: string, time: number) => {
    const newDay = days.begins(time);
    if (newDay) rows.push({ kind: 'day', key: `day-${row.key}`, time });
    const above = rows.at(-1);
    const joined = above !== undefined && 'last' in above && by === author && Math.abs(time - before) < together;
    if (joined) above.last = false;
    row.first = !joined;
    rows.push(row);
    author = by;
    before = time;
  };

  const tellChanges = (until: number) => {
    for (const { time, row } of changes.until(until)) {
      if (days.begins(time)) rows.push({ kind: 'day', key: `day-${row.key}`, time });
      rows.push(row);
    }
  };

  for (const message of messages) {
    tellChanges(Number(message.time));
    if (!marked && message.cursor > shape.unreadAfter && message.author?.id !== shape.me) {
      marked = true;
      rows.push({ kind: 'unread', key: 'unread' });
    }
    if (message.earlierComing && shape.missing > 0) rows.push({ kind: 'coming', key: `coming-${message.id}` });
    const mine = message.author?.id === shape.me;
    const key = keyOf(message, mine);
    put({ kind: 'message', key, message, mine, first: true, last: true }, message.author?.id ?? '', Number(message.time));
  }
  tellChanges(Infinity);
  if (shape.missing > 0 && !shape.more && !rows.some((row) => row.kind === 'coming')) {
    rows.unshift({ kind: 'coming', key: 'coming' });
  }
  for (const draftling of draftlings) {
    put({ kind: 'draftling', key: `c-${draftling.clientId}`, draftling, first: true, last: true }, shape.me, draftling.time);
  }
  return rows;
}

// A message of one's own keeps the key that it had before the node took it, so
// that its bubble stays where it is.
function keyOf(message: Message, mine: boolean): string {
  return mine && message.clientId !== '' ? `c-${message.clientId}` : `m-${message.id}`;
}

/** What changed in the membership, in order, told as far as a time. */
class Changes {
  #left: { time: number; row: Row }[];

  constructor(blocks: readonly Block[], after: number) {
    this.#left = blocks
      .filter((block) => block.onChain && Number(block.createdAt) >= after)
      .flatMap((block) =>
        block.changes
          .filter((change) => change.kind !== ChangeKind.REKEYED && change.sentence !== '')
          .map((change, i) => ({ time: Number(block.createdAt), row: { kind: 'change', key: `b-${block.hash}-${i}`, sentence: change.sentence } as const })),
      );
  }

  until(time: number): { time: number; row: Row }[] {
    let count = 0;
    while (count < this.#left.length && this.#left[count]!.time <= time) count++;
    return this.#left.splice(0, count);
  }
}

/** Knows when the local day changes, without a Date for every message. */
class DayEdges {
  #start = 0;
  #end = 0;

  begins(time: number): boolean {
    if (time >= this.#start && time < this.#end) return false;
    const day = new Date(time);
    day.setHours(0, 0, 0, 0);
    this.#start = day.getTime();
    day.setDate(day.getDate() + 1);
    this.#end = day.getTime();
    return true;
  }
}

/** onlyEmoji: at most three, and nothing else; such messages are set larger. */
export function onlyEmoji(text: string): boolean {
  return text.length <= 24 && /^(?:\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\u{FE0F}|\u{200D}\p{Extended_Pictographic}\u{FE0F}?)*\s*){1,3}$/u.test(text);
}

export interface Span {
  text: string;
  href: string; // empty: plain text
}

/** spansOf finds the web addresses in a text; nothing in it is ever HTML. */
export function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const found of text.matchAll(/\bhttps?:\/\/[^\s<>"]+/g)) {
    const link = found[0].replace(/[.,;:!?')\]]+$/, '');
    if (!isWebAddress(link)) continue;
    if (found.index > at) spans.push({ text: text.slice(at, found.index), href: '' });
    spans.push({ text: link, href: link });
    at = found.index + link.length;
  }
  if (at < text.length) spans.push({ text: text.slice(at), href: '' });
  return spans;
}

function isWebAddress(link: string): boolean {
  try {
    return new URL(link).hostname !== '';
  } catch {
    return false;
  }
}

export type Tick = 'waiting' | 'kept' | 'some' | 'all';

/** tickOf tells how far a message of one's own has come. */
export function tickOf(message: Pick<Message, 'reached' | 'reachOf'>): Tick {
  if (message.reached === 0) return 'kept';
  return message.reached >= message.reachOf ? 'all' : 'some';
}

export function isText(message: Message): boolean {
  return message.state === MessageState.SHOWN || message.state === MessageState.UNSPECIFIED;
}
