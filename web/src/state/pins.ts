// What of a chat is pinned, kept true by the messages that come.
import type { Message } from '../gen/kith/v1/kith_pb';

/** pinsAfter is the list, the one pinned last first, once a message stands as given. */
export function pinsAfter(pins: readonly Message[], message: Message): readonly Message[] {
  const at = pins.findIndex((p) => p.id === message.id && p.cursor === message.cursor);
  if (message.pinnedBy === undefined) return at < 0 ? pins : pins.filter((_, i) => i !== at);
  return at < 0 ? [message, ...pins] : pins.map((p, i) => (i === at ? message : p));
}
