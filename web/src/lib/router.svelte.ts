// Which screen is shown, kept in the fragment of the address: #/chats,
// #/chats/ID, #/chats/ID/details, #/people, #/people/meet, #/settings.
export type Section = 'chats' | 'people' | 'settings';

export interface Route {
  section: Section;
  item: string; // chat id, or the page within the section; empty: the list
  side: string; // what the drawer shows: details, history, chain; empty: closed
  unknown: boolean; // nothing of the page goes by this address
}

const pages: Record<'people' | 'settings', readonly string[]> = {
  people: ['', 'meet'],
  settings: ['', 'me', 'look', 'reach', 'about'],
};

export function parseRoute(fragment: string): Route {
  const [start, section = '', item = '', side = ''] = fragment.split('/');
  const nowhere: Route = { section: 'chats', item: '', side: '', unknown: start === '#' && section !== '' };
  switch (section) {
    case 'people':
    case 'settings':
      return pages[section].includes(item) ? { section, item, side: '', unknown: false } : nowhere;
    case 'chats':
      return { section, item, side, unknown: false };
  }
  return nowhere;
}

export function hrefOf(section: Section, item = '', side = ''): string {
  return '#/' + [section, item, side].filter((part) => part !== '').join('/');
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
