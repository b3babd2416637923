// What was begun in each chat is kept by the node, encrypted with all else, and
// not by the browser. The first change is told at once, those that follow soon.
import type { Draft } from '../gen/kith/v1/kith_pb';

export const draftPause = 400; // ms

export type Begun = Pick<Draft, 'text' | 'replyTo'>;
type Send = (chatId: string, draft: Begun, at: number) => Promise<unknown>;
/** Tells it in a way that outlives the page, without an answer. */
type SendParting = (chatId: string, draft: Begun, at: number) => void;

interface Kept {
  draft: Begun;
  at: number; // ms, when it was so: the node takes nothing that was overtaken on its way
}

export class Drafts {
  #told = new Map<string, Begun>(); // what the node was told last
  #later = new Map<string, Kept>(); // what it is told next
  #unsure = new Map<string, Kept>(); // what it was told and has not answered
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #send: Send;
  #sendParting: SendParting;

  constructor(send: Send, sendParting: SendParting) {
    this.#send = send;
    this.#sendParting = sendParting;
  }

  /** of is what was begun here, or else what the node has. */
  of(chatId: string, kept: Begun | undefined): Begun {
    return this.#later.get(chatId)?.draft ?? this.#told.get(chatId) ?? kept ?? { text: '', replyTo: '' };
  }

  keep(chatId: string, draft: Begun): void {
    this.#later.set(chatId, { draft, at: Date.now() });
    if (!this.#timers.has(chatId)) this.#tell(chatId);
  }

  /** flush tells at once what waits. */
  flush(): void {
    for (const chatId of [...this.#later.keys()]) this.#tell(chatId);
  }

  /** part tells what the node may not have heard: the page is about to go, or may be ended unseen. */
  part(): void {
    for (const [chatId, { draft, at }] of new Map([...this.#unsure, ...this.#later])) this.#sendParting(chatId, draft, at);
  }

  #tell(chatId: string): void {
    clearTimeout(this.#timers.get(chatId));
    this.#timers.delete(chatId);
    const kept = this.#later.get(chatId);
    if (kept === undefined) return;
    this.#later.delete(chatId);
    this.#told.set(chatId, kept.draft);
    this.#unsure.set(chatId, kept);
    this.#timers.set(
      chatId,
      setTimeout(() => {
        this.#timers.delete(chatId);
        if (this.#later.has(chatId)) this.#tell(chatId);
        else this.#told.delete(chatId); // the chat says it by now
      }, draftPause),
    );
    this.#send(chatId, kept.draft, kept.at)
      .catch(() => {
        if (!this.#later.has(chatId)) this.#later.set(chatId, kept); // with the next change, or when the node is back
      })
      .finally(() => {
        if (this.#unsure.get(chatId) === kept) this.#unsure.delete(chatId);
      });
  }
}
