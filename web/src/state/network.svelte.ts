// How everybody is reached, asked for only while something shows it. Events
// tell when it changes; what no event tells, the beginning and the end of a
// try, is looked for when it is due. Between, times are counted down here.
import type { Network, Path } from '../gen/kith/v1/kith_pb';
import { askAfter } from './paths';

/** The least time between two looks in ms: for the screen of the network, and for a line about somebody. */
const leastScreen = 2000;
const leastLine = 5000;
/** How long events are gathered before it is asked, in ms. */
const gather = 250;

export class NetworkView {
  whole = $state.raw<Network>();
  /** Goes by the second while something is counted down. */
  now = $state(Date.now());

  #ask: () => Promise<Network>;
  #seen: () => boolean;
  #watched = new Map<symbol, string>(); // person; empty: all
  #paths = $derived(new Map((this.whole?.paths ?? []).map((p) => [p.person?.id ?? '', p])));
  #asking = false;
  #stale = false;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #tick: ReturnType<typeof setTimeout> | undefined;
  #askAt = Infinity; // ms

  /** seen says whether anybody can look at the page now. */
  constructor(ask: () => Promise<Network>, seen: () => boolean) {
    this.#ask = ask;
    this.#seen = seen;
  }

  of(person: string): Path | undefined {
    return this.#paths.get(person);
  }

  /** watch keeps it true until the returned is called: of one person, or of all. */
  watch(person = ''): () => void {
    const key = Symbol();
    this.#watched.set(key, person);
    this.changed();
    return () => {
      this.#watched.delete(key);
      if (this.#watched.size > 0) return;
      clearTimeout(this.#soon);
      clearTimeout(this.#tick);
      this.#soon = this.#tick = undefined;
    };
  }

  /** changed: something happened after which it may be different. */
  changed(): void {
    if (this.#watched.size === 0 || !this.#seen()) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.#load();
    }, this.whole === undefined ? 0 : gather);
  }

  take(network: Network): void {
    this.whole = network;
    this.#plan();
  }

  async #load(): Promise<void> {
    if (this.#asking) {
      this.#stale = true;
      return;
    }
    this.#asking = true;
    this.#stale = false;
    try {
      this.take(await this.#ask());
    } catch {
      this.#askAt = Infinity; // the node is away: it tells when it is there again
    } finally {
      this.#asking = false;
    }
    if (this.#stale) this.changed();
  }

  #plan(): void {
    this.now = Date.now();
    const persons = new Set(this.#watched.values());
    const all = persons.has('');
    const paths = (this.whole?.paths ?? []).filter((p) => all || persons.has(p.person?.id ?? ''));
    this.#askAt = this.now + askAfter(paths, this.now, all ? leastScreen : leastLine);
    this.#count();
  }

  #count(): void {
    clearTimeout(this.#tick);
    this.#tick = undefined;
    if (this.#askAt === Infinity || this.#watched.size === 0 || !this.#seen()) return;
    this.#tick = setTimeout(() => {
      this.now = Date.now();
      if (this.now < this.#askAt) return this.#count();
      this.#askAt = Infinity;
      void this.#load();
    }, Math.min(1000, Math.max(0, this.#askAt - this.now)));
  }
}
