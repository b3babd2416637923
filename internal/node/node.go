package node

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"kith/internal/group"
	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/portmap"
	"kith/internal/store"
	"kith/internal/wire"
)

// Config says what node to open. Its zero value but for Home works.
type Config struct {
	Home       string           // folder of everything this node keeps
	Passphrase store.Passphrase // unlocks the database; nil: the key file beside it does
	Listen     string           // HOST:PORT; empty: any interface, at a port that is kept
	WebSocket  string           // HOST:PORT to listen at for WebSocket in TLS; empty: nowhere
	NoLAN      bool             // neither announce nor look for others on the local network
	Bootstrap  []string         // HOST:PORT of nodes of the DHT that are asked first; nil: the well-known ones
	Log        *slog.Logger     // nil: none

	Tap   func(frame []byte) // sees every frame handed to a link; tests of secrecy
	Plain bool               // no encryption at rest; refused outside test binaries
	Link  link.Link          // in place of real networks; tests
	Clock func() time.Time   // in place of the clock that group machines go by; tests
	Omits uint16             // a feature of groups that this node announces nowhere, as programs before it; tests
	// TapMessage sees every message before it is sealed for its connection; tests.
	TapMessage func(to wire.DeviceID, channel [32]byte, payload []byte)
}

// A Node is a running Kith.
type Node struct {
	cfg     Config
	db      *store.DB
	log     *slog.Logger
	hub     *hub
	bans    peer.Bans
	started uint64    // ms
	opened  time.Time // with the steady clock

	begun    chan struct{} // closed when Run begins
	stopping chan struct{} // closed when Run ends
	kick     chan struct{} // a dial may be worth trying now
	listed   chan struct{} // closed when the chats were asked for
	listing  sync.Once     // closes listed
	due      chan struct{} // when the next dial is due has changed
	attend   chan struct{} // other sessions may have to be alert
	mail     chan struct{} // other groups may have a mailbox
	remap    chan struct{} // the router may have to be asked anew
	seek     chan struct{} // there may be somebody to look for at the rendezvous
	moved    atomic.Bool   // the network is another since the last look there
	renew    chan struct{} // the clock is another: something may have to be renewed

	unindexed chan struct{} // there may be something to index
	roomless  chan struct{} // a write has found the disk full
	shares    chan struct{} // there may be something to tell other own devices, or to take over from them
	brings    chan struct{} // another own device may have to be brought into a group

	asked    sync.Mutex   // one answer over an own contact link at a time: who asks twice at once asks again; taken before editing
	editing  sync.Mutex   // one change of friends at a time; held over its transaction, taken before mu
	renewing sync.Mutex   // one change of the own person chain at a time; taken after joining
	joining  sync.Mutex   // one invitation, new device or Setup at a time; taken before making and editing; guards coming
	making   sync.RWMutex // read by whoever makes a group, written by a new device; taken before renewing and editing
	coming   map[wire.GroupID]*coming

	mu         sync.Mutex // guards all below; never held across a store or link call
	running    *running
	ready      bool
	self       group.Self // but for its Headers never changed once ready
	resorts    [][]byte   // own last-resort key packages, as self.Headers name them
	notes      wire.GroupID
	owners     map[wire.GroupID]*owner
	open       wire.GroupID   // the chat that the person has before it, see Look
	looks      []wire.GroupID // the chats looked at last, newest first
	watchers   int            // who watch what changes
	probing    time.Time      // until when all sessions are alert
	friends    map[wire.PersonID]*friend
	own        *friend // the own person, at its other devices; its State is FriendSelf; nil: none was met
	namesakes  *alike  // among the friends; nil: they have changed
	links      map[[16]byte]*ownLink
	settings   map[wire.GroupID]chatSetting
	sessions   map[wire.DeviceID]*peer.Session
	company    uint64 // ms, since when there is a session; 0: there is none
	alone      uint64 // ms, since when there was none, before company; 0: not known
	targets    map[wire.DeviceID]*target
	asks       map[wire.PersonID]*target // of contact links not answered yet
	said       map[wire.PersonID]manners
	greeted    map[*peer.Session]greeting
	givers     map[*peer.Session]*giver
	ways       map[*peer.Session]*way
	sights     sights // from where others see this node
	mapState   portmap.State
	mapped     []string                 // places that the router has opened
	trial      trial                    // whether others can reach it
	relayKey   []byte                   // see ticketOf; nil: nothing is carried for others
	offer      *linkOffer               // a device link of this node's; nil: none was made
	joins      Linking                  // of a node without identity that becomes somebody's device
	found      map[[32]byte]foundRecord // see seekFor.found
	boxes      map[boxID]MailboxView    // but for ID, Place, Own and Chats
	mailNews   map[mailKey]*mailNews
	ownTold    map[boxID]map[wire.DeviceID]bool // of own mailboxes: who knows of them
	finder     *finder                          // nil before it is made
	finderView FinderView
	given      givenShares
	clocks     map[wire.PersonID]int64 // ms by which this clock is ahead of theirs, see ownclock.go
	clockSet   uint64                  // ms, since when it is set as it is
	damaged    []wire.GroupID          // that do not load
	progress   map[wire.GroupID]Coming // of coming, as people see it
	met        map[wire.DeviceID]bool  // who knows the device key that this home has by now
	revoked    bool                    // another copy of this home has revoked its key
	full       bool                    // the disk: nothing can be kept
	copied     bool                    // something was seen that only another copy of this home can do
	healing    wire.DeviceID           // that a new key takes the place of, now or by and by; zero: none since the start
	internet   link.Link
	lan        link.Link
	discovery  *link.LAN
	sightings  sightings
}

