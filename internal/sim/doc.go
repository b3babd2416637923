// Package sim plays N group machines against each other on one seeded queue of
// events ordered by virtual time: sessions that come and go, delay, loss of
// whole sessions, duplication, crashes at every write, concurrent changes. It is
// for tests alone: the program never imports it.
//
// A node here is what package node is in the program, without goroutines: it
// commits a step's effects to its records, and only then sends. A crash throws
// the machine away, with or without the effects of the step that it interrupts,
// and loads it again from the records.
//
// After every step of every world [group.Machine.CheckInvariants] holds; in a
// run of [Run] the oracles of check.go do: invariants R1 to R3 of package group,
// and one order of display everywhere.
package sim
