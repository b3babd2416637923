// Messages that mention one: which are unread, and which were not in view yet
// while a chat is open.
import { MessageState, type Chat, type Message } from '../gen/kith/v1/kith_pb';

/** mentionsAfter is which unread messages of a chat mention one, after a message came or changed. */
export function mentionsAfter(chat: Chat, message: Message): string[] {
  const { cursor } = message;
  const counts = message.mentionsMe && message.state === MessageState.SHOWN && !message.author?.me && cursor > chat.readTo;
  if (counts === chat.mentions.includes(cursor)) return chat.mentions;
  return counts ? [...chat.mentions, cursor].sort() : chat.mentions.filter((c) => c !== cursor);
}

/** Ahead are the mentions of a chat that whoever has it open has not come to, also where it was read up to its end. */
export class Ahead {
  list = $state.raw<readonly string[]>([]); // cursors, oldest first
  #told = new Set<string>();

  /** take adds what is unread; each comes once. */
  take(mentions: readonly string[]): void {
    const fresh = mentions.filter((cursor) => !this.#told.has(cursor));
    if (fresh.length === 0) return;
    for (const cursor of fresh) this.#told.add(cursor);
    this.list = [...this.list, ...fresh].sort();
  }

  /** pass drops those that were in view, or are none any more. */
  pass(over: (cursor: string) => boolean): void {
    if (this.list.some(over)) this.list = this.list.filter((cursor) => !over(cursor));
  }
}
