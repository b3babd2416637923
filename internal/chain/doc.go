// Package chain is the membership chain of a group: an ordered list of signed,
// hash-linked blocks, of which each says who joined, left, rose or fell. It
// decides which blocks are valid, what the membership is after each of them,
// and, where two blocks have one parent, which of them counts. People are
// chains too: a person's devices are kept by the same engine under a second
// policy.
//
// Vocabulary
//
//	block      header and body. Its hash is that of the header, signature included.
//	core       the header up to created_at; the MLS commit in the body names its hash.
//	op         one change of the membership or its settings.
//	state      the members and settings after a block; a value that never changes.
//	admin      a member who may add and remove others. Of two admins the one who
//	           gained the role earlier is the more senior.
//	instance   one membership of a person; who comes back gets another one.
//	head       the block whose state counts, chosen among all valid blocks held.
//	contest    the choice between the children of one block, the fork point.
//	strike     an admin's removal or demotion of somebody, seen at a fork.
//	void       what a device signed that is revoked in a contest: it says nothing there.
//	Carry      an op that does again what a removal on a losing branch did.
//	vote       a voter's signed word for a block; an era has one set of voters.
//	settled    of a block: enough voters have said that it stays for ever.
//	attachment what an op cites by hash and the body carries: the headers of a
//	           person's chain, a knock key, a signed leave, Nacks, evidence.
//	proof      headers of a person's chain that show which devices it has.
//	parked     a device that belongs to a member but has no leaf in the keys.
//	revoked    a device that is gone for ever.
//	recovery   the key of a person's phrase, which settles its chain.
//	feature    a number that the chain activates and every leaf announces.
//
// What always holds
//
//   - The head is a function of the set of blocks held: no clock, no order of
//     arrival, no secret, no length of a branch goes into it (see Head).
//   - A state follows from headers alone. Whether a body's MLS commit does what
//     the ops say is the business of package group, which knows both.
//   - A refusal leaves everything as it was.
//   - Every received byte is accounted for: a header that parses encodes to the
//     same bytes, and those are what was signed.
//
// Where what is
//
//	blocks, draft, check, headers      the set of blocks, making and judging one
//	header, body, op, opcodec, ...     what a block is made of; an op of its own kind
//	                                   stands in carry, deviceop, restart, setpolicy, slash
//	apply, authority, admission,       the rules V1 to V8: apply goes through them,
//	device, genesis, person            the others have what one kind of op does
//	papers, proof, leave, nack         what attachments must show
//	state, root, roll, memberproof     the membership, its Merkle root, proof of one member
//	record, recordname                 the chain file
//	standing*                          a member's settled standing, for who keeps no chain
//	fork                               fork choice from scratch; the picture of its steps
//	forkchoice                         one contest: void, strike, weigh, rank
//	forkword, forkfacts                what one block says; what a whole subtree says
//	forkset                            fork choice in a set that grows
//	forkpending, forkwhy               removals that lost; why a branch lost, for people
//	forkspace, levels                  what may be dropped; at which heights to look for it
//	vote, certificate, settle*         votes, what they say together, warrants, evidence
//	voting                             when an honest voter votes for what
//	offer                              what two devices tell each other to be level
//
// docs/spec/chain.md, settlement.md, chainfile.md and standing.md have the tables of
// bytes, the rules and their reasons.
package chain
