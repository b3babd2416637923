// How the changes of a group are drawn: newest first, one row each, in the lane
// that the node gave it. Lane 0 is what counts; what was undone stands beside it.
import { ChangeKind, type Block, type Person } from '../gen/kith/v1/kith_pb';

export interface LaneRow {
  block: Block;
  lane: number;
  up: boolean; // its line goes on above, to what was built on it
  down: boolean; // and below, to what it was built on
  through: readonly number[]; // lanes that pass by
  joins: readonly number[]; // lanes that begin here and go up
}

/** laneRows lays out blocks that the node sent, oldest first. */
export function laneRows(blocks: readonly Block[]): LaneRow[] {
  const byHash = new Map(blocks.map((b) => [b.hash, b]));
  const parting = new Map<string, number[]>(); // by parent: lanes of branches that begin on it
  for (const block of blocks) {
    const parent = byHash.get(block.parent);
    if (parent !== undefined && parent.lane !== block.lane) parting.set(parent.hash, [...(parting.get(parent.hash) ?? []), block.lane]);
  }
  const order = [...blocks].sort((a, b) => (a.height === b.height ? a.lane - b.lane : a.height < b.height ? 1 : -1));
  const open = new Set<number>(); // lanes whose line comes from above
  return order.map((block) => {
    const up = open.has(block.lane);
    const joins = parting.get(block.hash) ?? [];
    for (const lane of [block.lane, ...joins]) open.delete(lane);
    const through = [...open].sort((a, b) => a - b);
    const down = byHash.has(block.parent);
    if (down) open.add(block.lane);
    return { block, lane: block.lane, up, down, through, joins };
  });
}

/** laneCount is how many lanes there are. */
export function laneCount(blocks: readonly Block[]): number {
  return blocks.reduce((most, b) => Math.max(most, b.lane + 1), 1);
}

/** membersAsOf is who was in the group after the block of the chain at a height. */
export function membersAsOf(blocks: readonly Block[], height: bigint): Person[] {
  const members = new Map<string, Person>();
  for (const block of blocks) {
    if (!block.onChain || block.height > height) continue;
    for (const change of block.changes) {
      const who = change.kind === ChangeKind.CREATED ? block.author : change.subject;
      if (who === undefined) continue;
      if (change.kind === ChangeKind.CREATED || change.kind === ChangeKind.ADDED) members.set(who.id, who);
      if (change.kind === ChangeKind.REMOVED || change.kind === ChangeKind.LEFT) members.delete(who.id);
    }
  }
  return [...members.values()];
}
