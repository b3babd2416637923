// How people are reached, made ready to be shown: by what way, what stands
// between, what is said in a line, and when it may be different.
import { FriendState, NAT, Reachability, type Friend, type Network, type Path } from '../gen/kith/v1/kith_pb';
import { oneLine } from '../lib/text';
import { ms, shortLeft } from '../lib/time';
import { words } from '../lib/words';
import { nameOf } from './views';

/** none: not reached. */
export type Way = 'near' | 'direct' | 'relay' | 'mailbox' | 'none';

/** What stands between this computer and somebody, in order. */
export type Hop = 'near' | 'router' | 'relay' | 'mailbox';

const ways: Record<string, Way> = { lan: 'near', quic: 'direct', tcp: 'direct', ws: 'direct', mem: 'direct', relay: 'relay', mailbox: 'mailbox' };

export function wayOf(path: Path): Way {
  return path.kind === '' ? 'none' : (ways[path.kind] ?? 'direct');
}

/** isTried: somebody is dialled now, was, or will be: an address of theirs is known. */
export function isTried(path: Path): boolean {
  return path.stage !== '' || path.nextTry > 0n || path.tries > 0n;
}

export function hopsOf(path: Path, network: Network): Hop[] {
  const way = wayOf(path);
  if (way === 'near') return ['near'];
  const behind = network.reachability !== Reachability.LOCAL && network.router?.nat !== NAT.NAT_NONE && (network.reachability === Reachability.LAN || network.router?.nat !== NAT.NAT_UNSPECIFIED);
  const hops: Hop[] = behind ? ['router'] : [];
  if (way === 'relay' || way === 'mailbox') hops.push(way);
  return hops;
}

/** wayLine says in a few words how somebody is reached, to stand after whether they are here; empty: there is nothing to say. */
export function wayLine(path: Path, now: number): string {
  switch (wayOf(path)) {
    case 'near':
      return words.way.near;
    case 'direct':
      return words.way.direct;
    case 'relay':
      return words.way.relay;
    case 'mailbox':
      return words.way.mailbox;
  }
  if (path.stage !== '') return words.way.trying;
  const left = ms(path.nextTry) - now;
  if (!isTried(path)) return words.way.why;
  return left > soon ? words.way.again(shortLeft(left)) : words.way.trying;
}

/** waitingLine is said under one's own newest message while nobody but this node has it; empty: what is said anyway will do. */
export function waitingLine(path: Path | undefined): string {
  if (path === undefined) return '';
  const who = nameOf(path.person);
  switch (wayOf(path)) {
    case 'none':
      return isTried(path) ? words.way.waitsOff(who) : path.sentence === '' ? '' : words.way.waits(oneLine(path.sentence));
    case 'mailbox':
      return words.way.waits(oneLine(path.sentence));
  }
  return ''; // they are here, so that it comes at once
}

/** parted gives friends, and whoever is to be one, apart from the members of groups who are neither. */
export function parted(paths: readonly Path[], friends: ReadonlyMap<string, Friend>): { friends: Path[]; others: Path[] } {
  const known = (p: Path) => p.person?.friend || (friends.get(p.person?.id ?? '')?.state ?? FriendState.BLOCKED) !== FriendState.BLOCKED;
  return { friends: paths.filter(known), others: paths.filter((p) => !known(p)) };
}

/** askAfter is in how many ms those watched may be reached otherwise without an event that tells of it; Infinity: never. */
export function askAfter(paths: readonly Path[], now: number, least: number): number {
  let after = Infinity;
  for (const path of paths) {
    if (path.stage !== '') after = least; // a try takes seconds, and its end is no event
    else if (path.nextTry > 0n) after = Math.min(after, ms(path.nextTry) - now + settle);
  }
  return Math.min(Math.max(after, least), after === Infinity ? Infinity : longest);
}

const soon = 5000; // ms: what comes sooner is not counted down in a line
const settle = 300; // ms after a try was due, until it has begun
const longest = 60_000; // ms: the clock of the browser may be another machine's
