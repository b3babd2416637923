// What was said to be deleted and is not yet: for a few seconds nothing was
// sent, and it can be taken back. Closing the page takes nothing back.
import { SvelteMap } from 'svelte/reactivity';
import { sentence } from '../lib/task.svelte';
import type { Message } from '../gen/kith/v1/kith_pb';

export const undoFor = 5000; // ms

type Send = (message: Message) => Promise<unknown>;

interface Waiting {
  message: Message;
  timer: ReturnType<typeof setTimeout>;
}

export class Deletions {
  #waiting = new SvelteMap<string, Waiting>(); // by message id
  #refused = new SvelteMap<string, string>();
  #send: Send;
  #sendParting: (message: Message) => void; // in a way that outlives the page, without an answer

  constructor(send: Send, sendParting: (message: Message) => void) {
    this.#send = send;
    this.#sendParting = sendParting;
  }

  waits(messageId: string): boolean {
    return this.#waiting.has(messageId);
  }

  /** refused is why it could not be deleted; empty if nobody tried or it was. */
  refused(messageId: string): string {
    return this.#refused.get(messageId) ?? '';
  }

  start(message: Message): void {
    if (this.waits(message.id)) return;
    this.#refused.delete(message.id);
    this.#waiting.set(message.id, { message, timer: setTimeout(() => void this.#end(message), undoFor) });
  }

  undo(messageId: string): void {
    clearTimeout(this.#waiting.get(messageId)?.timer);
    this.#waiting.delete(messageId);
  }

  /** part sends at once what waits: the page goes away. */
  part(): void {
    for (const { message, timer } of [...this.#waiting.values()]) {
      clearTimeout(timer);
      this.#sendParting(message);
      this.#waiting.delete(message.id);
    }
  }

  async #end(message: Message): Promise<void> {
    try {
      await this.#send(message);
    } catch (err) {
      this.#refused.set(message.id, sentence(err));
    } finally {
      this.#waiting.delete(message.id);
    }
  }
}
