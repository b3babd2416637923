// Where somebody is in a list of messages: at its end, which stays in view as
// the list grows, or elsewhere, and then nothing that arrives moves them.
//
// Heights are known only once rows were drawn, so whatever is gone to is gone to
// again as rows are measured, until the reader moves. Whether the reader moved
// is told by the direction: only a reader goes up.
import { tick } from 'svelte';
import type { VirtualizerHandle } from 'virtua/svelte';

const nearEnd = 64; // px from the end that still count as being there
const slack = 2; // px by which heights are off after rounding
export const heldFor = 1000; // ms after which all rows around a place have been measured

export type Align = 'start' | 'center' | 'nearest';

export class Place {
  /** The end is in view, or as good as. */
  atEnd = $state(true);
  /** px above and below what is in view, when it was last looked at. */
  above = 0;
  below = 0;

  #scroller: HTMLElement | undefined;
  #list: VirtualizerHandle | undefined;
  #indexOf: (key: string) => number;
  #kept = true; // the end is kept in view as the list grows
  #held: { key: string; align: Align; margin: number } | undefined; // the row that is kept where it is
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drawn = 0; // the frame in which the end is gone to; 0: none

  constructor(indexOf: (key: string) => number) {
    this.#indexOf = indexOf;
  }

  /** A row that was gone to is kept where it is: what is about it may still move. */
  get holds(): boolean {
    return this.#held !== undefined;
  }

  /** attach is told the elements; what it gives takes it off them. */
  attach(scroller: HTMLElement, list: VirtualizerHandle | undefined): () => void {
    this.#scroller = scroller;
    this.#list = list;
    const moves = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const;
    const release = () => this.#release();
    for (const name of moves) scroller.addEventListener(name, release, { passive: true });
    const sized = new ResizeObserver(() => void this.measured()); // also when nothing covers it any more
    sized.observe(scroller);
    return () => {
      sized.disconnect();
      for (const name of moves) scroller.removeEventListener(name, release);
      this.#release();
      cancelAnimationFrame(this.#drawn);
      this.#scroller = this.#list = undefined;
    };
  }

  /** look takes in where the reader is, after the list was scrolled or changed; hidden: what follows is not loaded. */
  look(hidden: boolean): void {
    if (!this.#scroller || this.#scroller.clientHeight === 0) return; // gone, or covered
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const up = this.above - scrollTop;
    this.above = scrollTop;
    this.below = scrollHeight - scrollTop - clientHeight;
    if (hidden) this.#kept = false;
    else if (this.below <= slack) this.#kept = this.#held === undefined;
    else if (up > (this.#drawn === 0 ? slack : nearEnd)) this.#kept = false; // rows that are measured move it by less
    this.atEnd = !hidden && (this.#kept || this.below < nearEnd);
  }

  /** inView is the first and the last row of which something is in view; none: the last is before the first. */
  inView(): [number, number] {
    if (!this.#scroller || !this.#list || this.#scroller.clientHeight === 0) return [0, -1];
    const { scrollTop, clientHeight } = this.#scroller;
    return [this.#list.findItemIndex(scrollTop), this.#list.findItemIndex(scrollTop + clientHeight - 1)];
  }

  /** passed: the end of a row is in view, or above. */
  passed(index: number): boolean {
    if (!this.#scroller || !this.#list || this.#scroller.clientHeight === 0) return false;
    const { scrollTop, clientHeight } = this.#scroller;
    return this.#list.getItemOffset(index) + this.#list.getItemSize(index) <= scrollTop + clientHeight + slack;
  }

  /** leaveEnd: what comes next is looked at elsewhere. */
  leaveEnd(): void {
    this.#kept = false;
    this.atEnd = false;
  }

  /** toEnd goes to the end and keeps it in view, once a frame however much comes. */
  toEnd(): void {
    this.#release();
    this.#kept = true;
    this.atEnd = true;
    cancelAnimationFrame(this.#drawn);
    this.#drawn = requestAnimationFrame(() => {
      this.#drawn = 0;
      this.#settle();
    });
  }

  /** show brings a row into view. */
  show(key: string, align: Align, margin = 0): void {
    this.#release();
    this.#kept = false;
    this.#held = { key, align, margin };
    this.#timer = setTimeout(() => {
      this.#release();
      if (this.atEnd) this.look(false); // the end was in view with it, and is kept from now on
    }, heldFor);
    this.#settle();
  }

  /** measured: rows have other heights than was thought. */
  async measured(): Promise<void> {
    if (!this.#kept && this.#held === undefined) return;
    await tick(); // the list has its new height
    this.#settle();
  }

  #settle(): void {
    if (!this.#scroller || this.#scroller.clientHeight === 0) return;
    const { clientHeight } = this.#scroller;
    const to = this.#kept ? this.#scroller.scrollHeight - clientHeight : this.#goal(clientHeight);
    if (to === undefined) return;
    this.#scroller.scrollTop = to;
    this.above = Math.min(this.above, to); // this was no reader who went up
  }

  #goal(view: number): number | undefined {
    const index = this.#held === undefined ? -1 : this.#indexOf(this.#held.key);
    if (this.#held === undefined || index < 0 || !this.#list) return undefined;
    const { align, margin } = this.#held;
    const top = this.#list.getItemOffset(index);
    const height = this.#list.getItemSize(index);
    if (align === 'start') return top - margin;
    if (align === 'center') return top + height / 2 - view / 2;
    const at = this.#scroller!.scrollTop;
    if (top < at) return top;
    return top + height > at + view ? top + height - view : undefined;
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#held = undefined;
  }
}
