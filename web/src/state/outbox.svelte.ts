// What was written here and is not taken by the node yet. Each chat is sent in
// order, one at a time; the client id makes sending again harmless.
import { keepOutbox, readOutbox } from '../lib/drafts';
import { sentence } from '../lib/task.svelte';
import { oneLine } from '../lib/text';
import type { Message } from '../gen/kith/v1/kith_pb';
import { Refusal } from '../net/protocol';
import { nameOf } from './views';
import type { Draftling } from './timeline';

type Send = (draftling: Draftling) => Promise<Message>;

export class Outbox {
  draftlings = $state.raw<readonly Draftling[]>(readOutbox());
  #sending = new Set<string>(); // chats that have one on its way
  #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  of(chatId: string): readonly Draftling[] {
    return this.draftlings.filter((d) => d.chatId === chatId);
  }

  write(chatId: string, text: string, answered?: Message): void {
    const draftling: Draftling = { clientId: crypto.randomUUID(), chatId, text, time: Date.now(), failed: '' };
    if (answered !== undefined) draftling.quote = { cursor: answered.cursor, name: nameOf(answered.author), text: oneLine(answered.text.slice(0, 200)) };
    this.#set([...this.draftlings, draftling]);
    void this.#drain(chatId);
  }

  retry(clientId: string): void {
    this.#change(clientId, '');
    const chatId = this.draftlings.find((d) => d.clientId === clientId)?.chatId;
    if (chatId !== undefined) void this.#drain(chatId);
  }

  discard(clientId: string): void {
    if (this.draftlings.some((d) => d.clientId === clientId)) this.#set(this.draftlings.filter((d) => d.clientId !== clientId));
  }

  /** resume sends what waited, once the node is there again. */
  resume(): void {
    for (const chatId of new Set(this.draftlings.map((d) => d.chatId))) void this.#drain(chatId);
  }

  async #drain(chatId: string): Promise<void> {
    if (this.#sending.has(chatId)) return;
    this.#sending.add(chatId);
    try {
      for (let next = this.#next(chatId); next !== undefined; next = this.#next(chatId)) {
        if (!(await this.#try(next))) return;
      }
    } finally {
      this.#sending.delete(chatId);
    }
  }

  /** try is false if the node could not be asked, so that the rest waits too. */
  async #try(draftling: Draftling): Promise<boolean> {
    try {
      await this.#send(draftling);
      this.discard(draftling.clientId);
    } catch (err) {
      if (err instanceof Refusal && err.away) return false;
      this.#change(draftling.clientId, sentence(err));
    }
    return true;
  }

  #next(chatId: string): Draftling | undefined {
    return this.draftlings.find((d) => d.chatId === chatId && d.failed === '');
  }

  #change(clientId: string, failed: string): void {
    this.#set(this.draftlings.map((d) => (d.clientId === clientId ? { ...d, failed } : d)));
  }

  #set(draftlings: readonly Draftling[]): void {
    this.draftlings = draftlings;
    keepOutbox(draftlings);
  }
}
