// The texts of the lock of the home, loaded with its screens.

export const lockWords = {
  title: 'Kith is locked.',
  lead: 'Until you open it nothing is received. Others keep what they have for you.',
  passphrase: 'Passphrase',
  open: 'Open',
  opening: 'Opening',
  hint: 'There is no way around a forgotten passphrase. In a terminal: kith unlock',

  none: 'This home has no passphrase: whoever has its folder reads everything.',
  noneHint: 'With one, the folder alone tells no names and no texts, and Kith can be locked. There is no way around a forgotten passphrase.',
  set: 'Set passphrase',
  has: 'This home opens by your passphrase alone.',
  change: 'Change passphrase',
  remove: 'Take it off',
  removeHint: 'Then the key lies beside the database again, for whoever has the folder.',
  now: 'Passphrase now',
  next: 'New passphrase',
  again: 'New passphrase once more',
  differ: 'The two are not the same, and nothing was changed.',
  done: 'Done. A copy of the folder that was made before opens as it did then.',
  copied: 'A copy of the folder that was made before opens by the passphrase of then. A second passphrase that wipes this home is chosen in a terminal: kith passphrase duress',

  lock: 'Lock Kith now',
  lockHint: 'Closes the database and forgets its key, here and in every other window. Nothing is received until you open it again.',
  after: 'Lock Kith when I am away',
  afterHint: 'So long after you last clicked, scrolled or typed on this page, or typed a command. While it is locked nothing is received.',
  minutes: [
    { value: 0, label: 'Never' },
    { value: 5, label: '5 minutes' },
    { value: 15, label: '15 minutes' },
    { value: 60, label: '1 hour' },
  ],
} as const;
