import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { MessageSchema, type Message } from '../gen/kith/v1/kith_pb';
import { pinsAfter } from './pins';

const message = (id: string, pinned: boolean, text = id) => create(MessageSchema, { id, cursor: id, text, ...(pinned ? { pinnedBy: { id: 'ann' } } : {}) } as Exclude<MessageInitShape<typeof MessageSchema>, Message>);

describe('pinsAfter', () => {
  const pins = [message('b', true), message('a', true)];
  const ids = (list: readonly Message[]) => list.map((m) => m.id).join('');

  it('puts what is pinned now first', () => expect(ids(pinsAfter(pins, message('c', true)))).toBe('cba'));
  it('lets go what is not pinned any more', () => expect(ids(pinsAfter(pins, message('b', false)))).toBe('a'));
  it('leaves the list as it is for all others', () => expect(pinsAfter(pins, message('c', false))).toBe(pins));
  it('shows another text in its place', () => expect(pinsAfter(pins, message('a', true, 'new')).map((m) => m.text)).toEqual(['b', 'new']));
});
