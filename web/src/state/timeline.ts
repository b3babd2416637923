// What stands in a conversation, row by row, made from its messages.
import type { Look } from './looks';
import { lines, oneLine } from '../lib/text';
import { words } from '../lib/words';
import { ChangeKind, MessageState, type Block, type Message } from '../gen/kith/v1/kith_pb';

/** A message that this page has written and the node has not taken yet. */
export interface Draftling {
  clientId: string;
  chatId: string;
  text: string;
  time: number; // milliseconds since 1970
  failed: string; // why the node refused it; empty while it waits
  quote?: { cursor: string; name: string; text: string }; // what it answers
}

export type Row =
  | { kind: 'day'; key: string; time: number }
  | { kind: 'unread'; key: string }
  | { kind: 'change'; key: string; sentence: string; renamer: string; earlier: string[] } // of the membership; the other renames in a row by one person, or those added at once, oldest first
  | { kind: 'coming'; key: string }
  | { kind: 'message'; key: string; message: Message; mine: boolean; first: boolean; last: boolean }
  | { kind: 'draftling'; key: string; draftling: Draftling; first: boolean; last: boolean };

/** Messages of one author closer than this stand together, in milliseconds. */
const together = 5 * 60_000;

/** What a list was added to, message by message: which it has, and how far it came. */
interface Growth {
  ids: Set<string>;
  newest: readonly Message[];
}
const growths = new WeakMap<readonly Message[], Growth>();

/** merge puts messages into a list sorted by cursor, each once. One more at the end costs the same however long the list is, but for its copy. */
export function merge(list: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  if (incoming.length === 0) return list;
  const only = incoming[0]!;
  const newest = list.at(-1);
  if (incoming.length === 1 && (newest === undefined || only.cursor > newest.cursor)) {
    const growth = growthOf(list);
    if (!growth.ids.has(only.id)) {
      growth.ids.add(only.id);
      growth.newest = [...list, only];
      growths.set(growth.newest, growth);
      return growth.newest;
    }
  }
  if (incoming.length === 1) {
    const at = list.findLastIndex((m) => m.id === only.id);
    if (at >= 0 && list[at]!.cursor === only.cursor) return list.with(at, only);
  }
  const byId = new Map(list.map((m) => [m.id, m]));
  for (const message of incoming) byId.set(message.id, message);
  return [...byId.values()].sort((a, b) => (a.cursor < b.cursor ? -1 : a.cursor > b.cursor ? 1 : 0));
}

function growthOf(list: readonly Message[]): Growth {
  const known = growths.get(list);
  if (known !== undefined && known.newest === list) return known;
  const growth = { ids: new Set(list.map((m) => m.id)), newest: list };
  growths.set(list, growth);
  return growth;
}

/** continues: a list is another one and what came after it. */
function continues(list: readonly Message[], before: readonly Message[]): boolean {
  const growth = growths.get(list);
  if (growth !== undefined && growth === growths.get(before) && list.length >= before.length) return true;
  return before.every((message, i) => message === list[i]);
}

interface Shape {
  me: string; // own person id
  unreadAfter: string; // cursor after which the "new" mark stands; empty: none
  missing: boolean; // earlier messages are still to come
  more: boolean; // there are older ones that were not loaded yet
  moreAfter: boolean; // there are newer ones that were not
  blocks: readonly Block[]; // the membership as it came about, oldest first
}

/** rowsOf lays out a conversation, oldest first. */
export function rowsOf(messages: readonly Message[], draftlings: readonly Draftling[], shape: Shape): Row[] {
  return new Timeline().rows(messages, draftlings, shape);
}

/**
 * Timeline lays out one conversation again and again: what was laid out before
 * stays as it is while messages are only added at the end.
 */
export class Timeline {
  #layout: Layout | undefined;

