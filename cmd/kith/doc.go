// Command kith is a private group chat that runs on its members' own machines.
//
// One file holds one verb. All verbs but init, run and demo talk to the node
// that runs on the home, over its socket (package api). What a verb prints for
// people goes through text.go, which keeps what others wrote from steering the
// terminal; with --json it prints one object a line (jsonline.go), whose names
// docs/user/cli.md lists. A failure is one line on standard error.
package main
