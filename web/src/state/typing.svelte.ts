// Who is writing now, by chat; and telling the others that one is.
import { SvelteMap } from 'svelte/reactivity';
import type { Person, Typed } from '../gen/kith/v1/kith_pb';

export const heardFor = 5000; // ms after which somebody writes no more who did not say so again
export const sayEvery = 3000; // ms

type Send = (chatId: string, off: boolean) => Promise<unknown>;

export class Typing {
  #writing = new SvelteMap<string, readonly Person[]>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>(); // by chat and person
  #said = new Map<string, number>(); // ms, by chat
  #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  of(chatId: string): readonly Person[] {
    return this.#writing.get(chatId) ?? [];
  }

  hear({ chatId, person, off }: Pick<Typed, 'chatId' | 'person' | 'off'>): void {
    if (person === undefined) return;
    const key = `${chatId} ${person.id}`;
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    const others = this.of(chatId).filter((p) => p.id !== person.id);
    this.#writing.set(chatId, off ? others : [...others, person]);
    if (!off) this.#timers.set(key, setTimeout(() => this.hear({ chatId, person, off: true }), heardFor));
  }

  /** say tells, now and then, that one writes; an empty text, that one does not any more. */
  say(chatId: string, text: string): void {
    const said = this.#said.get(chatId);
    const off = text.trim() === '';
    const now = Date.now();
    if (off ? said === undefined : said !== undefined && now - said < sayEvery) return;
    if (off) this.#said.delete(chatId);
    else this.#said.set(chatId, now);
    this.#send(chatId, off).catch(() => undefined); // nobody waits for it
  }
}
