package group

import (
	"kith/internal/dag"
	"kith/internal/wire"
)

// Effects is everything that one [Machine.Step] wants done. Write, Rows,
// Checked, Used and Void are committed in ONE transaction; only then are Send and
// Serve handed to the links and Notify shown (invariant R3).
type Effects struct {
	Write   []Record
	Rows    []Row
	Checked []Place    // rows that are not Waiting any more
	Deleted []Deletion // messages to be wiped
	Twice   []Place    // rows whose device wrote another with the same number, see Row
	Behind  *Place     // a line that stands above what was read: from there on all is unread; nil: none came
	Used    []Use      // of key packages: what they open from here on, Use.Follows says
	Void    [][32]byte // key packages that open nothing any more, by reference: their private parts go
	Send    []Frame
	Kept    []Kept // in a large group: what may be passed on along the tree
	Serve   []Serve
	Notify  []Event
	Wake    uint64 // ms; when to step with Tick next; zero: never
}

// Kind says what a Record holds. Numbers are stored: append only.
type Kind uint8

// Kinds of records, with their key and value. A block's hash is 32 bytes, an
// entry's key is device[32], u64 seq, short[16].
const (
	KindSelf    Kind = 1  // no key: the machine's own small state
	KindBlock   Kind = 2  // u64 height, block hash: header<V>, body<V>
	KindPublic  Kind = 3  // block hash: MLS public group
	KindEpoch   Kind = 4  // block hash: u64 since when it is not the newest, MLS secrets of the epoch
	KindRatchet Kind = 5  // block hash, ratchet key: message keys
	KindEntry   Kind = 6  // entry key: entry header
	KindCipher  Kind = 7  // entry key: ciphertext, as received
	KindAck     Kind = 8  // device: newest Ack
	KindReach   Kind = 9  // device: newest Reach
	KindInfo    Kind = 10 // commitment: Info preimage
	KindLeave   Kind = 11 // person: signed Leave that waits to be committed
	KindFloor   Kind = 12 // no key: the floor this device joined on
	KindWelcome Kind = 13 // block hash: the welcome made with the block, to pass on
	// 14 is reserved.
	KindLate         Kind = 15 // entry key: an entry that is kept back, header<V>, ciphertext<V>
	KindNack         Kind = 16 // block hash, device: Nack
	KindPerson       Kind = 17 // person: its chain and last-resort key packages, see people.go
	KindEvidence     Kind = 18 // device: two things that no honest device signs both, see evidence.go
	KindCompany      Kind = 19 // no key: company time and when it grew; device: when it was heard, see company.go
	KindVote         Kind = 20 // u64 height and hash of the era's start, u64 round, device, vote hash: vote
	KindVoteEvidence Kind = 21 // device: two votes of its that no honest device signs both
	KindVoter        Kind = 22 // no key: what the own voter must not forget
	KindSilence      Kind = 23 // device: u64 ms since when it owes a word
	KindSettled      Kind = 24 // no key: hash of the settled block, which stays so
	KindHeld         Kind = 32 // u64 number: a message that waits, see held.go
	KindUndone       Kind = 33 // block hash: own block that lost and is to be done again
	KindHollow       Kind = 45 // entry key: empty; the entry's text is still lacking, see hollow.go
	KindUnsent       Kind = 34 // u64 seq: own entry that may be sealed again, see resend.go
	// 35 to 39 are reserved.
	KindShelved  Kind = 40 // entry key: salt and content of an entry that may be handed over, see handover.go
	KindMissed   Kind = 41 // entry key: written while this device was parked, not handed over yet
	KindDoubted  Kind = 46 // device, u64 seq: what an earlier device of this home wrote, see twins.go
	KindDeletion Kind = 47 // entry key: a Delete that counts, as its content's body, see erase.go
	// 48 to 59 are reserved.
	KindEarlier Kind = 60 // entry key: entry header from below the floor, see earlier.go
	KindLacking Kind = 61 // entry key: empty; what an entry from before this device came says is still lacking
	KindSalt    Kind = 62 // entry key: the salt of a content that is shown, to hand it over
	KindEnding  Kind = 63 // entry key: when an entry goes, see expiry.go
	KindExpiry  Kind = 64 // entry key: a setting of how long messages last, see expiry.go
	KindSetting Kind = 68 // entry key: header of a setting that was made without this device, see settingsgive.go
	KindPart    Kind = 70 // no key: how many parts of the graph there are; u32 number: one of them, see parts.go
	KindBeside  Kind = 71 // entry key: empty; an entry that no part has, though its log is in parts beyond it
	KindVouched Kind = 72 // entry key: blocks at which an entry is named that is kept back or lacks its text, see quarantine.go
)

// Record is one stored value of a group; Value may be empty. A nil Value deletes
// the record, and for KindRatchet with a block hash alone as key every record
// whose key begins with it.
type Record struct {
	Kind  Kind
	Key   []byte
	Value []byte
}

// Place is where a message stands in the display order.
type Place = dag.Place

// RowState says what a person sees of a row. Numbers are stored: append only.
type RowState uint8

// States of a row.
const (
	RowShown      RowState = 1 // Content is there and checked
	RowDamaged    RowState = 2 // decrypts to something its author did not commit to; no Content
	RowUnreadable RowState = 3 // this device has no key for it and gets none; no Content
	RowWithdrawn  RowState = 4 // its claims proved false: removed from view
	RowDeleted    RowState = 5 // its author or an admin deleted it; no Content, here or anywhere on this device
)

// Row is one line of the conversation. A row replaces the stored row of the
// same Place. Rows of the same Person, ContentID and Commit are ONE message,
// kept at the smallest Place.
type Row struct {
	Place   Place
	Person  wire.PersonID
	Block   wire.BlockHash // the block it was written at
	ID      wire.ContentID
	Commit  wire.Digest
	Time    uint64 // ms, the author's clock
	State   RowState
	Waiting bool   // an earlier message it refers to is still to come
	Split   bool   // written on a branch that lost
	Twice   bool   // its device wrote another with the same number: it shows two faces
	May     Powers // of Person at Block
	Content []byte
	Client  string // ClientID of Compose; on the author's device only

	Annotation bool // it is no line of its own but about another message, or was before it was deleted
}

// Frame is one payload for a device that this machine knows to be entitled to
// it. Where no session with the device is up, it is dropped: the logs are the
// outbox, and a new session starts with a digest.
type Frame struct {
	To      wire.DeviceID
	Payload []byte
}

// Serve asks for stored entries to be sent: whoever drives the machine sends
// what Answer makes of them, also if that is nothing.
type Serve struct {
	To   wire.DeviceID
	Refs []dag.Ref
	Bare []bool // of each ref: its header alone, for who was no member then

	ByHeads bool // it is said whether there is more than what is sent,
	Cut     bool // which there is

	Contents bool // what they say in place of the ciphertexts, for who was parked then

	Earlier  bool            // for who came later: AnswerEarlier makes what is sent
	Authors  []wire.PersonID // then: of each ref
	Settings bool            // what was set without it, in place of entries: likewise
	Older    bool            // and nothing newer than what the policy gives is left out

	Pushed bool // of an Export: all of them, as if they were new
}
