// Package node is a running Kith: the use cases behind every verb of the
// command line and every button of the page. It owns all goroutines, wires the
// pure core to the store and the links, and publishes what changes.
//
// One goroutine owns each group's machine (owner.go) and takes inputs from a
// channel; nobody else touches a machine. A step's effects are committed in one
// transaction before anything is sent or published (invariant R3 of package
// group). What people see is read from the store and from immutable pictures of
// the machines, never from the machines themselves.
//
// # Vocabulary
//
// A friend is a person who accepted us, or whom we accepted, over a contact
// link; a session is a proved connection with one of their devices (package
// peer); a chat is a group as people see it: notes to self, a direct chat with
// one friend, or a group.
package node
