import { describe, expect, it } from 'vitest';
import { advance, nowhere, pause } from './resume';

const hello = { case: undefined };
const change = { case: 'message' };

describe('advance', () => {
  it('begins where the stream begins', () => {
    expect(advance(nowhere, { seq: 7n, run: 'r', change: hello })).toEqual({ place: { seq: 7n, run: 'r' }, reset: false });
  });

  it('follows the changes', () => {
    expect(advance({ seq: 7n, run: 'r' }, { seq: 8n, run: 'r', change })).toEqual({ place: { seq: 8n, run: 'r' }, reset: false });
  });

  it('does not skip what lies between when it resumes', () => {
    expect(advance({ seq: 7n, run: 'r' }, { seq: 20n, run: 'r', change: hello }).place.seq).toBe(7n);
  });

  it('never goes back', () => {
    expect(advance({ seq: 7n, run: 'r' }, { seq: 3n, run: 'r', change }).place.seq).toBe(7n);
  });

  it('loads everything anew after a reset and in another life of the node', () => {
    expect(advance({ seq: 7n, run: 'r' }, { seq: 9n, run: 'r', change: { case: 'reset' } })).toEqual({ place: { seq: 9n, run: 'r' }, reset: true });
    expect(advance({ seq: 7n, run: 'r' }, { seq: 1n, run: 'other', change: hello })).toEqual({ place: { seq: 1n, run: 'other' }, reset: true });
  });
});

describe('pause', () => {
  it('doubles up to eight seconds', () => {
    expect([0, 1, 2, 5, 50].map(pause)).toEqual([250, 500, 1000, 8000, 8000]);
  });
});
