// The texts of files that carry what is new, loaded with them.
import type { Bundle, BundleChat } from '../net/stream';
import { figure } from './phrases';
import { oneLine } from './text';

const number = (count: number, one: string, many: string) => (count === 1 ? `1 ${one}` : `${figure(count)} ${many}`);

function ofChat(c: BundleChat): string {
  const title = oneLine(c.title ?? '');
  if (c.invitation) return title === '' ? 'an invitation' : `an invitation to ${title}`;
  const parts: string[] = [];
  if (c.messages) parts.push(number(c.messages, 'message', 'messages'));
  if (c.changes) parts.push(number(c.changes, 'change of the membership', 'changes of the membership'));
  const text = parts.length === 0 ? 'what was confirmed' : parts.join(' and ');
  return title === '' ? text : `${text} in ${title}`;
}

/** inBundle says what is in a file, as the command line does. */
export function inBundle(chats: readonly BundleChat[] = []): string {
  const telling = chats.filter((c) => c.invitation || c.messages || c.changes);
  return (telling.length > 0 ? telling : chats).map(ofChat).join('; ');
}

export const bundleWords = {
  title: 'Carry by file',
  hint: (who: string) => `What ${who} does not have yet, in a file for a stick or an e-mail. Nobody else can open it.`,
  hintGroup: 'What the others in this chat do not have yet, in a file for a stick or an e-mail. Nobody else can open it.',
  all: 'All that was written, also what they have confirmed',
  save: 'Save the file',
  saved: (name: string, what: string, size: string) => `${name}: ${what}, in ${size}.`,
  nothing: 'There is nothing new for them. Tick the box to take all of it along.',
  then: 'They take it in under Settings, Network.',

  take: 'Files from others',
  takeHint: 'Where there is no network, what is new comes as a file: in a chat’s details, Carry by file. To take one twice, or an old one, changes nothing.',
  choose: 'Take in a file',
  drop: 'Let go to take it in',
  reading: (share: string) => `Reading, ${share}`,
  opening: 'Opening it.',
  tooLarge: (most: string) => `The page takes files of at most ${most}. A larger one: kith bundle import FILE.`,
  took: (who: string, when: string, bundle: Bundle) => {
    const head = `From ${who}, made ${when}: `;
    if (bundle.chats?.length) return `${head}${inBundle(bundle.chats)}.`;
    return bundle.others ? `${head}it is of chats that are not here. Join them first.` : `${head}all of it was here already.`;
  },
  invited: 'Answer the invitation under Chats, then take this file in again, for what was said there.',
} as const;
