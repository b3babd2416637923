import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { BlockSchema, ChangeKind, ChatKind, ChatSchema, ChatState, MessageState, PersonSchema, Role, type Chat } from '../gen/kith/v1/kith_pb';
import { daysOf } from './history';
import { find } from './finder';
import { faceOf, fetchedOf, inGroups, initialsOf, keptLine, named, nameOf, needsSuccessor, noticeOf, previewOf, sortedChats, sortedMembers, tintOf } from './views';

type ChatInit = Exclude<MessageInitShape<typeof ChatSchema>, Chat>;
const chat = (init: ChatInit): Chat => create(ChatSchema, { kind: ChatKind.GROUP, state: ChatState.ACTIVE, ...init });
const me = { person: { id: 'ann', name: 'Ann', me: true }, role: Role.ADMIN, accepted: true };
const ben = { person: { id: 'ben', name: 'Ben' }, role: Role.MEMBER, accepted: true };

describe('sortedChats', () => {
  it('puts invitations first, then what changed last, and hides what was declined', () => {
    const chats = [
      chat({ id: 'old', changedAt: 1n }),
      chat({ id: 'new', changedAt: 9n }),
      chat({ id: 'invited', changedAt: 0n, state: ChatState.INVITED }),
      chat({ id: 'no', state: ChatState.DECLINED }),
    ];
    expect(sortedChats(chats).map((c) => c.id)).toEqual(['invited', 'new', 'old']);
  });
});

describe('previewOf', () => {
  const newest = (by: string, state = MessageState.SHOWN) => ({ author: { id: by, name: 'Ben' }, text: 'hello', state });
  const cases: [string, ChatInit, string][] = [
    ['mine', { newest: newest('ann') }, 'You: hello'],
    ['in a group', { newest: newest('ben') }, 'Ben: hello'],
    ['in a direct chat', { kind: ChatKind.DIRECT, newest: newest('ben') }, 'hello'],
    ['in my notes', { kind: ChatKind.NOTES, newest: newest('ann') }, 'hello'],
    ['damaged', { kind: ChatKind.DIRECT, newest: newest('ben', MessageState.DAMAGED) }, 'A message that arrived damaged'],
    ['removed', { state: ChatState.REMOVED, removedBy: { id: 'ben', name: 'Ben' }, newest: newest('ben') }, 'Ben removed you'],
    ['revoked', { state: ChatState.REMOVED, removedBy: { id: 'ann', name: 'Ann', me: true }, newest: newest('ben') }, 'This device was revoked'],
    ['invited by nobody known', { state: ChatState.INVITED }, 'Somebody invites you'],
  ];
  it.each(cases)('%s', (_name, init, want) => expect(previewOf(chat(init), 'ann')).toBe(want));
});

describe('needsSuccessor', () => {
  it('holds for the last admin while others are there', () => {
    expect(needsSuccessor(chat({ myRole: Role.ADMIN, members: [me, ben] }))).toBe(true);
    expect(needsSuccessor(chat({ myRole: Role.ADMIN, members: [me, { ...ben, role: Role.ADMIN }] }))).toBe(false);
    expect(needsSuccessor(chat({ myRole: Role.ADMIN, members: [me, { ...ben, accepted: false }] }))).toBe(false);
    expect(needsSuccessor(chat({ myRole: Role.ADMIN, members: [me] }))).toBe(false);
    expect(needsSuccessor(chat({ myRole: Role.MEMBER, members: [me, ben] }))).toBe(false);
  });
});

describe('faces', () => {
  it('show the other person of a direct chat', () => {
    expect(faceOf(chat({ id: 'c', kind: ChatKind.DIRECT, title: 'Ben', members: [me, ben] }))).toEqual({ id: 'ben', name: 'Ben', kind: 'person' });
  });

  it('have the first letters of the name', () => {
    expect(['Ann', 'ann de vries', '  ', '漢字', '🌊 crew', '“you”'].map(initialsOf)).toEqual(['A', 'AV', '', '漢', '🌊C', 'Y']);
  });

  it('have the beginning of an id beside a name that looks like another’s, and no letter of it', () => {
    const ben = create(PersonSchema, { id: '3fa2b1c0d4', name: 'Ben Lee', alike: '3fa2b1c0' });
    expect(nameOf(ben)).toBe('Ben Lee (3fa2b1c0)');
    expect(initialsOf(nameOf(ben))).toBe('BL');
  });

  it('keep their colour', () => {
    expect(tintOf('abc')).toBe(tintOf('abc'));
    expect(tintOf('')).toBe(0);
  });

  it('stand in an order', () => {
    const cleo = { person: { id: 'cleo', name: 'Cleo' }, role: Role.ADMIN, accepted: true };
    const dan = { person: { id: 'dan', name: 'Dan' }, role: Role.MEMBER, accepted: false };
    expect(sortedMembers(chat({ members: [dan, ben, cleo, me] }).members).map((m) => m.person?.name)).toEqual(['Ann', 'Cleo', 'Ben', 'Dan']);
  });
});

