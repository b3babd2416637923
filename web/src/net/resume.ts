// Where a reader of the event stream stands, and what an event does to it.

export interface Place {
  seq: bigint;
  run: string; // names one life of the node; empty before the first event
}

export const nowhere: Place = { seq: 0n, run: '' };

interface Heard {
  seq: bigint;
  run: string;
  change: { case?: string | undefined };
}

/** advance tells the new place, and whether everything must be loaded anew. */
export function advance(place: Place, event: Heard): { place: Place; reset: boolean } {
  const next = { seq: event.seq, run: event.run };
  if (event.change.case === 'reset') return { place: next, reset: true };
  if (place.run === '') return { place: next, reset: false };
  if (event.run !== place.run) return { place: next, reset: true };
  // The empty event at the start of a stream says only "you are heard": what
  // lies between may still be to come, so the place stays.
  if (event.change.case === undefined) return { place, reset: false };
  return { place: event.seq > place.seq ? next : place, reset: false };
}

/** The pause before the next try, in milliseconds: doubling, with a ceiling. */
export function pause(tries: number): number {
  return Math.min(8000, 250 * 2 ** Math.min(tries, 10));
}
