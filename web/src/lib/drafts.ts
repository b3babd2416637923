// What was begun or waits to be sent, per chat. It lies in sessionStorage: it
// survives a reload and the browser's own restoring of a tab, and goes with
// the tab, so that no text stays behind in the browser's profile.
import type { Draftling } from '../state/timeline';

const draftPlace = (chatId: string) => `kith.draft.${chatId}`;
const outboxPlace = 'kith.outbox';

export function readDraft(chatId: string): string {
  return sessionStorage.getItem(draftPlace(chatId)) ?? '';
}

export function keepDraft(chatId: string, text: string): void {
  if (text === '') sessionStorage.removeItem(draftPlace(chatId));
  else sessionStorage.setItem(draftPlace(chatId), text);
}

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
