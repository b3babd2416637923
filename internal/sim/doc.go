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
// In a run of [Run] some persons may be hostile, by the seed none, one or as many as
// voters bear: their devices behave, but for acts that no honest device does
// (hostile.go), made with what they hold or held once (hand.go). This is the one
// party that is faked. What the oracles say, they say of the others.
//
// [PlayCrowd] lets a large group live through a day in which few are there at a time,
// beside an ideal epidemic, and counts what arrives (docs/benchmarks.md).
//
// After every step of every world [group.Machine.CheckInvariants] holds, and the
// bounds of what others make a machine hold; in a run of [Run] the oracles of check.go
// and final.go do, and at its rest those of rest.go and oracles.go. docs/assurance.md
// says which property each of them is.
package sim
