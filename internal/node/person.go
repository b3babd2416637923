package node

import "kith/internal/wire"

// A Person is somebody as people see them.
type Person struct {
	ID        wire.PersonID
	Name      string // empty while it is not known
	Me        bool
	Friend    bool
	Connected bool // a session with one of their devices is up
	Aside     Aside
	Alike     bool // somebody else of the chat has a name that looks the same
}

// FriendState is where a friendship stands. Numbers are stored: append only.
type FriendState uint8

// States of a friendship.
const (
	FriendAsked   FriendState = 1 // I opened their link; they have not accepted yet
	FriendAsking  FriendState = 2 // they ask me
	FriendFriend  FriendState = 3
	FriendBlocked FriendState = 4
	friendSelf    FriendState = 5 // the own person; never among friends
)

// A Friend is a person with whom there is, or may come to be, a direct chat.
type Friend struct {
	Person      Person
	State       FriendState
	Chat        wire.GroupID // zero: none yet
	Since       uint64       // ms
	Fingerprint string       // 60 digits, the same on both sides
	Met         bool         // their program has answered at least once
	Sought      bool         // a friend who is looked for where a new contact link says
}

// A ContactLink is an own link that one person can use to ask.
type ContactLink struct {
	Text   string // kith:...
	Expiry uint64 // ms
}

// Reachability says from where others can reach this node.
type Reachability uint8

// Reachabilities.
const (
	ReachableLocal  Reachability = 1 // from this machine alone
	ReachableLAN    Reachability = 2 // from the same network
	ReachablePublic Reachability = 3 // it has a public address
)

// A Status is the node as people see it.
type Status struct {
	Ready        bool // there is an identity
	Me           Person
	Device       wire.DeviceID
	Home         string
	Chats        int
	Friends      int
	Connected    int      // people
	Addresses    []string // host:port
	Reachability Reachability
	Notes        wire.GroupID   // "Notes to self"
	StartedAt    uint64         // ms
	Copied       bool           // another copy of this home was noticed, see Node.copied
	DiskFull     bool           // nothing can be kept
	Revoked      bool           // that one has revoked the key of this home: it takes no part any more
	Coming       []Coming       // invitations that are not whole yet
	Damaged      []wire.GroupID // chats that are stored and do not load; nothing of them is deleted
	Linking      Linking        // of a device
	Clock        *ClockApart    // nil: nothing speaks against this machine's clock
}

// Coming is an invitation to a group with a long past, which comes in pieces.
type Coming struct {
	Chat    wire.GroupID
	Title   string // empty while it is not known
	By      Person // who brings it; zero: nobody does now
	Percent int    // of the blocks that are known, 0 to 99
}
