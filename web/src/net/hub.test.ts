import { afterEach, describe, expect, it, vi } from 'vitest';
import { Hub } from './hub';
import { Code, type News } from './protocol';

// A node of a few lines: what it was asked, and what it says.
class Said {
  requests: { verb: string; body: Record<string, unknown>; token: string | null }[] = [];
  streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  away = false;
  locked = false;
  shut = false;

  fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    if (this.away) throw new TypeError('Failed to fetch');
    const verb = String(url).split('/').pop() ?? '';
    const streams = verb === 'Subscribe';
    const bytes = new Uint8Array(await new Response(init?.body).arrayBuffer());
    const body = JSON.parse(new TextDecoder().decode(streams ? bytes.subarray(5) : bytes)) as Record<string, unknown>;
    this.requests.push({ verb, body, token: new Headers(init?.headers).get('Authorization') });
    if (this.shut && verb !== 'GetLock') return json(400, { code: 'failed_precondition', message: 'Kith is locked.' }, { 'Kith-Reason': 'api/locked' });
    if (this.locked) return json(401, { code: 'unauthenticated', message: 'locked' });
    if (verb === 'GetLock') return json(200, { locked: this.shut, passphrase: true });
    if (!streams) return verb === 'GetNode' ? json(200, { ready: true }) : json(400, { code: 'invalid_argument', message: 'this link is cut short' });
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => void this.streams.push(controller) });
    return new Response(stream, { headers: { 'Content-Type': 'application/connect+json' } });
  };

  say(event: unknown): void {
    this.put(event, 0);
  }

  /** end ends the stream as the protocol does, and says why. */
  end(why: unknown): void {
    this.put(why, 2);
    this.streams.at(-1)?.close();
  }

  private put(event: unknown, flags: number): void {
    const text = new TextEncoder().encode(JSON.stringify(event));
    const bytes = new Uint8Array(5 + text.length);
    bytes[0] = flags;
    new DataView(bytes.buffer).setUint32(1, text.length);
    bytes.set(text, 5);
    this.streams.at(-1)?.enqueue(bytes);
  }
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
}

function start() {
  const node = new Said();
  vi.stubGlobal('fetch', node.fetch);
  const hub = new Hub('http://localhost:1');
  const news: News[] = [];
  hub.listen((said) => news.push(said));
  hub.setToken('token');
  const last = () => news.at(-1);
  return { node, hub, news, last };
}

const status = (status: string) => ({ kind: 'status', status });
const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });

describe('Hub', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is online once it is heard, and tells events that come together at once', async () => {
    const { node, news, last } = start();
    await until(() => expect(node.streams).toHaveLength(1));
    expect(node.requests[0]).toMatchObject({ verb: 'Subscribe', token: 'Bearer token' });
    node.say({ seq: '4', run: 'r' });
    await until(() => expect(last()).toEqual(status('online')));
    node.say({ seq: '5', run: 'r', chatDeleted: 'a' });
    node.say({ seq: '6', run: 'r', chatDeleted: 'b' });
    await until(() => expect(news.flatMap((n) => (n.kind === 'events' ? n.events : [])).map((e) => e.change.value)).toEqual(['a', 'b']));
  });

  it('goes on where it was when the stream breaks', async () => {
    const { node, news } = start();
    await until(() => expect(node.streams).toHaveLength(1));
    node.say({ seq: '4', run: 'r' });
    node.say({ seq: '5', run: 'r', chatDeleted: 'a' });
    await until(() => expect(news.some((n) => n.kind === 'events')).toBe(true));
    node.streams[0]!.error(new TypeError('cut'));
    await until(() => expect(node.streams).toHaveLength(2));
    expect(news).toContainEqual(status('offline'));
    expect(node.requests.at(-1)?.body).toEqual({ after: '5', run: 'r' });
    node.say({ seq: '1', run: 'another life' });
    await until(() => expect(news.at(-1)).toEqual({ kind: 'reset' }));
  });

  it('tries again while nobody answers, at once when it is nudged', async () => {
    const { node, hub, news, last } = start();
    await until(() => expect(node.streams).toHaveLength(1));
    node.away = true;
    node.streams[0]!.error(new TypeError('cut'));
    await until(() => expect(last()).toEqual(status('offline')));
    await expect(hub.call('getNode', {})).rejects.toMatchObject({ code: Code.unavailable, away: true });
    node.away = false;
    hub.nudge();
    await until(() => expect(node.streams).toHaveLength(2));
    expect(news).not.toContainEqual(status('locked'));
  });

  it('locks when the token is refused, and opens with another', async () => {
    const { node, hub, last } = start();
    await until(() => expect(node.streams).toHaveLength(1));
    node.locked = true;
    await expect(hub.call('getNode', {})).rejects.toMatchObject({ code: Code.unauthenticated });
    expect(last()).toEqual(status('locked'));
    node.locked = false;
    hub.setToken('other');
    await until(() => expect(node.streams).toHaveLength(2));
    expect(node.requests.at(-1)?.token).toBe('Bearer other');
  });

  it('is shut when the home is locked, by a call or by the stream, and opens with another token', async () => {
    const { node, hub, last } = start();
    await until(() => expect(node.streams).toHaveLength(1));
    node.shut = true;
    await expect(hub.call('getNode', {})).rejects.toMatchObject({ code: Code.failedPrecondition });
    expect(last()).toEqual(status('shut'));
    expect((await hub.call('getLock', {})).locked).toBe(true);
    node.shut = false;
    hub.setToken('token'); // the same, too: the hub has forgotten it
    await until(() => expect(node.streams).toHaveLength(2));
    node.say({ seq: '1', run: 'r' });
    await until(() => expect(last()).toEqual(status('online')));
    node.end({ error: { code: 'failed_precondition', message: 'Kith is locked.' }, metadata: { 'Kith-Reason': ['api/locked'] } });
    await until(() => expect(last()).toEqual(status('shut')));
    expect(node.streams).toHaveLength(2);
  });

  it('keeps a session that works when a tab brings an older token', async () => {
    const { node, hub, last } = start();
    await until(() => expect(node.streams).toHaveLength(1));
    node.say({ seq: '1', run: 'r' });
    await until(() => expect(last()).toEqual(status('online')));
    hub.setToken('older');
    expect(last()).toEqual(status('online'));
    await hub.call('getNode', {});
    expect(node.requests.at(-1)?.token).toBe('Bearer token');
  });

  it('gives the sentence of a refusal', async () => {
    const { hub } = start();
    await expect(hub.call('addFriend', { link: 'kith:' })).rejects.toMatchObject({ code: Code.invalidArgument, message: 'this link is cut short', away: false });
  });
});
