package group

import (
	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Input is one thing that happens to a machine.
type Input struct {
	Now   uint64 // ms, this device's clock
	Cause Cause
	Jump  int64 // ms by which that clock was set since the last input: what is between both by the clock that nobody sets is left out
}

// A Cause says what happened.
type Cause interface{ cause() }

type (
	// Tick: time has come, see Effects.Wake.
	Tick struct{}
	// PeerUp: a session with a device is up and its keys are proved.
	PeerUp struct{ Peer wire.Member }
	// PeerDown: that session is gone.
	PeerDown struct{ Device wire.DeviceID }
	// Received: a peer sent a payload for this group. Secrets finds the private
	// part of one of this device's key packages, as in Join; it is needed for
	// invitations alone, and nil gives none. Checked is what CheckEntries made of
	// Payload, nil if it was not asked. Away: no session is needed, since it came in a file or
	// by a mailbox, and From signed it; see Export.
	Received struct {
		From    wire.Member
		Payload []byte
		Secrets Secrets
		Checked *Checked
		Away    bool
	}

	// Compose: the person of this device writes. Client is chosen by the caller
	// and comes back in the row.
	Compose struct {
		Client  string
		Content Content
	}
	// Confirm signs the Ack that is due before its time has come, since what is said now is said
	// for once: what is exported next has it.
	Confirm struct{}
	// Sort looks again at rows that an older program stored, which did not know what
	// they are.
	Sort struct{ Rows []Row }
	// Invite adds people, in one block.
	Invite struct{ Newcomers []Newcomer }
	// Remove takes a person out.
	Remove struct{ Person wire.PersonID }
	// SetRole makes a member an admin, or an admin a member.
	SetRole struct {
		Person wire.PersonID
		Role   chain.Role
	}
	// SetTitle gives the group another title.
	SetTitle struct{ Title string }
	// SetHistory says what newcomers are given of the time before they came; Days are
	// those of chain.HistorySince.
	SetHistory struct {
		History chain.History
		Days    uint16
	}
	// SetVoters names who votes on what is settled for ever.
	SetVoters struct{ People []wire.PersonID }
	// Rekey renews this device's keys in the group.
	Rekey struct{}
	// Publish names new last-resort key packages in the person's own chain.
	Publish struct{ Packages []Package }
	// Accept accepts the invitation that this machine was joined by.
	Accept struct{}
	// Leave signs a Leave, for another member to commit. It declines an
	// invitation that is not accepted yet. Successor is needed of the last admin.
	Leave struct{ Successor wire.PersonID }
	// Park takes the leaf of a device that was not here for long; it comes back by
	// itself.
	Park struct{ Device wire.DeviceID }
	// AddDevice adds one more device of a member. Headers are its person's chain,
	// which shows the device; the rest is the device's own.
	AddDevice struct {
		Person     wire.PersonID
		Headers    [][]byte
		KnockKey   []byte
		KeyPackage []byte
	}
	// RemoveDevice takes out a device that its person's chain shows as revoked.
	RemoveDevice struct {
		Device  wire.DeviceID
		Headers [][]byte
	}
	// Restart begins the keys of the group anew, with those members' devices whose
	// last-resort key packages are known; the others are set aside and come back by
	// themselves. Suite is the suite from then on; zero: the one of now.
	Restart struct{ Suite mls.Suite }
	// SetPerson tells the members this person's chain and the last-resort key
	// packages that it names.
	SetPerson struct{ Headers, Packages [][]byte }
	// Rejoin lets this device come back as soon as it can, if it has no keys. It
	// does so by itself, but for where another device took its place, or where a
	// member's program would not follow: see View.Outdated.
	Rejoin struct{}
	// Resend answers whether the messages of View.Unasked go to the people who came
	// after they were written.
	Resend struct{ Yes bool }
	// Attend says where this device's person looks: while it is at another chat, what
	// this group fetches much of leaves the lines to that one.
	Attend struct{ Elsewhere bool }
	// Typing says to who is connected that the person of this device is writing, or is not
	// any more.
	Typing struct{ On bool }
	// Read says up to which place of display the person of this device has read, and
	// whether others are told.
	Read struct {
		To   Place
		Tell bool
	}
	// SetReach tells the members where this device's link is.
	SetReach struct {
		Peer     []byte
		Hosts    []string
		Expiry   uint64 // ms
		Withdraw bool   // there are no hosts any more: who was never told any is told nothing
	}
)

func (Tick) cause()         {}
func (Confirm) cause()      {}
func (PeerUp) cause()       {}
func (PeerDown) cause()     {}
func (Received) cause()     {}
func (Compose) cause()      {}
func (Sort) cause()         {}
func (Invite) cause()       {}
func (Remove) cause()       {}
func (SetRole) cause()      {}
func (SetTitle) cause()     {}
func (SetHistory) cause()   {}
func (SetVoters) cause()    {}
func (Rekey) cause()        {}
func (Publish) cause()      {}
func (Accept) cause()       {}
func (Leave) cause()        {}
func (Park) cause()         {}
func (AddDevice) cause()    {}
func (RemoveDevice) cause() {}
func (Restart) cause()      {}
func (SetPerson) cause()    {}
func (Rejoin) cause()       {}
func (Resend) cause()       {}
func (Attend) cause()       {}
func (Typing) cause()       {}
func (Read) cause()         {}
func (SetReach) cause()     {}

// A Newcomer is somebody to be added: all of it was told by that person on a
// proved session (package peer's Card).
type Newcomer struct {
	Person     wire.PersonID
	Headers    [][]byte // its person chain, whole headers
	Info       []byte   // identity.Info preimage of its name
	KnockKey   []byte
	KeyPackage []byte
	Others     []NewDevice // of the same person, each once
}

// A NewDevice is one more device of somebody who is added.
type NewDevice struct{ KnockKey, KeyPackage []byte }
