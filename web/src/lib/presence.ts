// That somebody is at the page: by it the node knows when nobody was there for so
// long that it locks the home.

/** How often it is told, in milliseconds; the shortest time after which a home is locked is five minutes. */
const seldom = 30_000;

const signs = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove'] as const;

/** noticePresence calls tell when somebody types, points, clicks or scrolls, at once and then seldom. */
export function noticePresence(tell: () => void, now: () => number = Date.now): () => void {
  let last = -Infinity;
  const notice = () => {
    if (now() - last < seldom) return;
    last = now();
    tell();
  };
  for (const sign of signs) addEventListener(sign, notice, { capture: true, passive: true });
  return () => signs.forEach((sign) => removeEventListener(sign, notice, { capture: true }));
}
