// What waits to be sent while the node is away, kept in this browser across tabs
// and sealed by a key that the node alone keeps: whoever finds the browser's
// profile reads nothing. The page has the key in memory, from the node, and so
// shows and sends what is kept once the node has answered it.
import type { Draftling } from '../state/timeline';

const prefix = 'kith.outbox.';
const ivSize = 12; // bytes, of AES-GCM
const oldPlace = 'kith.outbox'; // in sessionStorage, of a page before this one, unsealed

/** countSealed is how many wait, of whatever home: no key is needed for that. */
export function countSealed(): number {
  return places().length + readOld().length;
}

export class Box {
  #key: CryptoKey;
  #gone = new Set<string>(); // also while they are still being sealed

  private constructor(key: CryptoKey) {
    this.#key = key;
  }

  static async open(key: Uint8Array): Promise<Box> {
    return new Box(await crypto.subtle.importKey('raw', new Uint8Array(key), 'AES-GCM', false, ['encrypt', 'decrypt']));
  }

  /** put is true once it lies there: it outlives the page from then on. */
  async put(draftling: Draftling): Promise<boolean> {
    const { clientId } = draftling;
    const iv = crypto.getRandomValues(new Uint8Array(ivSize));
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bytes(clientId) }, this.#key, bytes(JSON.stringify(draftling)));
    if (this.#gone.has(clientId)) return false;
    try {
      localStorage.setItem(prefix + clientId, encode(new Uint8Array([...iv, ...new Uint8Array(sealed)])));
      return true;
    } catch {
      return false; // the browser's storage is full: it waits in memory alone
    }
  }

  drop(clientId: string): void {
    this.#gone.add(clientId);
    localStorage.removeItem(prefix + clientId);
  }

  /** all is what can be read: what another home left at this address stays as it is. */
  async all(): Promise<Draftling[]> {
    const kept = await Promise.all(places().map((place) => this.#read(place)));
    const old = readOld();
    for (const draftling of old) await this.put(draftling);
    sessionStorage.removeItem(oldPlace);
    return [...kept.filter((d) => d !== undefined), ...old].filter((d) => !this.#gone.has(d.clientId)).sort((a, b) => a.time - b.time);
  }

  async #read(place: string): Promise<Draftling | undefined> {
    try {
      const sealed = decode(localStorage.getItem(place) ?? '');
      const plain = await crypto.subtle.decrypt(
        { name: 'AES-GCM', iv: sealed.slice(0, ivSize), additionalData: bytes(place.slice(prefix.length)) },
        this.#key,
        sealed.slice(ivSize),
      );
      const value: unknown = JSON.parse(new TextDecoder().decode(plain));
      return isDraftling(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }
}

/** onDropped hears of what another tab has sent, or discarded. */
export function onDropped(hear: (clientId: string) => void): void {
  addEventListener('storage', ({ key, newValue }) => {
    if (newValue === null && key?.startsWith(prefix)) hear(key.slice(prefix.length));
  });
}

function places(): string[] {
  return Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? '').filter((key) => key.startsWith(prefix));
}

function readOld(): Draftling[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(oldPlace) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isDraftling) : [];
  } catch {
    return [];
  }
}

function isDraftling(value: unknown): value is Draftling {
  const d = value as Draftling | null;
  return typeof d?.clientId === 'string' && typeof d.chatId === 'string' && typeof d.text === 'string' && typeof d.time === 'number' && typeof d.failed === 'string' && (d.quote === undefined || typeof d.quote.cursor === 'string');
}

const bytes = (text: string) => new TextEncoder().encode(text);

function encode(list: Uint8Array): string {
  return btoa(Array.from(list, (b) => String.fromCharCode(b)).join(''));
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
