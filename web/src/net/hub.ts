// The hub speaks with the node: it holds the token and the one event stream
// of this browser, and makes the calls of all pages.
import { ConnectError, createClient, type Client, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { KithService, type Event } from '../gen/kith/v1/kith_pb';
import { Code, Refusal, type Channel, type News, type Answer, type Request, type Status, type Verb } from './protocol';
import { advance, nowhere, pause } from './resume';

/** How long a call may take, in milliseconds. */
const patience = 30_000;
/** Why everything is refused while the home waits for its passphrase. */
const shutReason = 'api/locked';

export class Hub implements Channel {
  #token = '';
  #status: Status = 'starting';
  #place = nowhere;
  #stream: AbortController | undefined;
  #wake: (() => void) | undefined;
  #held: Event[] = []; // read from the stream, not told yet
  #hearers = new Set<(news: News) => void>();
  #client: Client<typeof KithService>;

  constructor(baseUrl: string) {
    const authorize: Interceptor = (next) => (req) => {
      if (this.#token !== '') req.header.set('Authorization', `Bearer ${this.#token}`);
      return next(req);
    };
    this.#client = createClient(KithService, createConnectTransport({ baseUrl, interceptors: [authorize] }));
  }

  /** setToken begins a session; while one works, another token changes nothing. */
  setToken(token: string): void {
    if (this.#status === 'online' || (token === this.#token && this.#status !== 'locked' && this.#status !== 'shut')) {
      this.nudge();
      return;
    }
    this.#token = token;
    this.#place = nowhere;
    this.#stream?.abort();
    const stream = new AbortController();
    this.#stream = stream;
    this.#tell('starting');
    void this.#follow(stream.signal);
  }

  async call<V extends Verb>(verb: V, request: Request<V>): Promise<Answer<V>> {
    const ask = this.#client[verb] as (request: Request<V>, options: { timeoutMs: number }) => Promise<Answer<V>>;
    try {
      return await ask(request, { timeoutMs: patience });
    } catch (err) {
      const refusal = asRefusal(err);
      if (refusal.reason === shutReason) this.#end('shut');
      else if (refusal.code === Code.unauthenticated && verb !== 'login') this.#end('locked');
      throw refusal;
    }
  }

  nudge(): void {
    this.#wake?.();
  }

  listen(hear: (news: News) => void): () => void {
    this.#hearers.add(hear);
    // That the token of an earlier page was refused is not this page's news.
    hear({ kind: 'status', status: this.#status === 'locked' || this.#status === 'shut' ? 'starting' : this.#status });
    return () => this.#hearers.delete(hear);
  }

  #send(news: News): void {
    for (const hear of this.#hearers) hear(news);
  }

  #tell(status: Status): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#send({ kind: 'status', status });
  }

  #end(why: 'locked' | 'shut'): void {
    this.#token = '';
    this.#stream?.abort();
    this.#tell(why);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        const stream = this.#client.subscribe({ after: this.#place.seq, run: this.#place.run }, { signal });
        for await (const event of stream) {
          tries = 0;
          this.#hear(event);
        }
      } catch (err) {
        if (signal.aborted) return;
        const refusal = asRefusal(err);
        if (refusal.reason === shutReason) return this.#end('shut');
        if (refusal.code === Code.unauthenticated) return this.#end('locked');
      }
      if (signal.aborted) return;
      this.#tell('offline');
      await this.#rest(pause(tries));
    }
  }

  #hear(event: Event): void {
    const { place, reset } = advance(this.#place, event);
    this.#place = place;
    this.#tell('online');
    if (reset) {
      this.#held = [];
      this.#send({ kind: 'reset' });
    } else if (event.change.case !== undefined) {
      this.#held.push(event);
      if (this.#held.length === 1) setTimeout(() => this.#tellHeld(), 0);
    }
  }

  // A message and the change of its chat come together: pages draw once.
  #tellHeld(): void {
    const events = this.#held;
    this.#held = [];
    if (events.length > 0) this.#send({ kind: 'events', events });
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function asRefusal(err: unknown): Refusal {
  const said = ConnectError.from(err);
  // fetch throws a TypeError where nobody answered.
  const code = said.cause instanceof TypeError ? Code.unavailable : said.code;
  return new Refusal(code, said.rawMessage, said.metadata.get('Kith-Reason') ?? '');
}