describe('what is kept here', () => {
  const kept = 'Kept here. Ben gets it when their Kith and yours are on together.';
  const newest = { author: me.person, reached: 0, reachOf: 1 };
  const keptChat = (more: ChatInit) => chat({ members: [me, ben], newest, notice: kept, ...more });

  it('is said once, and not while it is on its way', () => {
    const said = (c: Chat, online: boolean) => [noticeOf(c, online), keptLine(c, c.newest, online)];
    expect(said(keptChat({}), true)).toEqual(['', kept]);
    expect(said(keptChat({ connected: 1 }), true)).toEqual(['', '']);
    expect(said(keptChat({ connected: 1 }), false)).toEqual(['', kept]);
    expect(said(keptChat({ newest: { author: ben.person } }), true)).toEqual([kept, '']);
    expect(said(keptChat({ newest: { ...newest, reached: 1 } }), true)).toEqual([kept, '']); // an earlier one is kept
    expect(said(keptChat({ notice: 'Something else.', connected: 1 }), true)).toEqual(['Something else.', '']);
    expect(said(keptChat({ state: ChatState.LEFT }), true)[0]).toBe('');
  });

  it('is said to wait in a mailbox where one is in use', () => {
    const boxed = 'Kept here. Ben gets it by the mailbox: their Kith and yours need not be on together.';
    const c = keptChat({ mailbox: true, notice: boxed });
    expect([noticeOf(c, true), keptLine(c, c.newest, true)]).toEqual(['', boxed]);
    const soon = keptChat({ mailbox: true, mailboxDue: true });
    expect(keptLine(soon, soon.newest, true)).toBe('Kept here, and not at the mailbox yet: leave this Kith on until it is.');
  });
});

describe('named', () => {
  it('finds every word typed, whatever its marks and case, and everybody where nothing is typed', () => {
    const { members } = chat({ members: ['João Schönbächler', 'Zoë Ito', 'Noor Nguyen'].map((name) => ({ person: { id: name, name } })) });
    const names = (typed: string) => named(members, typed).map((m) => m.person?.name);
    expect(names('JOAO schon')).toEqual(['João Schönbächler']);
    expect(names(' zoe ')).toEqual(['Zoë Ito']);
    expect(names('o')).toHaveLength(3);
    expect(names('ben')).toEqual([]);
    expect(named(members, ' ')).toBe(members);
  });
});

describe('inGroups', () => {
  it('makes groups of five', () => expect(inGroups('12345 67890 12')).toEqual(['12345', '67890', '12']));
});

describe('fetchedOf', () => {
  it('is told while the notice tells of it, and it is known how much there is', () => {
    const earlier = { have: 512, of: 1024, sentence: 'It is fetched.' };
    expect(fetchedOf(chat({ earlier, notice: 'It is fetched.' }))).toBe(0.5);
    expect(fetchedOf(chat({ earlier, notice: 'Kept here.' }))).toBeUndefined();
    expect(fetchedOf(chat({ earlier: { ...earlier, of: 0 }, notice: 'It is fetched.' }))).toBeUndefined();
    expect(fetchedOf(chat({ earlier: { ...earlier, whole: true }, notice: 'It is fetched.' }))).toBeUndefined();
    expect(fetchedOf(chat({}))).toBeUndefined();
  });
});

describe('find', () => {
  const offers = [
    { id: '1', section: 'Chats', label: 'Harbour crew' },
    { id: '2', section: 'Chats', label: 'Crew of the night' },
    { id: '3', section: 'To do', label: 'New group' },
  ];
  it('wants every word, in any order', () => {
    expect(find(offers, 'night crew').map((o) => o.id)).toEqual(['2']);
    expect(find(offers, 'crew').map((o) => o.id)).toEqual(['2', '1']);
    expect(find(offers, ' ').map((o) => o.id)).toEqual(['1', '2', '3']);
    expect(find(offers, 'zebra')).toEqual([]);
  });
});

describe('daysOf', () => {
  const block = (hash: string, day: number, kind = ChangeKind.ADDED) =>
    create(BlockSchema, { hash, createdAt: BigInt(new Date(2026, 4, day, 12).getTime()), changes: [{ kind, sentence: hash }] });

  it('goes back day by day and leaves out new keys', () => {
    const days = daysOf([block('a', 1), block('b', 1), block('keys', 2, ChangeKind.REKEYED), block('c', 3)]);
    expect(days.map((day) => day.blocks.map((b) => b.hash))).toEqual([['c'], ['b', 'a']]);
  });

  it('folds renames in a row by one person on one day', () => {
    const title = (hash: string, day: number, by: string) => ({ ...block(hash, day, ChangeKind.TITLE), author: { id: by }, onChain: true, signatureValid: true }) as ReturnType<typeof block>;
    const days = daysOf([title('a', 1, 'ann'), title('b', 2, 'ann'), title('c', 2, 'ann'), title('d', 2, 'ann'), title('e', 2, 'ben'), block('f', 2), title('g', 2, 'ben')]);
    expect(days.map((day) => day.blocks.map((b) => b.hash))).toEqual([['g', 'f', 'e', 'd'], ['a']]);
    expect(days[0]!.earlier.get('d')!.map((b) => b.hash)).toEqual(['c', 'b']);
  });
});
