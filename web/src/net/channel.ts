// The page's end of the line to the hub.
import workerUrl from './worker?worker&url';
import { ownScript } from './script';
import { Refusal, type Answer, type Channel, type FromHub, type News, type Request, type ToHub, type Verb } from './protocol';

/**
 * openChannel reaches the hub in the SharedWorker of this browser; where there
 * is no such thing, in a worker of this page alone.
 */
export function openChannel(): Channel {
  const script = ownScript(workerUrl);
  if (typeof SharedWorker === 'undefined') return new WorkerChannel(new Worker(script, { type: 'module' }));
  return new WorkerChannel(new SharedWorker(script, { type: 'module', name: 'kith' }).port);
}

interface Caller {
  resolve: (value: never) => void;
  reject: (refusal: Refusal) => void;
}

class WorkerChannel implements Channel {
  #port: MessagePort | Worker;
  #calls = new Map<number, Caller>();
  #hearers = new Set<(news: News) => void>();
  #lastStatus: News | undefined;
  #nextId = 1;

  constructor(port: MessagePort | Worker) {
    this.#port = port;
    this.#port.onmessage = ({ data }: MessageEvent<FromHub>) => this.#hear(data);
    addEventListener('pagehide', () => this.#say({ kind: 'bye' }));
  }

  setToken(token: string): void {
    this.#say({ kind: 'token', token });
  }

  nudge(): void {
    this.#say({ kind: 'nudge' });
  }

  call<V extends Verb>(verb: V, request: Request<V>): Promise<Answer<V>> {
    const id = this.#nextId++;
    return new Promise<Answer<V>>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#say({ kind: 'call', id, verb, request });
    });
  }

  listen(hear: (news: News) => void): () => void {
    this.#hearers.add(hear);
    if (this.#lastStatus !== undefined) hear(this.#lastStatus);
    return () => this.#hearers.delete(hear);
  }

  #say(said: ToHub): void {
    this.#port.postMessage(said);
  }

  #hear(said: FromHub): void {
    if (said.kind === 'answer' || said.kind === 'refusal') {
      const caller = this.#calls.get(said.id);
      this.#calls.delete(said.id);
      if (said.kind === 'answer') caller?.resolve(said.value as never);
      else caller?.reject(new Refusal(said.code, said.message));
      return;
    }
    if (said.kind === 'status') this.#lastStatus = said;
    for (const hear of this.#hearers) hear(said);
  }
}
