// How a text looks: what its author made bold, quoted, or code, and whom it
// mentions, as the program has read it.
import type { Span as Read } from '../gen/kith/v1/kith_pb';
import { lines } from '../lib/text';
import { spansOf, type Span } from './timeline';

export type Look = Omit<Read, '$typeName' | '$unknown' | 'text' | 'link'>;

/** looksOf is the pieces of a text; without what the program has read, its web addresses alone. */
export function looksOf(text: string, read: readonly Read[]): Span[] {
  if (read.length === 0) return spansOf(text);
  return read.flatMap(({ text: said, bold, italic, struck, code, block, quote, person }) => {
    const pieces = code || person !== '' ? [{ text: lines(said), href: '' }] : spansOf(said);
    const plain = !bold && !italic && !struck && !code && !quote && person === '';
    return plain ? pieces : pieces.map((piece) => ({ ...piece, look: { bold, italic, struck, code, block, quote, person } }));
  });
}

export interface Passage {
  kind: '' | 'quote' | 'code'; // of lines of its own; empty: running text
  spans: Span[];
}

/**
 * passagesOf puts together what stands in one quote, or one block of code: lines
 * of their own, which need no line break at their end, nor after code.
 */
export function passagesOf(spans: readonly Span[]): Passage[] {
  const list: Passage[] = [];
  for (const span of spans) {
    const kind = span.look?.quote ? 'quote' : span.look?.block ? 'code' : '';
    const last = list.at(-1);
    if (last?.kind === kind) last.spans.push(span);
    else list.push({ kind, spans: [span] });
  }
  for (const [i, { kind, spans }] of list.entries()) {
    const [start, end] = [spans.at(0), spans.at(-1)];
    if (kind !== '' && end) spans[spans.length - 1] = { ...end, text: end.text.replace(/\n$/, '') };
    if (list[i - 1]?.kind === 'code' && start) spans[0] = { ...start, text: start.text.replace(/^\n/, '') };
  }
  return list;
}
