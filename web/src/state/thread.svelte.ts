// The messages of one chat, as far as this page has loaded them.
import type { Block, Message, MessageReach } from '../gen/kith/v1/kith_pb';
import { pinsAfter } from './pins';
import { merge } from './timeline';

export class Thread {
  messages = $state.raw<readonly Message[]>([]);
  blocks = $state.raw<readonly Block[]>([]); // of a group: who came and went
  pins = $state.raw<readonly Message[]>([]); // the one pinned last first
  more = $state(false); // there are older ones
  moreAfter = $state(false); // there are newer ones: somebody looks at what was long ago
  loaded = $state(false);
  loading = $state(false);
  pending: Promise<void> = Promise.resolve(); // what loads, if anything does
  unreadAfter = $state(''); // where the "new" mark stands; empty: nowhere

  // What came while messages were loaded: newer than the answer, which may come after it.
  #late: (() => void)[] = [];

  constructor(readonly chatId: string) {}

  /** take adds what came by an event, and leaves what is older than the page holds. */
  take(message: Message): void {
    this.pins = pinsAfter(this.pins, message);
    if (this.loading) this.#late.push(() => this.#put(message));
    if (this.loaded) this.#put(message);
  }

  #put(message: Message): void {
    const newest = this.messages.at(-1);
    if (this.moreAfter && newest !== undefined && message.cursor > newest.cursor) return;
    const oldest = this.messages[0];
    if (oldest !== undefined && message.cursor < oldest.cursor) {
      this.more = true; // loaded like all that is older, so that nothing moves what is read
      return;
    }
    this.messages = merge(this.messages, [message]);
  }

  takePage(messages: readonly Message[], more: boolean): void {
    this.messages = merge(this.messages, messages);
    this.more = more;
    this.#loadedNow();
  }

  /** takeNewer adds the page that follows. */
  takeNewer(messages: readonly Message[], moreAfter: boolean): void {
    this.messages = merge(this.messages, messages);
    this.moreAfter = moreAfter;
    this.#loadedNow();
  }

  /** restart forgets what was loaded: the next page is the newest, or one of long ago. */
  restart(messages: readonly Message[], more: boolean, moreAfter = false): void {
    this.messages = [...messages];
    this.more = more;
    this.moreAfter = moreAfter;
    this.#loadedNow();
  }

  /** endLoad: nothing is loaded any more, also where it was refused. */
  endLoad(): void {
    this.loading = false;
    this.#late = [];
  }

  #loadedNow(): void {
    this.loaded = true;
    const late = this.#late;
    this.#late = [];
    for (const again of late) again();
  }

  /** comesLate puts the "new" mark above a message that is not here yet, among what was read before it came. */
  comesLate(message: Message): void {
    const before = this.messages.findLast((m) => m.cursor < message.cursor);
    if (before === undefined || this.has(message.cursor)) return; // it is of the time before
    if (this.unreadAfter === '' || before.cursor < this.unreadAfter) this.unreadAfter = before.cursor;
  }

  has(cursor: string): boolean {
    return this.messages.some((message) => message.cursor === cursor);
  }

  reach(reaches: readonly MessageReach[]): void {
    if (this.loading) this.#late.push(() => this.#reach(reaches));
    this.#reach(reaches);
  }

  #reach(reaches: readonly MessageReach[]): void {
    const byId = new Map(reaches.map((r) => [r.messageId, r]));
    let changed = false;
    const messages = this.messages.map((message) => {
      const r = byId.get(message.id);
      if (r === undefined || (r.reached === message.reached && r.reachOf === message.reachOf && r.read === message.read)) return message;
      changed = true;
      return { ...message, reached: r.reached, reachOf: r.reachOf, read: r.read };
    });
    if (changed) this.messages = messages;
  }
}
