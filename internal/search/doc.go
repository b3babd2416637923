// Package search says what a search looks for and where a text says it. The
// index of package store is made of the same words, so that what is found there
// is what is marked here.
//
// # Vocabulary
//
//   - word: a piece of a text as it is compared: folded, without accents.
//   - query: the words and phrases somebody looks for, all of which must be said.
//   - mark: the piece of a text that says one of them.
//   - snippet: the part of a text around its first marks.
//
// # Invariants
//
//  1. A folded word holds letters, numbers, marks and symbols alone: nothing of it
//     can be taken for the syntax of an engine.
//  2. Any text is parsed or refused with one of two errors.
//  3. The words of a query that was cut out of a text as a phrase are found in it.
//
// docs/spec/store.md says what is found and what is not.
package search
