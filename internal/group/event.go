package group

import (
	"kith/internal/chain"
	"kith/internal/wire"
)

// An Event tells people's programs what changed; it is published after the
// Effects it came with are durable.
type Event interface{ event() }

// RowChanged: a message is new, or an earlier one changed.
type RowChanged struct{ Row Row }

// HeadChanged: the membership, a role or the title is another. Blocks are the
// blocks that are on the head's chain now and were not before, oldest first.
type HeadChanged struct {
	Head   wire.BlockHash
	Blocks []wire.BlockHash
	Lost   []wire.BlockHash // blocks that were on the chain and are not any more
}

// StatusChanged: this device's own status in the group is another.
type StatusChanged struct{ Status Status }

// Acked: Device's acknowledgement is new; delivery counts may have changed.
type Acked struct{ Device wire.DeviceID }

// Accepted: Person's first Ack arrived, so it has accepted the invitation.
type Accepted struct{ Person wire.PersonID }

// ReachChanged: Device told another address.
type ReachChanged struct{ Device wire.DeviceID }

// InfoChanged: a name or title that was only a commitment is known now.
type InfoChanged struct{}

// MissedChanged: Count messages that were written while this device was parked were
// not handed over to it yet.
type MissedChanged struct{ Count int }

// EarlierChanged: more, or less, is known of the time before this device came.
type EarlierChanged struct{ Earlier EarlierView }

// MissingChanged: about Count entries are known of that are not here yet, or others are
// asked for them.
type MissingChanged struct{ Count int }

// Misbehaved: the peer broke a rule; session layers weigh it.
type Misbehaved struct {
	From wire.Member
	Rule string
}

// DropSession: Device is removed and has been told; nothing more goes to it
// for this group.
type DropSession struct{ Device wire.DeviceID }

// Copied: a peer has entries that this device's key signed and this device did
// not write, so that another copy of it is, or was, running.
type Copied struct{}

// Entered: this device, which took the place of an earlier one of its home, came
// in by Block.
type Entered struct{ Block wire.BlockHash }

// OwnPerson: a block shows a history of this device's own person that is not known
// here, so that another copy of this home has signed it. It is checked.
type OwnPerson struct{ Headers [][]byte }

// Rejoined: Device came back into the keys by itself, after it was parked or had
// lost them.
type Rejoined struct {
	Device wire.DeviceID
	Block  wire.BlockHash
}

// Replaced: a block that this device did not make, and that its key signed, put
// another leaf in the place of its own: somebody runs a copy of it, or has its
// key.
type Replaced struct{ Block wire.BlockHash }

// CannotFollow: this device has the keys of a block's parent and cannot get those
// of the block, which its author has to answer for.
type CannotFollow struct {
	Block wire.BlockHash
	Fault Fault
}

// Nacked: another device says the same.
type Nacked struct {
	Device wire.DeviceID
	Block  wire.BlockHash
}

// SignedTwice: there is evidence that Device signed two things of which an honest
// one signs only one. It is about to be revoked; this device's own never by itself.
type SignedTwice struct {
	Device wire.DeviceID
	What   chain.SlashKind
}

// A Fault is what is wrong with a commit that only those see who have the keys.
type Fault string

// Faults.
const (
	FaultCommit      Fault = "commit"       // its path secrets do not open, or do not lead to its tag
	FaultExternalPub Fault = "external-pub" // the header's hash is of another key
)

// Settled: Block and all before it stay for ever.
type Settled struct {
	Block  wire.BlockHash
	Height uint64
}

// SettledTwice: two blocks were settled that exclude each other, so more voters
// lied than the group bears. Stopped: what is known of the liars decides nothing,
// and nobody votes any more.
type SettledTwice struct {
	Blocks  [2]wire.BlockHash
	Stopped bool
	Kept    bool // the first was settled here before and stays; whoever settled the other stays there
}

// VotedTwice: Device cast two votes that no honest device casts both.
type VotedTwice struct{ Device wire.Member }

func (Settled) event()      {}
func (SettledTwice) event() {}
func (VotedTwice) event()   {}

// HeldChanged: Count messages of this device wait for a removal to be carried
// over, and go out by themselves after it.
type HeldChanged struct{ Count int }

// BranchChanged: blocks are new, and the head is the one before.
type BranchChanged struct{}

// Repropose: this device added people by Block, which lost at a fork, and nobody
// has since; they are to be invited again, with fresh key packages.
type Repropose struct {
	Block  wire.BlockHash
	People []wire.PersonID
}

// Redone: what this device had changed by Lost, which lost at a fork, Block does
// again.
type Redone struct{ Lost, Block wire.BlockHash }

// ResendChanged: the question of View.Unasked was answered.
type ResendChanged struct{}

// Typed: Person is writing, or is not any more. Who says nothing more for some seconds is not.
type Typed struct {
	Person wire.PersonID
	On     bool
}

func (Typed) event() {}

// LifetimeChanged: what is written now lasts longer or shorter than what was before.
type LifetimeChanged struct{ Seconds uint32 }

func (LifetimeChanged) event() {}
func (RowChanged) event()      {}
func (HeadChanged) event()     {}
func (StatusChanged) event()   {}
func (Acked) event()           {}
func (Accepted) event()        {}
func (ReachChanged) event()    {}
func (InfoChanged) event()     {}
func (MissingChanged) event()  {}
func (MissedChanged) event()   {}
func (EarlierChanged) event()  {}
func (Misbehaved) event()      {}
func (DropSession) event()     {}
func (Copied) event()          {}
func (Entered) event()         {}
func (OwnPerson) event()       {}
func (Rejoined) event()        {}
func (Replaced) event()        {}
func (CannotFollow) event()    {}
func (BranchChanged) event()   {}
func (Repropose) event()       {}
func (Redone) event()          {}
func (ResendChanged) event()   {}
func (HeldChanged) event()     {}
func (Nacked) event()          {}
func (SignedTwice) event()     {}

// Status is what this device is in a group. Numbers are stored: append only.
type Status uint8

// Standings.
const (
	StatusInvited  Status = 1 // added by somebody, not yet accepted: sends and serves nothing
	StatusActive   Status = 2
	StatusLeaving  Status = 3 // signed a Leave that nobody has committed yet
	StatusLeft     Status = 4
	StatusRemoved  Status = 5
	StatusDeclined Status = 6
	StatusNewer    Status = 7 // the chain uses what this program does not know
)
