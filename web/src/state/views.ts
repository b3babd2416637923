// What the screens ask of the store: sorted, filtered, named.
import { ChatKind, ChatState, FriendState, MessageState, Role, type Chat, type Friend, type Member, type Message, type Person } from '../gen/kith/v1/kith_pb';
import { words } from '../lib/words';
import { oneLine } from '../lib/text';
import { ms } from '../lib/time';

/** More of a message than fits into the list on any screen, in UTF-16 units. */
const previewLength = 300;

export function nameOf(person: Person | undefined, asYou = true): string {
  if (person?.me && asYou) return words.you;
  return (oneLine(person?.name ?? '') || words.somebody) + besideAlike(person);
}

/** besideAlike is the beginning of an id, to stand beside a name that looks like somebody else’s. */
function besideAlike(person: Person | undefined): string {
  return person?.alike ? ` (${person.alike})` : '';
}

export function titleOf(chat: Chat): string {
  if (chat.kind === ChatKind.NOTES) return words.chats.notes;
  const other = chat.kind === ChatKind.DIRECT ? otherOf(chat) : undefined;
  return (oneLine(chat.title) || words.unnamed) + besideAlike(other);
}

export interface Face {
  id: string;
  name: string;
  kind: 'person' | 'group' | 'notes';
}

/** faceOf is what stands for a chat: of a direct one, the other person. */
export function faceOf(chat: Chat): Face {
  const name = titleOf(chat);
  if (chat.kind === ChatKind.NOTES) return { id: chat.id, name, kind: 'notes' };
  if (chat.kind === ChatKind.GROUP) return { id: chat.id, name, kind: 'group' };
  return { id: otherOf(chat)?.id ?? chat.id, name, kind: 'person' };
}

/** otherOf is whom a direct chat is with. */
export function otherOf(chat: Chat): Person | undefined {
  return chat.members.find((m) => !m.person?.me)?.person;
}

/** Invitations first, then whatever changed last. */
export function sortedChats(chats: Iterable<Chat>): Chat[] {
  const rank = (chat: Chat) => (chat.state === ChatState.INVITED ? 0 : 1);
  return [...chats].filter((c) => c.state !== ChatState.DECLINED).sort((a, b) => rank(a) - rank(b) || ms(b.changedAt) - ms(a.changedAt) || (a.id < b.id ? -1 : 1));
}

/** previewOf is the second line of a chat in the list. */
export function previewOf(chat: Chat, me: string): string {
  switch (chat.state) {
    case ChatState.INVITED:
      return words.chats.invited(nameOf(chat.invitedBy));
    case ChatState.REMOVED:
      return chat.removedBy?.me ? words.chats.revoked : words.chats.removed(nameOf(chat.removedBy));
    case ChatState.LEFT:
      return words.chats.left;
    case ChatState.LEAVING:
      return words.chats.leaving;
    case ChatState.NEWER:
      return words.chats.newer;
  }
  const newest = chat.newest;
  if (newest === undefined) return chat.kind === ChatKind.NOTES ? words.chats.notesHint : words.chats.nothingYet;
  const text = newest.state === MessageState.DAMAGED ? words.chats.damaged : newest.state === MessageState.DELETED ? words.chat.deleted : newest.state === MessageState.OVER ? words.lifetime.over : newest.state >= MessageState.UNREADABLE ? words.chats.unreadable : oneLine(newest.text.slice(0, previewLength));
  if (newest.state === MessageState.OVER) return text;
  if (newest.lifetime !== undefined) return words.lifetime.line(nameOf(newest.author), newest.lifetime.seconds);
  if (newest.author?.id === me) return chat.kind === ChatKind.NOTES ? text : words.chats.by(words.you, text);
  return chat.kind === ChatKind.GROUP ? words.chats.by(nameOf(newest.author), text) : text;
}

export function canWrite(chat: Chat): boolean {
  return chat.state === ChatState.ACTIVE;
}

export function hasEnded(chat: Chat): boolean {
  return chat.state === ChatState.LEFT || chat.state === ChatState.REMOVED || chat.state === ChatState.DECLINED;
}

