// What was written here and is not taken by the node yet. Each chat is sent in
// order, one at a time; the client id makes sending again harmless, also by
// several tabs. It outlives the tab: lib/sealed.ts.
import type { Box } from '../lib/sealed';
import { sentence } from '../lib/task.svelte';
import { oneLine } from '../lib/text';
import type { Message } from '../gen/kith/v1/kith_pb';
import { Refusal } from '../net/protocol';
import { nameOf } from './views';
import type { Draftling } from './timeline';

type Send = (draftling: Draftling) => Promise<Message>;
/** Sends in a way that outlives the page, without an answer. */
type SendParting = (draftling: Draftling) => void;

/** requestOf is a draftling as the node is asked to send it. */
export function requestOf({ chatId, text, clientId, quote }: Draftling) {
  return { chat: chatId, text, clientId, replyTo: quote?.cursor ?? '' };
}

export class Outbox {
  draftlings = $state.raw<readonly Draftling[]>([]);
  #box: Box | undefined; // undefined until the node has given its key
  #sending = new Set<string>(); // chats that have one on its way
  #kept = new Set<string>(); // client ids of what lies in the box
  #send: Send;
  #sendParting: SendParting;

  constructor(send: Send, sendParting: SendParting) {
    this.#send = send;
    this.#sendParting = sendParting;
  }

  of(chatId: string): readonly Draftling[] {
    return this.draftlings.filter((d) => d.chatId === chatId);
  }

  write(chatId: string, text: string, answered?: Message): void {
    const time = Math.max(Date.now(), (this.draftlings.at(-1)?.time ?? 0) + 1); // the order in which they are sent, also by another tab
    const draftling: Draftling = { clientId: crypto.randomUUID(), chatId, text, time, failed: '' };
    if (answered !== undefined) draftling.quote = { cursor: answered.cursor, name: nameOf(answered.author), text: oneLine(answered.text.slice(0, 200)) };
    this.draftlings = [...this.draftlings, draftling];
    void this.#keep(draftling);
    void this.#drain(chatId);
  }

  /** part sends what would go with the page: sealing takes a moment, and needs a key that the node may not have given yet. */
  part(): void {
    for (const draftling of this.draftlings) if (draftling.failed === '' && !this.#kept.has(draftling.clientId)) this.#sendParting(draftling);
  }

  retry(clientId: string): void {
    this.#change(clientId, '');
    const chatId = this.draftlings.find((d) => d.clientId === clientId)?.chatId;
    if (chatId !== undefined) void this.#drain(chatId);
  }

  /** retryAll tries everything again that was refused: what was in the way may be gone. */
  retryAll(): void {
    for (const { clientId, failed } of this.draftlings) if (failed !== '') this.retry(clientId);
  }

  discard(clientId: string): void {
    if (!this.draftlings.some((d) => d.clientId === clientId)) return;
    this.forget(clientId);
    this.#box?.drop(clientId);
  }

  /** forget drops what another tab has sent or discarded. */
  forget(clientId: string): void {
    this.draftlings = this.draftlings.filter((d) => d.clientId !== clientId);
    this.#kept.delete(clientId);
  }

  /** open has what waits kept in a box from now on. */
  open(box: Box): void {
    this.#box = box;
    for (const draftling of this.draftlings) void this.#keep(draftling);
  }

  /** resume sends what waited, here and in tabs that are closed, once the node is there again. */
  async resume(): Promise<void> {
    const kept = (await this.#box?.all()) ?? [];
    const known = new Set(this.draftlings.map((d) => d.clientId));
    const found = kept.filter((d) => !known.has(d.clientId));
    for (const { clientId } of found) this.#kept.add(clientId);
    if (found.length > 0) this.draftlings = [...this.draftlings, ...found].sort((a, b) => a.time - b.time);
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
    this.draftlings = this.draftlings.map((d) => (d.clientId === clientId ? { ...d, failed } : d));
    const changed = this.draftlings.find((d) => d.clientId === clientId);
    if (changed !== undefined) void this.#keep(changed);
  }

  async #keep(draftling: Draftling): Promise<void> {
    if (await this.#box?.put(draftling)) this.#kept.add(draftling.clientId);
  }
}
