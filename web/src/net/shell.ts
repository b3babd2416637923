// Asks the service worker to keep the shell of the page (public/shell.js).
import { ownScript } from './script';

/** keepShell is no more than a comfort: where it fails, nothing is missing. */
export async function keepShell(): Promise<void> {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return;
  try {
    await navigator.serviceWorker.register(ownScript('/shell.js'));
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage('keep');
  } catch {
    // A private window may refuse it.
  }
}
