import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { BlockSchema, ChangeKind, type Block } from '../gen/kith/v1/kith_pb';
import { laneCount, laneRows, membersAsOf } from './lanes';

function block(hash: string, parent: string, height: number, lane: number, more: Exclude<MessageInitShape<typeof BlockSchema>, Block> = {}): Block {
  return create(BlockSchema, { hash, parent, height: BigInt(height), lane, onChain: lane === 0, author: { id: 'ann' }, ...more });
}

/** One line a row, a letter a lane: the block, | a line that passes, / where a branch begins, . nothing. */
function picture(blocks: Block[]): string[] {
  return laneRows(blocks).map((row) => {
    const cells = Array.from({ length: laneCount(blocks) }, (_, lane): string => (row.through.includes(lane) ? '|' : row.joins.includes(lane) ? '/' : '.'));
    cells[row.lane] = row.block.hash;
    return `${cells.join('')} ${row.up ? '^' : '-'}${row.down ? 'v' : '-'}`;
  });
}

describe('laneRows', () => {
  it('draws one line without a fork', () => {
    expect(picture([block('g', '', 0, 0), block('a', 'g', 1, 0), block('b', 'a', 2, 0)])).toEqual(['b -v', 'a ^v', 'g ^-']);
  });

  it('lets branches begin where they part, and lanes end there', () => {
    const blocks = [block('g', '', 0, 0), block('a', 'g', 1, 0), block('x', 'g', 1, 1), block('b', 'a', 2, 0), block('y', 'x', 2, 1), block('z', 'x', 2, 2), block('c', 'b', 3, 0)];
    expect(picture(blocks)).toEqual(['c.. -v', 'b.. ^v', '|y. -v', '||z -v', 'a|| ^v', '|x/ ^v', 'g/. ^-']);
  });

  it('uses a lane again', () => {
    const blocks = [block('g', '', 0, 0), block('a', 'g', 1, 0), block('x', 'g', 1, 1), block('b', 'a', 2, 0), block('c', 'b', 3, 0), block('y', 'b', 3, 1)];
    expect(picture(blocks)).toEqual(['c. -v', '|y -v', 'b/ ^v', 'a. ^v', '|x -v', 'g/ ^-']);
  });

  it('does without a block that is not there', () => {
    expect(picture([block('a', 'gone', 4, 0), block('b', 'a', 5, 0)])).toEqual(['b -v', 'a ^-']);
    expect(laneRows([])).toEqual([]);
  });
});

describe('membersAsOf', () => {
  const ben = { id: 'ben', name: 'Ben' };
  const blocks = [
    block('g', '', 0, 0, { changes: [{ kind: ChangeKind.CREATED }, { kind: ChangeKind.ADDED, subject: ben }] }),
    block('a', 'g', 1, 0, { changes: [{ kind: ChangeKind.REMOVED, subject: ben }] }),
    block('x', 'g', 1, 1, { changes: [{ kind: ChangeKind.ADDED, subject: { id: 'eve' } }] }),
    block('b', 'a', 2, 0, { changes: [{ kind: ChangeKind.ADDED, subject: { id: 'cleo' } }, { kind: ChangeKind.LEFT, subject: { id: 'ann' } }] }),
  ];
  it('follows the chain alone', () => {
    expect([0n, 1n, 2n].map((height) => membersAsOf(blocks, height).map((p) => p.id))).toEqual([['ann', 'ben'], ['ann'], ['cleo']]);
  });
});
