// The membership of a group by days, newest first.
import { ChangeKind, type Block } from '../gen/kith/v1/kith_pb';

export interface HistoryDay {
  time: number; // of its first block shown, milliseconds since 1970
  blocks: Block[];
  earlier: Map<string, Block[]>; // by hash of one of blocks: the renames in a row by its author that it ended, newest first
}

/** daysOf drops what only changes keys: nobody came or went. */
export function daysOf(blocks: readonly Block[]): HistoryDay[] {
  const days: HistoryDay[] = [];
  let today = '';
  for (const block of [...blocks].reverse()) {
    if (block.changes.every((c) => c.kind === ChangeKind.REKEYED)) continue;
    const time = Number(block.createdAt);
    const day = new Date(time).toDateString();
    if (day !== today) days.push({ time, blocks: [], earlier: new Map() });
    today = day;
    const { blocks: shown, earlier } = days.at(-1)!;
    const above = shown.at(-1);
    if (above !== undefined && renames(above) && renames(block) && above.author?.id === block.author?.id) {
      earlier.set(above.hash, [...(earlier.get(above.hash) ?? []), block]);
    } else {
      shown.push(block);
    }
  }
  return days;
}

function renames(block: Block): boolean {
  return block.onChain && block.signatureValid && block.changes.every((c) => c.kind === ChangeKind.TITLE);
}