  rows(messages: readonly Message[], draftlings: readonly Draftling[], shape: Shape): Row[] {
    if (this.#layout === undefined || !this.#layout.continuedBy(messages, shape)) this.#layout = new Layout(messages, shape);
    this.#layout.take(messages);
    return this.#layout.withDraftlings(draftlings);
  }
}

/** More messages than this that change at once are laid out anew, with all others. */
const fewer = 50;

/** standsAlike: one message in two states, which has the same place and the same rows about it in both. */
function standsAlike(was: Message, is: Message | undefined): boolean {
  if (is === undefined || was.lifetime !== undefined || is.lifetime !== undefined) return false;
  return was.id === is.id && was.cursor === is.cursor && was.time === is.time && was.author?.id === is.author?.id && was.state === is.state && was.clientId === is.clientId && was.earlierComing === is.earlierComing;
}

class Layout {
  #rows: Row[] = [];
  #taken: readonly Message[] = []; // those that have their rows
  #days = new DayEdges();
  #author = '';
  #before = 0; // time of the row above, milliseconds
  #marked: boolean;
  #coming = false;
  #changes: Changes;
  #shape: Shape;

  constructor(messages: readonly Message[], shape: Shape) {
    this.#shape = shape;
    this.#marked = shape.unreadAfter === '' || (shape.more && messages[0] !== undefined && messages[0].cursor > shape.unreadAfter); // the first unread one may be further up
    this.#changes = new Changes(shape.blocks, shape.more ? Number(messages[0]?.time ?? 0n) : 0);
  }

  continuedBy(messages: readonly Message[], shape: Shape): boolean {
    const was = this.#shape;
    if (was.me !== shape.me || was.unreadAfter !== shape.unreadAfter || was.missing !== shape.missing || was.more !== shape.more || was.moreAfter !== shape.moreAfter || was.blocks !== shape.blocks) return false;
    return this.#taken.length > 0 && (continues(messages, this.#taken) || this.#replace(messages));
  }

