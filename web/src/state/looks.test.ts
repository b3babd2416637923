import { describe, expect, it } from 'vitest';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { SpanSchema } from '../gen/kith/v1/kith_pb';
import { looksOf, passagesOf } from './looks';
import { folded } from './timeline';

const read = (...list: MessageInitShape<typeof SpanSchema>[]) => list.map((span) => create(SpanSchema, span));

describe('looksOf', () => {
  it('keeps what the program has read', () => {
    const spans = looksOf('a b c Ann', read({ text: 'a ' }, { text: 'b', bold: true }, { text: ' c ' }, { text: '@Ann', person: 'ff' }));
    expect(spans.map((s) => [s.text, s.look?.bold ?? false, s.look?.person ?? ''])).toEqual([
      ['a ', false, ''],
      ['b', true, ''],
      [' c ', false, ''],
      ['@Ann', false, 'ff'],
    ]);
  });

  it('makes links of running text, and none of code', () => {
    const spans = looksOf('', read({ text: 'see ' }, { text: 'https://a.example/', bold: true }, { text: ' https://b.example/', code: true }));
    expect(spans.map((s) => s.href)).toEqual(['', 'https://a.example/', '']);
    expect(spans[1]?.look?.bold).toBe(true);
  });

  it('shows no control character, in code neither', () => {
    expect(looksOf('', read({ text: 'a\u202eb', code: true }))[0]?.text).toBe('a\uFFFDb');
  });

  it('is the text itself where nothing was read', () => {
    expect(looksOf('**a**', [])).toEqual([{ text: '**a**', href: '' }]);
  });
});

describe('passagesOf', () => {
  it('puts a quote together, without its last line break', () => {
    const list = passagesOf(looksOf('', read({ text: 'so:\n' }, { text: 'one ', quote: true }, { text: 'two\n', quote: true, bold: true }, { text: 'no' })));
    expect(list.map((p) => [p.kind, p.spans.map((s) => s.text)])).toEqual([
      ['', ['so:\n']],
      ['quote', ['one ', 'two']],
      ['', ['no']],
    ]);
  });

  it('begins right after a block of code', () => {
    const list = passagesOf(looksOf('', read({ text: 'x = 1', code: true, block: true }, { text: '\nso' })));
    expect(list.map((p) => [p.kind, p.spans.map((s) => s.text)])).toEqual([
      ['code', ['x = 1']],
      ['', ['so']],
    ]);
  });

  it('keeps the look of what is folded', () => {
    const beginning = folded(looksOf('', read({ text: 'word '.repeat(1000), bold: true })));
    expect(beginning?.[0]?.look?.bold).toBe(true);
  });
});
