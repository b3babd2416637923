// Something a person asked for that takes a moment: whether it runs, and why
// it was refused, for the place where it was asked for.
import { words } from './words';

export class Task {
  busy = $state(false);
  error = $state('');

  /** run does it once at a time; true if it was done. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = '';
    try {
      await work();
      return true;
    } catch (err) {
      this.error = sentence(err);
      return false;
    } finally {
      this.busy = false;
    }
  }
}

/** sentence makes of a refusal what a person reads. */
export function sentence(err: unknown): string {
  const said = err instanceof Error ? err.message.trim() : '';
  if (said === '') return words.tryAgain;
  const begun = said.charAt(0).toLocaleUpperCase() + said.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
