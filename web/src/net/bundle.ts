// Bundles: files that carry what is new where there is no network. They go as the streams
// that the command line uses, in JSON (connectrpc.com/docs/protocol), by the page itself:
// the worker makes calls of one answer alone.
import { words } from '../lib/words';
import { Code, Refusal } from './protocol';
import { ownToken } from './session';
import { base64, envelope, pieces, type Bundle, type Piece } from './stream';

/** How much of a file goes in one piece, in bytes; the program takes a megabyte of JSON at most. */
const pieceSize = 256 << 10;

/** What a file may have, in bytes: all of it lies in memory for a moment. */
export const mostBytes = 256 << 20;

async function stream(verb: 'ExportBundle' | 'ImportBundle', body: Blob): Promise<Generator<Piece>> {
  let answer: Response;
  try {
    answer = await fetch(`/kith.v1.KithService/${verb}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/connect+json', 'Connect-Protocol-Version': '1', Authorization: `Bearer ${ownToken()}` },
      body,
    });
  } catch {
    throw new Refusal(Code.unavailable, words.tryAgain);
  }
  if (!answer.ok) throw new Refusal(Code.unknown, words.tryAgain);
  return pieces(new Uint8Array(await answer.arrayBuffer()));
}

/** whole reads an answer to its end; what it refused is thrown. */
function whole(answer: Iterable<Piece>): { bundle: Bundle; parts: Uint8Array<ArrayBuffer>[] } {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bundle: Bundle | undefined;
  for (const piece of answer) {
    if (piece.error) throw new Refusal(Code.unknown, piece.error.message ?? '');
    if (piece.data) parts.push(Uint8Array.from(atob(piece.data), (c) => c.charCodeAt(0)));
    else bundle = piece.bundle ?? piece; // of an import it is the answer itself
  }
  if (!bundle) throw new Refusal(Code.unknown, words.tryAgain);
  return { bundle, parts };
}

/** packBundle has a chat's news made into a file; empty: there are none. */
export async function packBundle(chat: string, all: boolean): Promise<{ bundle: Bundle; file: Blob }> {
  const { bundle, parts } = whole(await stream('ExportBundle', new Blob(envelope({ chat, all }))));
  return { bundle, file: new Blob(parts, { type: 'application/octet-stream' }) };
}

/** takeBundle hands a file to the program; progress is told how much of it was read, from 0 to 1. */
export async function takeBundle(file: Blob, progress: (share: number) => void): Promise<Bundle> {
  const parts: BlobPart[] = [];
  for (let at = 0; at < file.size; at += pieceSize) {
    const bytes = new Uint8Array(await file.slice(at, at + pieceSize).arrayBuffer());
    parts.push(new Blob(envelope({ data: base64(bytes) })));
    progress(Math.min(1, (at + pieceSize) / file.size));
  }
  return whole(await stream('ImportBundle', new Blob(parts))).bundle;
}
