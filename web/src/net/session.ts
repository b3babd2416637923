// The session of this browser: a token that the node gave for a login code.
//
// It lies in sessionStorage under a name that holds the port, so that another
// program that later gets the port finds nothing of ours it could be handed,
// and travels to a second tab only when that tab asks.

const place = `kith.token.${location.port}`;
/** Set once somebody locked this tab: it does not ask the others then. */
const lockPlace = 'kith.locked';
const talk = 'kith.session';
/** How long a new tab waits for another one to answer, in milliseconds. */
const patience = 400;

interface Asked {
  kind: 'who-has-a-token';
}
interface Told {
  kind: 'token';
  token: string;
}

/** takeCode reads the login code out of the address and removes it from there. */
export function takeCode(): string {
  const code = codeIn(location.hash);
  if (code !== '') history.replaceState(null, '', location.pathname + location.search);
  return code;
}

/** codeIn finds a login code in a fragment: #code=CODE, #login=CODE or #CODE. */
export function codeIn(fragment: string): string {
  const found = /^#(?:\/?(?:code|login)[=/])?([A-Za-z0-9_-]{16,128})$/.exec(fragment);
  return found?.[1] ?? '';
}

export function keepToken(token: string): void {
  sessionStorage.removeItem(lockPlace);
  sessionStorage.setItem(place, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(place);
}

/** lockTab forgets the token, and does not take one from another tab either. */
export function lockTab(): void {
  forgetToken();
  sessionStorage.setItem(lockPlace, 'yes');
}

/** ownToken is the token of this tab; empty: it has none. */
export function ownToken(): string {
  return sessionStorage.getItem(place) ?? '';
}

/** findToken looks here, then asks the other tabs; empty if nobody has one. */
export async function findToken(): Promise<string> {
  const own = ownToken();
  if (own !== '') return own;
  return sessionStorage.getItem(lockPlace) === null ? askOtherTabs() : '';
}

/** answerOtherTabs gives the token to tabs of this origin that ask. */
export function answerOtherTabs(): void {
  if (typeof BroadcastChannel === 'undefined') return;
  const channel = new BroadcastChannel(talk);
  channel.onmessage = ({ data }: MessageEvent<Asked | Told>) => {
    const token = ownToken();
    if (data.kind === 'who-has-a-token' && token !== '') channel.postMessage({ kind: 'token', token } satisfies Told);
  };
}

function askOtherTabs(): Promise<string> {
  if (typeof BroadcastChannel === 'undefined') return Promise.resolve('');
  const channel = new BroadcastChannel(talk);
  return new Promise((resolve) => {
    const end = (token: string) => {
      clearTimeout(timer);
      channel.close();
      resolve(token);
    };
    const timer = setTimeout(() => end(''), patience);
    channel.onmessage = ({ data }: MessageEvent<Asked | Told>) => {
      if (data.kind === 'token') end(data.token);
    };
    channel.postMessage({ kind: 'who-has-a-token' } satisfies Asked);
  });
}
