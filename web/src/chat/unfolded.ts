// Long messages that somebody asked to see whole, as long as the page lives:
// a bubble out of view is taken apart.
import { SvelteSet } from 'svelte/reactivity';

/** Keys of rows. */
export const unfolded = new SvelteSet<string>();
