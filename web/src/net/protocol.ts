// What a page and the hub in its worker say to each other.
import type { Client } from '@connectrpc/connect';
import type { Event, KithService } from '../gen/kith/v1/kith_pb';

type Api = Client<typeof KithService>;

/** Every verb but the stream, and those that only the command line may use. */
export type Verb = Exclude<keyof Api, 'subscribe' | 'stop' | 'newLogin'>;
export type Request<V extends Verb> = Parameters<Api[V]>[0];
export type Answer<V extends Verb> = Awaited<ReturnType<Api[V]>>;

/** starting: not connected yet; locked: the token is missing or refused; shut: the home waits for its passphrase. */
export type Status = 'starting' | 'online' | 'offline' | 'locked' | 'shut';

export type ToHub =
  | { kind: 'token'; token: string }
  | { kind: 'call'; id: number; verb: Verb; request: unknown }
  | { kind: 'nudge' } // look at once whether the program is back
  | { kind: 'bye' };

export type FromHub =
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'refusal'; id: number; code: number; message: string }
  | News;

export type News =
  | { kind: 'status'; status: Status }
  | { kind: 'events'; events: Event[] } // what came together, in order
  | { kind: 'reset' }; // events are gone: load everything anew

/** The codes of Connect that the page tells apart. */
export const Code = {
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A call that was answered with no. Its message is a sentence for people. */
export class Refusal extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly reason = '', // as the node names it; only the hub knows it
  ) {
    super(message);
    this.name = 'Refusal';
  }

  /** The program could not be asked at all, so asking again may help. */
  get away(): boolean {
    return this.code === Code.unavailable || this.code === Code.deadlineExceeded || this.code === Code.canceled;
  }
}

export interface Channel {
  setToken(token: string): void;
  call<V extends Verb>(verb: V, request: Request<V>): Promise<Answer<V>>;
  nudge(): void;
  listen(hear: (news: News) => void): () => void;
}
