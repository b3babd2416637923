// Names, titles and messages are written by others. Drawn as they are, they
// could turn the direction of what stands beside them, or hide what they hold.
// The command line draws them by the same rule (cmd/kith/text.go).

const replacement = '\uFFFD';

/** lines makes text that may have several lines, with all it holds in sight. */
export function lines(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) => (stays(c) ? c : replacement));
}

/** oneLine makes text that stays on its line. */
export function oneLine(text: string): string {
  return lines(text).replace(/[\n\t]/g, ' ');
}

// Joiners stay: names and emoji are written with them.
function stays(c: string): boolean {
  return c === '\n' || c === '\t' || c === '\u200C' || c === '\u200D';
}
