// Which screen is shown, kept in the fragment of the address: #/chats,
// #/chats/ID, #/chats/ID/details, #/people, #/people/meet, #/settings. A chat can
// be opened at a message: #/chats/ID/at/CURSOR, or with the drawer open
// #/chats/ID/find/CURSOR.
export type Section = 'chats' | 'people' | 'settings';

export interface Route {
  section: Section;
  item: string; // chat id, or the page within the section; empty: the list
  side: string; // what the drawer shows: details, history, chain, find; empty: closed
  at: string; // cursor of the message that is looked at; empty: none
  unknown: boolean; // nothing of the page goes by this address
}

const pages: Record<'people' | 'settings', readonly string[]> = {
  people: ['', 'meet'],
  settings: ['', 'me', 'devices', 'look', 'privacy', 'lock', 'network', 'about'],
};

export function parseRoute(fragment: string): Route {
  const [start, section = '', item = '', side = '', at = ''] = fragment.split('/');
  const nowhere: Route = { section: 'chats', item: '', side: '', at: '', unknown: start === '#' && section !== '' };
  switch (section) {
    case 'people':
    case 'settings':
      return pages[section].includes(item) ? { section, item, side: '', at: '', unknown: false } : nowhere;
    case 'chats':
      return { section, item, side: side === 'at' ? '' : side, at, unknown: false };
  }
  return nowhere;
}

export function hrefOf(section: Section, item = '', side = '', at = ''): string {
  return '#/' + [section, item, side, at].filter((part) => part !== '').join('/');
}

class Router {
  route = $state<Route>(parseRoute(location.hash));

  constructor() {
    addEventListener('hashchange', () => (this.route = parseRoute(location.hash)));
  }

  go(section: Section, item = '', side = ''): void {
    location.hash = hrefOf(section, item, side);
  }
}

export const router = new Router();
