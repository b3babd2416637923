// The keys that work everywhere: Ctrl or Cmd and K finds anything, / goes to
// the field above the list, Ctrl or Cmd, Shift and F searches in the chat, Alt and
// the arrows walk the chats, Esc goes back.
import { kith } from '../state/kith.svelte';
import { sortedChats } from '../state/views';
import { dialogs } from '../ui/dialogs.svelte';
import { router } from './router.svelte';

export function listenToKeys(): () => void {
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    dialogs.show({ kind: 'palette' });
    return;
  }
  if (dialogs.open !== undefined) return;
  if ((event.ctrlKey || event.metaKey) && event.shiftKey && event.key.toLowerCase() === 'f' && kith.chats.has(router.route.item)) {
    event.preventDefault();
    router.go('chats', router.route.item, 'find');
    return;
  }
  if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    event.preventDefault();
    walk(event.key === 'ArrowDown' ? 1 : -1);
  } else if (event.key === '/' && !inField(event.target)) {
    const field = document.querySelector<HTMLInputElement>('[data-filter]');
    if (field === null) return;
    event.preventDefault();
    field.focus();
  } else if (event.key === 'Escape' && router.route.side !== '') {
    router.go('chats', router.route.item);
  }
}

function walk(step: number): void {
  const chats = sortedChats(kith.chats.values());
  if (chats.length === 0) return;
  const at = chats.findIndex((chat) => chat.id === router.route.item);
  const next = chats[at < 0 ? 0 : Math.min(chats.length - 1, Math.max(0, at + step))];
  if (next !== undefined) router.go('chats', next.id);
}

function inField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
