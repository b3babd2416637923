package node

import (
	"cmp"
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/wire"
)

// ChatKind is what a group is for.
type ChatKind uint8

// Kinds of chats.
const (
	ChatNotes  ChatKind = 1
	ChatDirect ChatKind = 2
	ChatGroup  ChatKind = 3
)

// A Chat is a group as people see it.
type Chat struct {
	ID          wire.GroupID
	Kind        ChatKind
	State       group.Status
	Title       string // of a direct chat the other's name; may be empty
	Members     []Member
	Admin       bool // I am one
	Newest      *Message
	Unread      int
	InvitedBy   Person
	RemovedBy   Person            // with a zero ID: nobody
	ChangedAt   uint64            // ms, of the newest message or change
	Connected   int               // members with whom a session is up
	Missing     int               // messages that are known of and not here yet, about
	MissingFrom []Person          // of whom they are asked now
	Missed      int               // messages that were written while this device was set aside, not here yet
	Policy      chain.Policy      // of the group
	Earlier     group.EarlierView // of the time before I came
	Waiting     int               // own messages that no other member has yet
	Mailbox     bool              // one that answers takes what others do not have yet
	MailboxDue  bool              // and does not have all of it yet
	Draft       Draft             // what was begun here
	Lifetime    uint32            // seconds that what is written now lasts; 0: for ever
	MaySet      bool              // I may set that
	ReadTo      group.Place
	Mentions    []group.Place // of unread messages that mention me, oldest first; the newest 100
	Carrying    []Person      // whose removal lost at a fork and is carried over before anything is written
	Held        int           // own messages that wait for that
	Unasked     int           // own messages of a branch that lost, see Node.Resend
	UnaskedOf   []Person      // who would read them and was no member when they were written
	Readded     bool          // some of those are from before I was removed and added again
	OnlyFriends bool          // see Node.AcceptGroup
	NoKeys      bool          // this device cannot follow the group's keys; it comes back by itself
	NewKey      bool          // and that is because this home has a new device key, which comes into the chat by itself
	Outdated    []Person      // without keys: who cannot follow once this device has come back, so that it does not by itself
	Willing     bool          // but its person has said so
	Parked      bool          // and that is because an admin set it aside
	Replaced    bool          // and that is because a copy of it took its place: it does not
	Revoked     bool          // another copy of this home has revoked its key
	Needed      bool          // I am leaving, and my vote is needed until others have the say
	Awaited     []Person      // and for that these votes; empty: others are still to be proposed
	Trouble     IncidentKind  // IncidentTwice, if nobody votes any more, or IncidentElsewhere; 0: neither
}

// A Member is somebody in a chat.
type Member struct {
	Person   Person
	Admin    bool
	Accepted bool
	Since    uint64 // ms
	AddedBy  Person
}

// A Message is one line of a chat.
type Message struct {
	Chat          wire.GroupID
	ID            wire.ContentID
	Place         group.Place
	Author        Person
	Time          uint64 // ms, the author's clock
	State         group.RowState
	Held          bool          // it waits, see group.HeldChanged; it has no ID and Place yet
	Content       group.Content // as it was written; zero unless State is RowShown
	Client        string
	Reached       int // own messages: other members who have it
	Read          int // how many of them told that they have read it
	ReachOf       int // and how many there are
	EarlierComing bool
	WhileSplit    bool
	WrittenTwice  bool // its device wrote another with the same number
	ClockOff      bool // the author's clock is more than ten minutes off
	Said          Said // what is shown of it
}

// A Block is one change of the membership.
type Block struct {
	Hash           wire.BlockHash
	Header         *chain.Header
	HeaderBytes    []byte
	BodyBytes      int // 0: it was taken without its commit
	Author         Person
	Changes        []Change
	OnChain        bool
	SignatureValid bool
	Epoch          uint64
	Drawn          Drawn
	SettledBy      []Person
	VotedBy        []Person // on the chain and not settled: whose newest vote is for it
	WaitsFor       []Person // and who else votes
	Stuck          []Person // whose devices could not follow its keys
}

// A Change is one op of a block as people see it.
type Change struct {
	Op      chain.Op
	Subject Person   // with a zero ID: nobody
	Title   string   // of Genesis and SetInfo, empty if not known
	Admin   bool     // of SetRole: the new role
	People  []Person // of SetPolicy: who votes from then on; empty: that stays
}

// Chats returns all chats but what is Hidden: invitations first, then the one that changed last.
func (n *Node) Chats() ([]Chat, error) {
	var list []Chat
	for _, o := range n.allOwners() {
		if n.hides(o) {
			continue
		}
		c, err := n.chat(o)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	n.listing.Do(func() { close(n.listed) })
	slices.SortFunc(list, func(a, b Chat) int {
		return cmp.Or(invitedFirst(a, b), cmp.Compare(b.ChangedAt, a.ChangedAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	return list, nil
}

func invitedFirst(a, b Chat) int {
	invited, other := a.State == group.StatusInvited, b.State == group.StatusInvited
	switch {
	case invited == other:
		return 0
	case invited:
		return -1
	}
	return 1
}

// Chat returns one chat.
func (n *Node) Chat(g wire.GroupID) (Chat, error) {
	o, err := n.in(g)
	if err != nil {
		return Chat{}, err
	}
	return n.chat(o)
}
