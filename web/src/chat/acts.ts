// What one does to a message, from its menu, from the buttons beside it, and by
// the keyboard.
import { MessageState, type Message } from '../gen/kith/v1/kith_pb';
import { hrefOf } from '../lib/router.svelte';
import { kith } from '../state/kith.svelte';
import { jumps } from '../state/search.svelte';
import { writings } from '../state/writing.svelte';
import { dialogs } from '../ui/dialogs.svelte';

/** Emoji that are one choice away. */
export const quick = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const;

/** isAlive: it can be answered, copied, pinned: it is there and can be read. */
export function isAlive(message: Message): boolean {
  return message.state === MessageState.SHOWN && !kith.deletions.waits(message.id);
}

/** hasMenu: there is anything that one may do to it. */
export function hasMenu(message: Message): boolean {
  return !kith.deletions.waits(message.id) && (isAlive(message) || message.may?.delete === true);
}

export function react(message: Message, emoji: string): Promise<Message> {
  const off = message.reactions.some((r) => r.emoji === emoji && r.mine);
  return kith.call('react', { chat: message.chatId, message: message.cursor, emoji, off });
}

export function pin(message: Message): Promise<Message> {
  return kith.call('pinMessage', { chat: message.chatId, message: message.cursor, off: message.pinnedBy !== undefined });
}

export function closePoll(message: Message): Promise<Message> {
  return kith.call('closePoll', { chat: message.chatId, message: message.cursor });
}

export function copy(message: Message): Promise<void> {
  return navigator.clipboard.writeText(message.text);
}

export function askToDelete(message: Message): void {
  dialogs.show({ kind: 'delete-message', message });
}

/** byKey does what a key does to the message that has the focus; false: nothing. */
export function byKey(key: string, message: Message): boolean {
  switch (key) {
    case 'r':
      if (message.may?.reply && isAlive(message)) writings.reply(message);
      return true;
    case 'e':
      if (message.may?.reply && isAlive(message)) dialogs.show({ kind: 'react', message });
      return true;
    case 'Delete':
      if (message.may?.delete) askToDelete(message);
      return true;
  }
  return false;
}

/** placeOf is the address of a message; whoever follows it counts a jump. */
export function placeOf(chatId: string, cursor: string, side = 'at'): string {
  return hrefOf('chats', chatId, side, cursor);
}

export function jump(): void {
  jumps.count++;
}
