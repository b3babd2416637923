// How far a chat was read: what is unread begins at a place, and only what was
// in view of somebody, with all that is unread before it, counts as read.
import { MessageState, type Chat, type Message } from '../gen/kith/v1/kith_pb';

/** The messages of a chat that are here, oldest first, and whether there are older and newer ones. */
export interface Loaded {
  messages: readonly Message[];
  more: boolean;
  moreAfter: boolean;
}

/** beginning is the cursor before all messages, in all digits zero, for a chat in which nothing was read yet. */
export const beginning = [16, 64, 16, 32].map((digits) => '0'.repeat(digits)).join('.');

/** joins: nothing is missing between a place and the first message that is here. */
export function joins({ messages, more }: Loaded, cursor: string): boolean {
  return !more || (messages[0] !== undefined && messages[0].cursor <= cursor);
}

/** follows: what comes after a place is here, as far as there is anything. */
export function follows(loaded: Loaded, cursor: string): boolean {
  const newest = loaded.messages.at(-1);
  return joins(loaded, cursor) && (!loaded.moreAfter || (newest !== undefined && newest.cursor > cursor));
}

/** between counts the messages of others after one place up to another. */
export function between(messages: readonly Message[], after: string, to: string, me: string): number {
  let count = 0;
  for (let i = messages.length - 1; i >= 0 && messages[i]!.cursor > after; i--) if (messages[i]!.cursor <= to && byOthers(messages[i]!, me)) count++;
  return count;
}

/** readIn is how far a chat is read once the messages from one place to another were in view: as far as before if something unread was passed over. */
export function readIn(loaded: Loaded, readTo: string, first: string, last: string, me: string): string {
  if (last <= readTo || !joins(loaded, readTo)) return readTo;
  const next = loaded.messages.find((m) => m.cursor > readTo && byOthers(m, me) && m.lifetime === undefined); // a lifetime is a line between messages
  return next !== undefined && next.cursor < first ? readTo : last;
}

/** readUpTo is a chat after it was read up to a place. */
export function readUpTo(chat: Chat, { messages, moreAfter }: Loaded, to: string, me: string): Chat {
  const unread = moreAfter || to < (messages.at(-1)?.cursor ?? '') ? Math.max(chat.unread - between(messages, chat.readTo, to, me), 0) : 0;
  return { ...chat, unread, mentions: chat.mentions.filter((cursor) => cursor > to), readTo: to };
}

/** newBelow counts what is unread below the newest that was in view; of what lies on both sides of a gap it says nothing. */
export function newBelow(loaded: Loaded, chat: Pick<Chat, 'unread' | 'readTo'>, seen: string, me: string): number {
  const from = seen > chat.readTo ? seen : chat.readTo;
  if (!loaded.moreAfter) return between(loaded.messages, from, '~', me);
  if (from !== chat.readTo && !joins(loaded, chat.readTo)) return 0;
  return Math.max(chat.unread - between(loaded.messages, chat.readTo, from, me), 0);
}

function byOthers(message: Message, me: string): boolean {
  return message.author?.id !== me && message.state !== MessageState.OVER;
}
