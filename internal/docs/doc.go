// Package docs is a test: what the documents say one can type is typed. Every
// sh block of every document names make targets, verbs, flags and files that
// exist; blocks without a mark are run in an empty home, those marked
//
//	<!-- with a running node -->
//
// beside a node of their own, and those marked
//
//	<!-- tested elsewhere: where, or why not -->
//
// are only checked, not run. Relative links lead to files and headings that
// exist.
package docs
