// What the "find anything" dialog offers for the words typed so far.
export interface Offer {
  id: string;
  section: string;
  label: string;
}

/** find keeps what holds every word, beginning of the label first. */
export function find<T extends Offer>(offers: readonly T[], typed: string): T[] {
  const wanted = typed.toLocaleLowerCase().split(/\s+/).filter((word) => word !== '');
  if (wanted.length === 0) return [...offers];
  const found = offers.filter((offer) => {
    const label = offer.label.toLocaleLowerCase();
    return wanted.every((word) => label.includes(word));
  });
  const begins = (offer: T) => (offer.label.toLocaleLowerCase().startsWith(wanted[0]!) ? 0 : 1);
  const sections = [...new Set(found.map((offer) => offer.section))];
  return found.sort((a, b) => sections.indexOf(a.section) - sections.indexOf(b.section) || begins(a) - begins(b));
}
