// What the composer of each chat writes: something new, an answer, or another
// text for a message of one's own.
import { SvelteMap } from 'svelte/reactivity';
import type { Message } from '../gen/kith/v1/kith_pb';

export type Writing = { kind: 'new' } | { kind: 'reply'; to: Message } | { kind: 'edit'; of: Message };

const nothing: Writing = { kind: 'new' };

class Writings {
  #of = new SvelteMap<string, Writing>();
  asked = $state(0); // counts who asked for the composer, so that it takes the focus each time

  of(chatId: string): Writing {
    return this.#of.get(chatId) ?? nothing;
  }

  reply(to: Message): void {
    this.#of.set(to.chatId, { kind: 'reply', to });
    this.asked++;
  }

  /** take is reply, as it was before: nobody asked for it now. */
  take(to: Message): void {
    this.#of.set(to.chatId, { kind: 'reply', to });
  }

  edit(of: Message): void {
    this.#of.set(of.chatId, { kind: 'edit', of });
    this.asked++;
  }

  stop(chatId: string): void {
    this.#of.delete(chatId);
  }
}

export const writings = new Writings();
