// Which screen is shown, kept in the fragment of the address: #/chats,
// #/chats/ID, #/chats/ID/details, #/people, #/people/meet, #/settings.
export type Section = 'chats' | 'people' | 'settings';

export interface Route {
  section: Section;
  item: string; // chat id, or the page within the section; empty: the list
  side: string; // what the drawer shows: details, history; empty: closed
}

export function parseRoute(fragment: string): Route {
  const [, section = '', item = '', side = ''] = fragment.split('/');
  if (section === 'people' || section === 'settings') return { section, item, side: '' };
  if (section !== 'chats') return { section: 'chats', item: '', side: '' };
  return { section, item, side };
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