// Open opens a home, and makes it if there is none. It starts nothing.
func Open(cfg Config) (*Node, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Home, 0o700); err != nil {
		return nil, startError(cfg, fmt.Errorf("node: home: %w", err))
	}
	n := &Node{
		cfg: cfg, log: cfg.Log, hub: newHub(),
		coming: make(map[wire.GroupID]*coming), progress: make(map[wire.GroupID]Coming),
		begun: make(chan struct{}), stopping: make(chan struct{}), kick: make(chan struct{}, 1), listed: make(chan struct{}), unindexed: make(chan struct{}, 1), roomless: make(chan struct{}, 1), shares: make(chan struct{}, 1), brings: make(chan struct{}, 1), started: nowMS(),
		due: make(chan struct{}, 1), attend: make(chan struct{}, 1), renew: make(chan struct{}, 1), opened: time.Now(),
		owners: make(map[wire.GroupID]*owner), friends: make(map[wire.PersonID]*friend),
		links: make(map[[16]byte]*ownLink), settings: make(map[wire.GroupID]chatSetting), sessions: make(map[wire.DeviceID]*peer.Session),
		targets: make(map[wire.DeviceID]*target), asks: make(map[wire.PersonID]*target), said: make(map[wire.PersonID]manners), greeted: make(map[*peer.Session]greeting), givers: make(map[*peer.Session]*giver), ways: make(map[*peer.Session]*way), found: make(map[[32]byte]foundRecord), seek: make(chan struct{}, 1), remap: make(chan struct{}, 1), mail: make(chan struct{}, 1), boxes: make(map[boxID]MailboxView), mailNews: make(map[mailKey]*mailNews), clocks: make(map[wire.PersonID]int64), given: givenShares{used: make(map[wire.DeviceID]uint64), burst: answerBurst}, met: make(map[wire.DeviceID]bool),
	}
	n.clockSet = n.nowMS()
	n.cfg.Passphrase = nil // its owner's, and not kept
	var err error
	if n.db, err = openStore(cfg, n.diskFull); err != nil {
		return nil, startError(cfg, err)
	}
	if err := n.load(); err != nil {
		n.db.Close()
		return nil, startError(cfg, err)
	}
	return n, nil
}

// startError says of a disk without the little room that a start needs that it is that.
func startError(cfg Config, err error) error {
	if store.Full(err) {
		return &Error{Reason: ReasonNoRoom, Subject: cfg.Home, Err: err}
	}
	return err
}

func openStore(cfg Config, full func()) (*store.DB, error) {
	c := store.Config{Path: filepath.Join(cfg.Home, store.FileName), Plain: cfg.Plain, Full: full}
	var err error
	switch {
	case cfg.Plain:
	case cfg.Passphrase != nil:
		c.Key, err = store.OpenVault(cfg.Home, cfg.Passphrase)
	default:
		c.Key, err = plainKey(cfg.Home)
	}
	if err != nil {
		return nil, err
	}
	return store.Open(c)
}

// KeyFile is the name of the database key's file in a home without passphrase.
const KeyFile = store.KeyName

// plainKey is the key of a home without passphrase.
func plainKey(home string) (store.Key, error) {
	locked, err := store.HasVault(home)
	if err != nil {
		return store.Key{}, err
	}
	if locked {
		return store.Key{}, fail(ReasonPassphrase, home)
	}
	return store.OpenKeyFile(filepath.Join(home, KeyFile))
}

// Close closes the home. Run must have ended.
func (n *Node) Close() error { return n.db.Close() }

// startWait is how long a request waits for a node that is just starting.
const startWait = 2 * time.Second

// me is who this device belongs to, now.
func (n *Node) me() group.Self {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.self
}

func nowMS() uint64 { return uint64(time.Now().UnixMilli()) }

// short forms of ids for logs.
func shortDevice(d wire.DeviceID) string { return d.String()[:8] }
func shortGroup(g wire.GroupID) string   { return g.String()[:8] }
