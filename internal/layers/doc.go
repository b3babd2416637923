// Package layers is a test: it reads the source of every package of this module
// and holds it against the table of ARCHITECTURE.md. It parses the files itself
// instead of asking the go command, so that the test cache notices a change of
// any of them.
//
// The rules, each with its reason, stand in rules_test.go; the test also feeds them
// bad snippets, so that a rule that catches nothing is noticed.
package layers
