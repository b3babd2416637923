// Messages of Connect's streams, in JSON (connectrpc.com/docs/protocol).
/** Bundle and BundleChat are those of kith.proto as JSON has them, which leaves out zeros. */
export interface BundleChat {
  title?: string;
  messages?: number;
  changes?: number;
  invitation?: boolean;
}

export interface Bundle {
  from?: { name?: string; alike?: string };
  madeAt?: string; // ms
  chats?: BundleChat[];
  others?: number;
}

/** A Piece is a message of the streams of bundles. */
export interface Piece extends Bundle {
  data?: string; // base64
  bundle?: Bundle;
  error?: { code?: string; message?: string };
}

/** envelope puts the five bytes of a stream's message before it: flags, and how long it is. */
export function envelope(message: unknown): BlobPart[] {
  const text = new TextEncoder().encode(JSON.stringify(message));
  const head = new DataView(new ArrayBuffer(5));
  head.setUint32(1, text.length);
  return [head.buffer, text];
}

/** pieces takes a stream's answer apart. */
export function* pieces(answer: Uint8Array<ArrayBuffer>): Generator<Piece> {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  for (let at = 0; at + 5 <= answer.length; ) {
    const size = view.getUint32(at + 1);
    if (at + 5 + size > answer.length) break; // the program ended in the middle
    const piece = JSON.parse(new TextDecoder().decode(answer.subarray(at + 5, at + 5 + size))) as Piece;
    if (view.getUint8(at) === 0) yield piece;
    else if (piece.error) yield { error: piece.error }; // the end of the stream says how it went
    at += 5 + size;
  }
}

/** base64 of RFC 4648, section 4. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  const step = 0x2000; // as many arguments as every browser takes
  for (let at = 0; at < bytes.length; at += step) text += String.fromCharCode(...bytes.subarray(at, at + step));
  return btoa(text);
}
