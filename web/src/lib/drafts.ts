// What waits to be sent, where the node is away. It lies in sessionStorage: it
// survives a reload and the browser's own restoring of a tab, and goes with
// the tab, so that no text stays behind in the browser's profile.
import type { Draftling } from '../state/timeline';

const outboxPlace = 'kith.outbox';

export function readOutbox(): Draftling[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(outboxPlace) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isDraftling) : [];
  } catch {
    return [];
  }
}

export function keepOutbox(draftlings: readonly Draftling[]): void {
  if (draftlings.length === 0) sessionStorage.removeItem(outboxPlace);
  else sessionStorage.setItem(outboxPlace, JSON.stringify(draftlings));
}

function isDraftling(value: unknown): value is Draftling {
  const d = value as Draftling | null;
  return typeof d?.clientId === 'string' && typeof d.chatId === 'string' && typeof d.text === 'string' && typeof d.time === 'number' && (d.quote === undefined || typeof d.quote.cursor === 'string');
}
