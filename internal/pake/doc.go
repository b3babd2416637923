// Package pake lets two devices agree on a key from a short code that one person
// says to the other: CPace (draft-irtf-cfrg-cpace-21), suite CPACE-RISTR255-SHA512,
// in the order initiator, responder, with key confirmation both ways.
//
// Words:
//
//	code          what people say; weak: some thousands or millions of possible ones
//	initiator, A  the side that sends first; responder, B the other
//	share         the point that a side sends: its secret times the code's generator
//	tag           a MAC over a share by the agreed key: shows that the code was the same
//	run           one exchange, from [Start] to [Initiator.Finish], or from [Respond] to
//	              [Responder.Finish]
//
// A run, in bytes that the caller carries:
//
//	A  Start      --  share            -->  Respond    B
//	A  Finish    <--  share, tag       --              B
//	A             --  tag              -->  Finish     B
//
// Invariants:
//
//   - Nobody has a [Key] before the other side has shown that it has the same one.
//   - A run ends with the first message given to Finish, whatever that is, and its
//     secrets are overwritten then: one guess at the code for each run.
//   - Printing an Input, an Initiator, a Responder or a Key with any verb says
//     "redacted".
//
// How often a code may be tried is for the caller to say; a run that a responder
// never sees the end of counts as a try. Bytes, and what is hashed:
// docs/spec/pake.md.
package pake
