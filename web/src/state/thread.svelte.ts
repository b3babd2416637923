// The messages of one chat, as far as this page has loaded them.
import type { Block, Message, MessageReach } from '../gen/kith/v1/kith_pb';
import { merge } from './timeline';

export class Thread {
  messages = $state.raw<readonly Message[]>([]);
  blocks = $state.raw<readonly Block[]>([]); // of a group: who came and went
  more = $state(false); // there are older ones
  loaded = $state(false);
  loading = $state(false);
  unreadAfter = $state(''); // where the "new" mark stands; empty: nowhere

  constructor(readonly chatId: string) {}

  /** take adds what came by an event, and leaves what is older than the page holds. */
  take(message: Message): void {
    if (!this.loaded) return;
    const oldest = this.messages[0];
    if (this.more && oldest !== undefined && message.cursor < oldest.cursor) return;
    this.messages = merge(this.messages, [message]);
  }

  takePage(messages: readonly Message[], more: boolean): void {
    this.messages = merge(this.messages, messages);
    this.more = more;
    this.loaded = true;
  }

  /** restart forgets what was loaded: the next page is the newest. */
  restart(messages: readonly Message[], more: boolean): void {
    this.messages = [...messages];
    this.more = more;
    this.loaded = true;
  }

  reach(reaches: readonly MessageReach[]): void {
    const byId = new Map(reaches.map((r) => [r.messageId, r]));
    let changed = false;
    const messages = this.messages.map((message) => {
      const r = byId.get(message.id);
      if (r === undefined || (r.reached === message.reached && r.reachOf === message.reachOf)) return message;
      changed = true;
      return { ...message, reached: r.reached, reachOf: r.reachOf };
    });
    if (changed) this.messages = messages;
  }
}