  /** replace puts what is new about some messages into their rows, where no row but theirs changes by it. */
  #replace(messages: readonly Message[]): boolean {
    const changed = this.#taken.flatMap((was, i) => (was === messages[i] ? [] : [i]));
    if (changed.length > fewer || !changed.every((i) => standsAlike(this.#taken[i]!, messages[i]))) return false;
    for (const i of changed) {
      const at = this.#rows.findLastIndex((row) => row.kind === 'message' && row.message === this.#taken[i]);
      if (at >= 0) this.#rows[at] = { ...(this.#rows[at] as Extract<Row, { kind: 'message' }>), message: messages[i]! };
    }
    return true;
  }

  take(messages: readonly Message[]): void {
    for (let i = this.#taken.length; i < messages.length; i++) this.#put(messages[i]!);
    this.#taken = messages;
  }

  /** withDraftlings gives all rows; what waits to be sent is laid out each time. */
  withDraftlings(draftlings: readonly Draftling[]): Row[] {
    const [rows, days, author, before] = [this.#rows, this.#days, this.#author, this.#before];
    this.#rows = [...rows];
    this.#days = days.copy();
    if (!this.#shape.moreAfter) this.#tell(this.#changes.left());
    if (this.#shape.missing && !this.#shape.more && !this.#coming) this.#rows.unshift({ kind: 'coming', key: 'coming' });
    for (const draftling of draftlings) {
      if (this.#taken.some((m) => m.clientId === draftling.clientId)) continue; // that it was taken is told apart
      this.#join({ kind: 'draftling', key: `c-${draftling.clientId}`, draftling, first: true, last: true }, this.#shape.me, draftling.time);
    }
    const all = this.#rows;
    [this.#rows, this.#days, this.#author, this.#before] = [rows, days, author, before];
    return all;
  }

  #put(message: Message): void {
    const mine = message.author?.id === this.#shape.me;
    const time = Number(message.time);
    this.#tell(this.#changes.until(time));
    if (message.state === MessageState.OVER) return; // it has disappeared, and its place with it
    if (!this.#marked && !mine && message.cursor > this.#shape.unreadAfter) {
      this.#marked = true;
      this.#rows.push({ kind: 'unread', key: 'unread' });
    }
    if (message.earlierComing && this.#shape.missing && !this.#coming) {
      this.#coming = true; // one line, above the first that waits: of a screen that came first all may wait
      this.#rows.push({ kind: 'coming', key: `coming-${message.id}` });
    }
    if (message.lifetime !== undefined) {
      this.#tell([{ time, row: changeRow(`m-${message.id}`, words.lifetime.line(mine ? words.you : oneLine(message.author?.name ?? '') || words.somebody, message.lifetime.seconds), '') }]);
      return;
    }
    this.#join({ kind: 'message', key: keyOf(message, mine), message, mine, first: true, last: true }, message.author?.id ?? '', time);
  }

  /** join sets a bubble under the one above if the same person wrote both at about the same time. */
  #join(row: Row & { first: boolean; last: boolean }, author: string, time: number): void {
    if (this.#days.begins(time)) this.#rows.push({ kind: 'day', key: `day-${row.key}`, time });
    const above = this.#rows.at(-1);
    if (above !== undefined && 'last' in above && author === this.#author && Math.abs(time - this.#before) < together) {
      row.first = false;
      this.#rows[this.#rows.length - 1] = { ...above, last: false };
    }
    this.#rows.push(row);
    this.#author = author;
    this.#before = time;
  }

  #tell(changes: readonly { time: number; row: Row }[]): void {
    for (const { time, row } of changes) {
      if (this.#days.begins(time)) this.#rows.push({ kind: 'day', key: `day-${row.key}`, time });
      const above = this.#rows.at(-1);
      // Renames in a row by one person are one line: the newest counts.
      if (above?.kind === 'change' && row.kind === 'change' && row.renamer !== '' && above.renamer === row.renamer) {
        this.#rows[this.#rows.length - 1] = { ...row, key: above.key, earlier: [...above.earlier, above.sentence] };
      } else {
        this.#rows.push(row);
      }
    }
  }
}

// A message of one's own keeps the key that it had before the node took it, so
// that its bubble stays where it is.
function keyOf(message: Message, mine: boolean): string {
  return mine && message.clientId !== '' ? `c-${message.clientId}` : `m-${message.id}`;
}

function changeRow(key: string, sentence: string, renamer: string): Extract<Row, { kind: 'change' }> {
  return { kind: 'change', key, sentence, renamer, earlier: [] };
}

/** What changed in the membership, in order, told as far as a time. */
class Changes {
  #left: { time: number; row: Row }[];

  constructor(blocks: readonly Block[], after: number) {
    const told = blocks
      .filter((block) => block.onChain && Number(block.createdAt) >= after)
      .flatMap((block) =>
        foldAdded(
          block.changes
            .filter((change) => change.kind !== ChangeKind.REKEYED && change.sentence !== '')
            .map((change, i) => ({ kind: change.kind, row: changeRow(`b-${block.hash}-${i}`, oneLine(change.sentence), change.kind === ChangeKind.TITLE ? (block.author?.id ?? '') : '') })),
        ).map((row) => ({ time: Number(block.createdAt), row })),
      );
    this.#left = withSplits(told, blocks, after);
  }

  until(time: number): { time: number; row: Row }[] {
    let count = 0;
    while (count < this.#left.length && this.#left[count]!.time <= time) count++;
    return count === 0 ? [] : this.#left.splice(0, count);
  }

  left(): readonly { time: number; row: Row }[] {
    return this.#left;
  }
}

/** How many may come in at once, each with a line. */
const atOnce = 5;

/** foldAdded makes one line of many who were added at once: the last, which tells of the others when asked. */
function foldAdded(changes: readonly { kind: ChangeKind; row: Extract<Row, { kind: 'change' }> }[]): Row[] {
  const added = changes.filter((c) => c.kind === ChangeKind.ADDED);
  if (added.length <= atOnce) return changes.map((c) => c.row);
  const last = added.at(-1)!;
  last.row.earlier = added.slice(0, -1).map((c) => c.row.sentence);
  return changes.filter((c) => c.kind !== ChangeKind.ADDED || c === last).map((c) => c.row);
}

/** withSplits puts in that the group was split and is whole again, once it was. Renewed keys that were undone bother nobody. */
function withSplits(told: { time: number; row: Row }[], blocks: readonly Block[], after: number): { time: number; row: Row }[] {
  for (const { hash, split } of blocks) {
    if (split === undefined || split.undone === 0 || Number(split.to) < after) continue;
    const time = Number(split.to);
    const next = told.findIndex((t) => t.time > time);
    told.splice(next < 0 ? told.length : next, 0, { time, row: changeRow(`s-${hash}`, words.chain.splitLine(split), '') });
  }
  return told;
}

/** Knows when the local day changes, without a Date for every message. */
class DayEdges {
  #start = 0;
  #end = 0;

  copy(): DayEdges {
    const edges = new DayEdges();
    [edges.#start, edges.#end] = [this.#start, this.#end];
    return edges;
  }

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
  look?: Look; // unset: as it stands
}

/** spansOf finds the web addresses in a text; nothing in it is ever HTML. */
export function spansOf(text: string): Span[] {
  const shown = lines(text);
  const spans: Span[] = [];
  let at = 0;
  for (const found of shown.matchAll(/\bhttps?:\/\/[^\s<>"\uFFFD]+/g)) {
    const typed = found[0].replace(/[.,;:!?')\]]+$/, '');
    const href = addressOf(typed);
    if (href === '') continue;
    if (found.index > at) spans.push({ text: shown.slice(at, found.index), href: '' });
    spans.push({ text: `${typed}/` === href ? typed : href, href });
    at = found.index + typed.length;
  }
  if (at < shown.length) spans.push({ text: shown.slice(at), href: '' });
  return spans;
}

/**
 * addressOf is where a link leads, as the browser understands it: a host of
 * other letters in ASCII. It is empty for what is no address, and for one with
 * a user before its host, which reads like another host.
 */
function addressOf(typed: string): string {
  try {
    const url = new URL(typed);
    return url.hostname === '' || url.username !== '' || url.password !== '' ? '' : url.href;
  } catch {
    return '';
  }
}

/** What of a long message is shown at first: about a screen. */
const foldLines = 24;
const foldLength = 2400; // UTF-16 units

/** folded is the beginning of a long message, or undefined where it is short. A link stays whole. */
export function folded(spans: readonly Span[]): Span[] | undefined {
  const beginning: Span[] = [];
  let length = 0;
  let ends = 0;
  for (const span of spans) {
    const cut = cutAt(span.text, foldLength - length, foldLines - ends);
    if (cut < span.text.length) {
      if (span.href === '' && cut > 0) beginning.push({ ...span, text: span.text.slice(0, cut).trimEnd() });
      return beginning;
    }
    beginning.push(span);
    length += span.text.length;
    ends += span.text.split('\n').length - 1;
  }
  return undefined;
}

/** cutAt is where text has too many letters or lines, else its length. */
function cutAt(text: string, letters: number, ends: number): number {
  let cut = -1;
  for (let i = 0; i < ends; i++) {
    cut = text.indexOf('\n', cut + 1);
    if (cut < 0) break;
  }
  const limit = Math.min(cut < 0 ? text.length : cut, Math.max(letters, 0));
  const high = text.charCodeAt(limit - 1);
  return high >= 0xd800 && high < 0xdc00 && limit < text.length ? limit - 1 : limit; // not within a pair
}

export type Tick = 'waiting' | 'kept' | 'some' | 'all' | 'readSome' | 'readAll';

/** Reach is whom a message of one's own has reached, and who has read it. */
export type Reach = Pick<Message, 'reached' | 'reachOf' | 'read'>;

/** tickOf tells how far a message of one's own has come. */
export function tickOf(message: Reach): Tick {
  if (message.read > 0) return message.read >= message.reachOf ? 'readAll' : 'readSome';
  if (message.reached === 0) return 'kept';
  return message.reached >= message.reachOf ? 'all' : 'some';
}

/** comeOf says it in words. */
export function comeOf({ reached, reachOf, read }: Reach): string {
  return read > 0 ? words.tick.read(read, reached, reachOf) : words.tick.reached(reached, reachOf);
}

export function isText(message: Message): boolean {
  return message.state === MessageState.SHOWN || message.state === MessageState.UNSPECIFIED;
}
