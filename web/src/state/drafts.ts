// What was begun in each chat is kept by the node, encrypted with all else, and
// not by the browser. The first change is told at once, those that follow soon.
import type { Draft } from '../gen/kith/v1/kith_pb';

export const draftPause = 400; // ms

export type Begun = Pick<Draft, 'text' | 'replyTo'>;
type Send = (chatId: string, draft: Begun) => Promise<unknown>;

export class Drafts {
  #told = new Map<string, Begun>(); // what the node was told last
  #later = new Map<string, Begun>(); // what it is told next
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /** of is what was begun here, or else what the node has. */
  of(chatId: string, kept: Begun | undefined): Begun {
    return this.#later.get(chatId) ?? this.#told.get(chatId) ?? kept ?? { text: '', replyTo: '' };
  }

  keep(chatId: string, draft: Begun): void {
    this.#later.set(chatId, draft);
    if (!this.#timers.has(chatId)) this.#tell(chatId);
  }

  /** flush tells at once what waits: the page goes away. */
  flush(): void {
    for (const chatId of [...this.#later.keys()]) this.#tell(chatId);
  }

  #tell(chatId: string): void {
    clearTimeout(this.#timers.get(chatId));
    this.#timers.delete(chatId);
    const draft = this.#later.get(chatId);
    if (draft === undefined) return;
    this.#later.delete(chatId);
    this.#told.set(chatId, draft);
    this.#timers.set(
      chatId,
      setTimeout(() => {
        this.#timers.delete(chatId);
        if (this.#later.has(chatId)) this.#tell(chatId);
        else this.#told.delete(chatId); // the chat says it by now
      }, draftPause),
    );
    this.#send(chatId, draft).catch(() => {
      if (!this.#later.has(chatId)) this.#later.set(chatId, draft); // with the next change, or when the node is back
    });
  }
}