export function isAdmin(chat: Chat): boolean {
  return chat.myRole === Role.ADMIN;
}

/** Me first, then admins, then by name. */
export function sortedMembers(members: readonly Member[]): Member[] {
  const rank = (m: Member) => (m.person?.me ? 0 : !m.accepted ? 3 : m.role === Role.ADMIN ? 1 : 2);
  return [...members].sort((a, b) => rank(a) - rank(b) || nameOf(a.person).localeCompare(nameOf(b.person)));
}

/** keptLine is said under the newest message where that is one's own and nobody else has it. */
export function keptLine(chat: Chat, newest: Message | undefined, online: boolean): string {
  if (!newest?.author?.me || newest.reachOf === 0 || newest.reached > 0 || (online && chat.connected > 0)) return '';
  return keptSentence(chat);
}

function keptSentence(chat: Chat): string {
  const others = chat.members.filter((m) => !m.person?.me);
  const { keptDirect, keptGroup, boxedDirect, boxedGroup, boxedSoon } = words.chat;
  if (chat.mailboxDue) return boxedSoon;
  if (others.length === 1) return (chat.mailbox ? boxedDirect : keptDirect)(nameOf(others[0]!.person));
  return chat.mailbox ? boxedGroup : keptGroup;
}

/** noticeOf is what stands above the messages. That some are kept is not said where it stands under the newest, or while they are on their way. */
export function noticeOf(chat: Chat, online: boolean): string {
  if (chat.state !== ChatState.ACTIVE) return '';
  const said = (online && chat.connected > 0) || keptLine(chat, chat.newest, online) !== '';
  return said && chat.notice === keptSentence(chat) ? '' : oneLine(chat.notice);
}

/** fetchedOf is how much is here of what was said before one came, 0 to 1, while the notice tells of it and it is known how much there is. */
export function fetchedOf(chat: Chat): number | undefined {
  const { earlier } = chat;
  return earlier === undefined || earlier.whole || earlier.sentence !== chat.notice || earlier.have === 0 || earlier.of === 0 ? undefined : Math.min(1, earlier.have / earlier.of);
}

/** named gives those in whose name each word typed is found, whatever its marks and letters' case. */
export function named<M extends { person?: Person }>(members: readonly M[], typed: string): readonly M[] {
  const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
  const wanted = plain(typed).split(/\s+/).filter((word) => word !== '');
  return wanted.length === 0 ? members : members.filter((m) => wanted.every((word) => plain(nameOf(m.person)).includes(word)));
}

/** Leaving needs a successor if nobody else could admit or remove afterwards. */
export function needsSuccessor(chat: Chat): boolean {
  const others = chat.members.filter((m) => !m.person?.me && m.accepted);
  return isAdmin(chat) && others.length > 0 && !others.some((m) => m.role === Role.ADMIN);
}

export function sortedFriends(friends: Iterable<Friend>, state: FriendState): Friend[] {
  return [...friends].filter((f) => f.state === state).sort((a, b) => nameOf(a.person).localeCompare(nameOf(b.person)));
}

/** pronounceable groups of five digits, as the two compare them. */
export function inGroups(digits: string): string[] {
  return digits.replace(/\s+/g, '').match(/.{1,5}/g) ?? [];
}

/** Two letters at most, for the round picture of somebody without one; none of an id beside the name. */
export function initialsOf(name: string): string {
  const parts = name.trim().replace(/ \([0-9a-f]{8}\)$/, '').replace(/^“(.*)”$/, '$1').split(/\s+/).filter((p) => p !== '');
  const first = [...(parts[0] ?? '')][0] ?? '';
  const last = parts.length > 1 ? ([...(parts.at(-1) ?? '')][0] ?? '') : '';
  return (first + last).toLocaleUpperCase();
}

/** One of eight colours, the same everywhere for one id. */
export function tintOf(id: string): number {
  let sum = 0;
  for (let i = 0; i < id.length; i++) sum = (sum * 31 + id.charCodeAt(i)) >>> 0;
  return sum % 8;
}
