import { words } from '../lib/words';

export const settingsPages = [
  { id: 'me', title: words.settings.me },
  { id: 'devices', title: words.settings.devices },
  { id: 'look', title: words.settings.look },
  { id: 'privacy', title: words.settings.privacy },
  { id: 'lock', title: words.settings.lockTitle },
  { id: 'network', title: words.reach.title },
  { id: 'about', title: words.settings.about },
] as const;

export type SettingsPage = (typeof settingsPages)[number]['id'];
