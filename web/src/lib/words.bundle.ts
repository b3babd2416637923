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
  return title === '' ? parts.join(' and ') : `${parts.join(' and ')} in ${title}`;
}

/** inBundle says what is in a file, as the command line does. */
export function inBundle(chats: readonly BundleChat[] = []): string {
  const telling = chats.filter((c) => c.invitation || c.messages || c.changes);
  return telling.length === 0 ? 'no new messages, only the word of which arrived' : telling.map(ofChat).join('; ');
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
  show: 'Show for a camera',
  tooMuch: (size: string, most: string) => `That is ${size}, and a camera reads at most ${most}. Save the file instead.`,
  shown: (what: string, count: number) =>
    `${what}, in ${number(count, 'picture', 'pictures')}. They hold their camera before ${count === 1 ? 'it' : 'them'}, in Settings, Network, Read from a camera.`,
  code: 'A QR code for the other’s camera',
  pause: 'Pause',
  goOn: 'Go on',
  back: 'Back',

  take: 'Files from others',
  takeHint: 'Where there is no network, what is new comes as a file: in a chat’s details, Carry by file. To take one twice, or an old one, changes nothing.',
  choose: 'Take in a file',
  byCamera: 'Read from a camera',
  camera: 'What the camera sees',
  aim: 'Hold the camera before the other’s pictures: a chat’s details, Carry by file, Show for a camera.',
  stop: 'Stop',
  seen: (have: number, count: number) => `${have} of ${number(count, 'picture', 'pictures')} read.`,
  noCamera: (name: string) => {
    if (name === 'NotAllowedError') return 'The browser does not let this page use the camera. Allow it beside the page’s address, or take in a file.';
    if (name === 'NotFoundError') return 'There is no camera here. Take in a file instead.';
    return 'The camera cannot be used, perhaps since another program has it. Close that one, or take in a file.';
  },
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
