// From message to message by the keyboard, and which message the pointer or the
// focus is at.
import type { Row } from '../state/timeline';

export const keyAt = (target: EventTarget | null) => (target instanceof Element ? (target.closest<HTMLElement>('[data-key]')?.dataset.key ?? '') : '');

export class Walk {
  near = $state(''); // key of the row that the pointer is at
  focused = $state(''); // and of the one that has or had the focus
  within = $state(false); // it has it

  #show: (key: string) => void;
  #element: () => HTMLElement | undefined;

  /** show brings a row into view in what element gives. */
  constructor(element: () => HTMLElement | undefined, show: (key: string) => void) {
    this.#element = element;
    this.#show = show;
  }

  /** stop is the row that the tab key comes to: where one was, else the newest message. */
  stop(rows: readonly { kind: string; key: string }[]): string {
    if (this.focused !== '' && rows.some((row) => row.key === this.focused)) return this.focused;
    return rows.findLast((row) => row.kind === 'message')?.key ?? '';
  }

  isNear(key: string): boolean {
    return key === this.near || (this.within && key === this.focused);
  }

  over(event: PointerEvent): void {
    if (event.pointerType !== 'touch') this.near = keyAt(event.target);
  }

  focusIn(event: FocusEvent): void {
    this.focused = keyAt(event.target) || this.focused;
    this.within = true;
  }

  /** step goes to the next message by the arrows; Esc leads back to the composer. */
  step(event: KeyboardEvent, rows: readonly { kind: Row['kind'] | 'beginning'; key: string }[]): void {
    if (!(event.target instanceof HTMLElement) || event.target.dataset.key === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      document.querySelector<HTMLElement>('form textarea')?.focus();
      return;
    }
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    let at = rows.findIndex((row) => row.key === this.focused) + step;
    while (rows[at] !== undefined && rows[at]!.kind !== 'message') at += step;
    const next = rows[at];
    if (next === undefined) return;
    this.focused = next.key;
    this.#show(next.key);
    this.focus(next.key);
  }

  /** focus gives a row the focus, once it is drawn. */
  focus(key: string): void {
    requestAnimationFrame(() => this.#give(key));
  }

  /** focusFar is focus of a row that was gone to: as those around it are measured it is drawn anew, some times, and loses it. */
  focusFar(key: string, frames = 20): void {
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) this.#give(key);
      if (frames > 0) this.focusFar(key, frames - 1);
    });
  }

  #give(key: string): void {
    this.#element()?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }
}
