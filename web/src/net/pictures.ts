// A small bundle as a row of QR codes, shown again and again (docs/spec/bundle.md, "As pictures"):
//
//   size  field
//   2     "KQ"
//   1     version, 1
//   4     first bytes of the SHA-256 of the bundle
//   1     number of the last picture; there are at most 128
//   1     number of this one, from 0
//   ...   piece: 500 bytes, in the last one 1 to 500

const head = 9;

/** How much of a bundle is in one picture, in bytes: a code of 77 modules a side. */
const pieceSize = 500;

/** What a bundle may have to be shown so, in bytes. */
export const mostShown = 128 * pieceSize;

/** How often another picture is shown, in ms: no more than three flashes a second (WCAG 2.3.1). */
export const pace = 170;

async function nameOf(bundle: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bundle)).subarray(0, 4);
}

/** pictures returns what the codes of a bundle say, of 1 to mostShown bytes. */
export async function pictures(bundle: Uint8Array<ArrayBuffer>): Promise<Uint8Array[]> {
  if (bundle.length === 0 || bundle.length > mostShown) throw new RangeError(`a bundle of ${bundle.length} bytes is not shown`);
  const name = await nameOf(bundle);
  const last = Math.ceil(bundle.length / pieceSize) - 1;
  return Array.from({ length: last + 1 }, (_, i) => {
    const piece = bundle.subarray(i * pieceSize, (i + 1) * pieceSize);
    const picture = new Uint8Array(head + piece.length);
    picture.set([0x4b, 0x51, 1, ...name, last, i]);
    picture.set(piece, head);
    return picture;
  });
}

/** shuffled returns the order of one round: else a camera that misses each third picture misses the same ones each time. */
export function shuffled(count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** A Gathering is the pictures of one bundle that were seen, whatever their order. */
export class Gathering {
  #name = '';
  #pieces: (Uint8Array | undefined)[] = [];

  /** How many were seen, and of how many; 0: none yet. */
  get have(): number {
    return this.#pieces.filter((p) => p !== undefined).length;
  }
  get count(): number {
    return this.#pieces.length;
  }

  /** take takes what one code says, and whether it is one of ours; that of another bundle begins anew. */
  take(picture: Uint8Array): boolean {
    if (picture.length <= head || picture[0] !== 0x4b || picture[1] !== 0x51 || picture[2] !== 1) return false;
    const [last, at] = [picture[7]!, picture[8]!];
    const length = picture.length - head;
    if (last >= mostShown / pieceSize || at > last || (at < last ? length !== pieceSize : length > pieceSize)) return false;
    const name = picture.subarray(3, 8).join();
    if (name !== this.#name) [this.#name, this.#pieces] = [name, Array.from({ length: last + 1 }, () => undefined)];
    this.#pieces[at] ??= picture.slice(head);
    return true;
  }

  /** whole returns the bundle once all was seen. What does not have the name that it goes by is begun anew. */
  async whole(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.count === 0 || this.have < this.count) return undefined;
    const bundle = new Uint8Array(await new Blob(this.#pieces as BlobPart[]).arrayBuffer());
    if ((await nameOf(bundle)).join() === this.#name.split(',').slice(0, 4).join()) return bundle;
    [this.#name, this.#pieces] = ['', []];
    return undefined;
  }
}
