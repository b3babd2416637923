import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { FriendSchema, FriendState, NAT, NetworkSchema, PathSchema, Reachability, type Friend } from '../gen/kith/v1/kith_pb';
import { size } from '../lib/words.network';
import { askAfter, hopsOf, parted, waitingLine, wayLine } from './paths';

const now = 1_000_000;
const ben = { id: 'ben', name: 'Ben', friend: true };
const path = (of: MessageInitShape<typeof PathSchema>) => create(PathSchema, Object.assign({ person: ben }, of));

describe('how somebody is reached', () => {
  it('is said in a few words', () => {
    expect(wayLine(path({ kind: 'lan' }), now)).toBe('on the same network');
    for (const kind of ['quic', 'tcp', 'ws', 'a kind of tomorrow']) expect(wayLine(path({ kind }), now)).toBe('directly');
    expect(wayLine(path({ kind: 'relay' }), now)).toBe('through a relay');
    expect(wayLine(path({ kind: 'mailbox' }), now)).toBe('by a mailbox');
  });

  it('counts down to the next try, but not its last seconds', () => {
    expect(wayLine(path({ tries: 3n, nextTry: BigInt(now + 20_000) }), now)).toBe('tried again in 20s');
    expect(wayLine(path({ tries: 3n, nextTry: BigInt(now + 3000) }), now)).toBe('being tried');
    expect(wayLine(path({ tries: 3n, nextTry: BigInt(now - 3000) }), now)).toBe('being tried');
    expect(wayLine(path({ stage: 'trying one address' }), now)).toBe('being tried');
    expect(wayLine(path({ sentence: 'No address of Ben is known.' }), now)).toBe('see why');
  });

  it('draws the router where there is one, and what carries', () => {
    const behind = create(NetworkSchema, { reachability: Reachability.LAN, router: { nat: NAT.NAT_STEADY } });
    const open = create(NetworkSchema, { reachability: Reachability.PUBLIC, router: { nat: NAT.NAT_NONE } });
    const unknown = (reachability: Reachability) => create(NetworkSchema, { reachability, router: { nat: NAT.NAT_UNSPECIFIED } });
    expect(hopsOf(path({ kind: 'quic' }), behind)).toEqual(['router']);
    expect(hopsOf(path({ kind: 'relay' }), behind)).toEqual(['router', 'relay']);
    expect(hopsOf(path({ kind: 'mailbox' }), open)).toEqual(['mailbox']);
    expect(hopsOf(path({ kind: 'lan' }), behind)).toEqual(['near']);
    expect(hopsOf(path({}), open)).toEqual([]);
    expect(hopsOf(path({}), unknown(Reachability.LAN))).toEqual(['router']);
    expect(hopsOf(path({}), unknown(Reachability.PUBLIC))).toEqual([]);
    expect(hopsOf(path({}), unknown(Reachability.LOCAL))).toEqual([]);
  });

  it('says what a message waits for', () => {
    expect(waitingLine(undefined)).toBe('');
    expect(waitingLine(path({ kind: 'quic' }))).toBe('');
    expect(waitingLine(path({ tries: 1n }))).toBe('Kept here, waiting for Ben: their program is off, or has moved.');
    expect(waitingLine(path({ sentence: 'No address of Ben is known.' }))).toBe('Kept here. No address of Ben is known.');
    expect(waitingLine(path({ kind: 'mailbox', sentence: 'Ben is off; it waits in a mailbox.' }))).toBe('Kept here. Ben is off; it waits in a mailbox.');
  });

  it('parts friends, and whoever is to be one, from members who are neither', () => {
    const state = (id: string, state: FriendState): [string, Friend] => [id, create(FriendSchema, { person: { id }, state })];
    const friends = new Map([state('dan', FriendState.ASKED), state('eve', FriendState.BLOCKED)]);
    const paths = [path({}), path({ person: { id: 'cleo' } }), path({ person: { id: 'dan' } }), path({ person: { id: 'eve' } })];
    const names = (list: { person?: { id: string } }[]) => list.map((p) => p.person?.id);
    expect(names(parted(paths, friends).friends)).toEqual(['ben', 'dan']);
    expect(names(parted(paths, friends).others)).toEqual(['cleo', 'eve']);
  });
});

describe('when it is asked again', () => {
  it('is never, while all are reached or nobody is tried', () => {
    expect(askAfter([path({ kind: 'quic' }), path({})], now, 2000)).toBe(Infinity);
    expect(askAfter([], now, 2000)).toBe(Infinity);
  });

  it('is soon while somebody is tried, and else when somebody is to be', () => {
    expect(askAfter([path({ stage: 'trying', tries: 1n }), path({ nextTry: BigInt(now + 30_000) })], now, 2000)).toBe(2000);
    expect(askAfter([path({ nextTry: BigInt(now + 30_000) }), path({ nextTry: BigInt(now + 20_000) })], now, 2000)).toBe(20_300);
    expect(askAfter([path({ nextTry: BigInt(now - 5000) })], now, 2000)).toBe(2000);
    expect(askAfter([path({ nextTry: BigInt(now + 3_600_000) })], now, 2000)).toBe(60_000);
  });
});

describe('a size', () => {
  it('is in the unit in which it is at least one', () => {
    expect([0n, 512n, 999n, 1000n, 1_500_000n, 999_700n, 2_000_000_000n].map(size)).toEqual(['0 bytes', '512 bytes', '999 bytes', '1 kB', '1.5 MB', '1 MB', '2 GB']);
  });
});
