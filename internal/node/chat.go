package node

import (
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
	RemovedBy   Person // with a zero ID: nobody
	ChangedAt   uint64 // ms, of the newest message or change
	Connected   int    // members with whom a session is up
	Missing     int    // messages that others refer to and that are not here yet
	Waiting     int    // own messages that no other member has yet
	ReadTo      group.Place
	OnlyFriends bool // see Node.AcceptGroup
	NoKeys      bool // this device cannot follow the group's keys; it comes back by itself
	Parked      bool // and that is because an admin set it aside
	Replaced    bool // and that is because a copy of it took its place: it does not
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
	Content       group.Content // zero unless State is RowShown
	Client        string
	Reached       int // own messages: other members who have it
	ReachOf       int // and how many there are
	EarlierComing bool
	WhileSplit    bool
	ClockOff      bool // the author's clock is more than ten minutes off
}

// A Block is one change of the membership.
type Block struct {
	Hash           wire.BlockHash
	Header         *chain.Header
	HeaderBytes    []byte
	BodyBytes      int
	Author         Person
	Changes        []Change
	OnChain        bool
	SignatureValid bool
	Epoch          uint64
	Drawn          Drawn
	SettledBy      []Person
}

// A Change is one op of a block as people see it.
type Change struct {
	Op      chain.Op
	Subject Person // with a zero ID: nobody
	Title   string // of Genesis and SetInfo, empty if not known
	Admin   bool   // of SetRole: the new role
}
