// Long messages and folded renames that somebody asked to see whole, as long as
// the page lives: a row out of view is taken apart.
import { SvelteSet } from 'svelte/reactivity';

/** Keys of rows. */
export const unfolded = new SvelteSet<string>();
