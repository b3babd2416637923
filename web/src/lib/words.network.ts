// The texts of the screen of the network, loaded with it.
import { figure } from './phrases';

const units = (['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const).map((unit) => new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: unit === 'byte' ? 'long' : 'short', maximumSignificantDigits: 3 }));

/** size is how many bytes, in the unit in which it is at least one: 512 bytes, 1.5 MB. */
export function size(bytes: bigint): string {
  let [at, left] = [0, Number(bytes)];
  for (; left >= 999.5 && at < units.length - 1; at++) left /= 1000;
  return units[at]!.format(left);
}

export const networkWords = {
  asking: 'Asking how everybody is reached.',
  away: 'Kith is not running on this computer, so nobody is reached. Start it with kith run, and this goes on by itself.',

  addresses: 'Addresses that others are told',
  noAddresses: 'None yet.',
  external: (address: string, way: string) => `Others come in at ${address}${way === '' ? '' : ` (by ${way})`}.`,
  askRouter: 'Ask my router to let others in',

  people: 'How each person is reached',
  here: (here: number, of: number) => `${figure(here)} of ${figure(of)} here now`,
  find: 'Find somebody by name',
  nobody: 'Nobody here has that name.',
  none: 'There is nobody to be reached yet.',
  others: (count: number) => (count === 1 ? '1 member of your groups who is no friend' : `${figure(count)} members of your groups who are no friends`),
  since: (when: string) => `Since ${when}`,
  next: (left: string) => `Next try in ${left}`,
  nextNow: 'Next try now',
  stage: (stage: string, tries: number) => `${stage.charAt(0).toLocaleUpperCase()}${stage.slice(1)} (try ${figure(tries + 1)})`,
  waiting: (count: number, atMailbox: boolean) =>
    count === 1 ? `1 message ${atMailbox ? 'lies at the mailbox' : 'waits'}` : `${figure(count)} messages ${atMailbox ? 'lie at the mailbox' : 'wait'}`,

  // The picture of a path.
  you: 'You',
  hops: { near: 'Nearby', router: 'Router', relay: 'Relay', mailbox: 'Mailbox' },
  spoken: { near: 'the same network', router: 'your router', relay: 'a relay', mailbox: 'a mailbox' },
  spokenBy: (by: string) => `the relay of ${by}`,
  path: (between: readonly string[], who: string, state: string) => `From this computer${between.map((hop) => `, over ${hop}`).join('')}, to ${who}: ${state}`,
  states: { reached: 'connected', left: 'by way of the mailbox', trying: 'being tried', none: 'not connected' },

  ways: 'Ways to reach others',
  relay: 'Carry for friends who cannot be reached',
  carrying: (reserved: number, circuits: number) => `${reserved === 1 ? '1 computer is' : `${figure(reserved)} computers are`} reached through yours, ${circuits === 1 ? '1 pair talks' : `${figure(circuits)} pairs talk`} through it now.`,
  carried: (bytes: bigint, most: bigint) => `${size(bytes)} carried since the start${most > 0n ? `, at most ${size(most)} a day` : ''}.`,
  rendezvous: 'Find friends again whose address has changed',
  published: (when: string) => `Your address was left there last: ${when}.`,
  found: (when: string) => `Somebody was found there last: ${when}.`,

  mailboxes: 'Mailboxes',
  mailboxHint: 'A mailbox keeps messages, sealed, for whoever is off. Anybody can run one, and whoever runs one for you gives you its address.',
  noMailbox: 'You use none: what you write reaches others when your Kith and theirs are on together.',
  quiet: 'Come at drawn times, so that it tells whoever runs it less; messages then take hours',
  address: 'Address of a mailbox',
  placeholder: 'kithbox:…',
  add: 'Add',
  remove: 'Remove',
  removeThis: (address: string) => `Remove the mailbox ${address}`,
  left: (count: number) => (count === 1 ? '1 message lies there that nobody has confirmed' : `${figure(count)} messages lie there that nobody has confirmed`),
  asked: (when: string) => `Last asked: ${when}`,
} as const;
