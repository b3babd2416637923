package group

import (
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// A Machine is one group as this device knows it. It is not safe for use by
// several goroutines at once: one owns it.
type Machine struct {
	self   Self
	group  wire.GroupID
	blocks *chain.Blocks
	graph  *dag.Graph
	votes  *chain.Votes
	head   wire.BlockHash
	status Status

	publics map[wire.BlockHash]*mls.PublicGroup
	trees   map[wire.BlockHash]bool // whose public group is stored, see trees.go
	epochs  map[wire.BlockHash]*epoch
	joined  wire.BlockHash // the block this device came in by

	replaced wire.BlockHash // the newest block by which a copy of this device took its place; zero: none

	acks     map[wire.DeviceID]*dag.Ack // all that they name is here
	reaches  map[wire.DeviceID]*dag.Reach
	infos    map[wire.Digest][]byte
	leaves   map[wire.PersonID]*pendingLeave
	wanted   map[wire.BlockHash]wire.DeviceID // not here: who named them, see shed.go
	welcomes map[wire.BlockHash]welcome
	tips     map[wire.DeviceID]tip        // newest checked entry of each device
	passed   map[dag.Ref][]byte           // headers of entries that are no tips any more, see keepTip
	late     map[dag.Ref]Packed           // of removed authors, see quarantine.go
	vouched  map[dag.Ref][]wire.BlockHash // not here yet, or open: at which blocks it is named by what counts
	waiting  map[dag.Ref]*dag.Header      // whose parents are not here
	hollow   map[dag.Ref]bool             // whose text is not here, see hollow.go

	gone     gone                 // messages that are deleted, and as what
	deleting map[dag.Ref]deleting // of entries that wait for others
	blank    map[Target][]dag.Ref // entries that are hollow or missed, by what they are

	windows map[wire.DeviceID]*window // what nobody covers, see uncovered.go
	cited   map[wire.DeviceID]uint64  // up to where entries of a device are named by others', since the start
	covered uint64                    // up to where own entries were last known to be
	crowded bool                      // something was not taken in

	nacks    map[wire.BlockHash]map[wire.DeviceID]*chain.Nack
	people   map[wire.PersonID]*personPapers
	evidence map[wire.DeviceID]*evidence
	signings map[signing]wire.BlockHash // the first block held of each

	voter     chain.Voter
	ballots   ballots          // what is stored of the votes
	silence   silence          // of voters
	company   company          // since when who is silent
	parts     parts            // of the graph, as stored
	leftovers []leftover       // that a start found
	shelf     shelf            // what may be handed over
	missed    map[dag.Ref]bool // written while this device was parked, not here yet
	earlier   earlier          // what was said before this device came

	expiring expiring // what disappears, see expiry.go
	reading  reading  // how far its person has read, see marks.go
	typed    uint64   // ms; when it was last said that this device's person is writing; 0: it is not

	undone map[wire.BlockHash]bool // own blocks that lost, until what they did is done again
	unsent map[uint64]unsent       // own entries by number
	doubts doubts                  // those of earlier devices of this home
	spoke  wire.BlockHash          // at which this device last said something
	held   []heldMessage           // composed while a removal was to be carried over

	authorSeq uint64 // of the newest block this device signed
	ackSeq    uint64
	reachSeq  uint64
	acked     wire.Digest // frontier of the newest own Ack
	missing   int         // as last announced

	missingFrom []wire.PersonID // of whom entries are asked, as last announced

	// Not stored: what follows from blocks.
	past        *register
	carrying    carrying
	silents     silentDevices
	aside       aside
	voided      wire.BlockHash // the block whose key package was said to be void
	handover    handover
	missedTold  int                      // of missed, as last announced
	said        announcements            // of the leaves at the head
	spreading   spreading                // who takes part in the tree
	spoken      map[wire.DeviceID]spoken // by the chain; of those whose leaf says less than was asked for
	chainShares chainShares
	falseShares falseShares
	pageRoom    int                         // bytes of a page that is given, maxPage
	allRoom     int                         // bytes of an invitation of whole blocks, maxInvitation
	final       final                       // what is settled, as last announced
	names       map[wire.Digest]wire.Digest // evidence cited for a person, to its name's commitment

	// Not stored: what stands between this machine and its peers now.
	peers     map[wire.DeviceID]*peer
	seeking   seeking // of blocks
	fetch     fetch
	lastAsked wire.DeviceID               // who was asked last for entries, by a frontier
	asked     []asked                     // requests for entries by heads that are under way, oldest first
	chase     *chase                      // nil: nothing is fetched in stretches
	askedLast wire.DeviceID               // who was asked last by heads
	elsewhere bool                        // this device's person looks at another chat,
	chaseDue  uint64                      // ms; for which the next stretch waits
	table     table                       // of the block it was asked for last
	ackWaits  map[wire.DeviceID]*ackWait  // Acks that name what is not here
	ackLooked int                         // entries when these were looked at last
	ackTurn   uint64                      // counts changes of acks
	ackWaited uint64                      // counts Acks that had to wait
	ackedUpTo map[wire.DeviceID]ackedUpTo // by author
	ackWay    ackWay
	ackers    ackers     // who writes Acks, at the head
	catchUp   *gathering // blocks that come in pages
	back      rejoin
	asking    wire.DeviceID // who was asked last for keys
	mend      repair
	tried     map[wire.BlockHash]wire.Digest // Welcomes of Restarts that were tried
	willing   bool                           // its person has said to come back, whoever it shuts out
	turned    map[wire.BlockHash]bool        // epochs whose ratchets this step has moved
	astray    map[wire.DeviceID]bool         // whose leap ended at what cannot be read
	ackDue    uint64                         // ms; 0: none
	pace      pace                           // of the own Acks
	fewAckers int                            // up to how many devices say at once what has come, and each to each
	prompt    prompt                         // who waits for Acks
	telling   telling                        // who needs to be told of an entry
	pruneDue  uint64                         // ms; 0: no secrets wait to be deleted
	toldLast  wire.DeviceID                  // in a large group: who was sent the digest last
	digestDue uint64                         // ms; 0: none
	voteDue   uint64                         // ms; when the own voter is asked again; 0: at news
	lateLook  bool                           // after a start: what was kept back may count
	electLook bool                           // something happened that may change who is to vote
	electDue  uint64                         // ms; when this device changes the electorate; 0: it needs no change
	now       uint64                         // ms; of the newest input
	restraint uint64                         // elapsed, when the voters began to lag behind; 0: they do not
	elapsed   uint64                         // ms that went by between inputs; never goes back
	turns     map[errandName]*turn
	question  question // of messages on a branch that lost
	heard     uint64   // Acks taken since the start
	hollowed  int      // hollow entries since the start
	renewal   renewal  // of the own leaf
	errandDue uint64   // ms; 0: no errand waits

	sound     map[wire.BlockHash]*mls.PublicGroup // of publics, what CheckInvariants has looked at,
	soundHead *mls.Epoch                          // and of the epochs of heads
}

// An epoch is what this device can read and write with at one block.
type epoch struct {
	secret   *mls.Epoch
	ratchets *mls.Ratchets
	since    uint64 // ms; when its successor became known, 0: it is the newest
}

// A tip is the newest entry of a device, whole, because a floor and a cut name
// it.
type tip struct {
	ref    dag.Ref
	header []byte
}

func newMachine(self Self) *Machine {
	m := &Machine{
		self:        self,
		blocks:      chain.NewBlocks(),
		silence:     make(silence),
		company:     newCompany(),
		parts:       parts{every: partEvery, beside: make(map[dag.Ref]bool)},
		pageRoom:    maxPage,
		chainShares: make(chainShares),
		falseShares: make(falseShares),
		allRoom:     maxInvitation,
		shelf:       make(shelf),
		missed:      make(map[dag.Ref]bool),
		expiring:    expiring{ends: endings{of: make(map[dag.Ref]ending), unsure: make(map[dag.Ref]bool)}, settings: make(map[dag.Ref]setting)},
		earlier:     earlier{lacking: make(map[dag.Ref]bool), vouch: make(map[dag.Ref]wire.BlockHash), ended: make(map[wire.PersonID]bool)},

		electLook: true,
		publics:   make(map[wire.BlockHash]*mls.PublicGroup),
		trees:     make(map[wire.BlockHash]bool),
		epochs:    make(map[wire.BlockHash]*epoch),
		acks:      make(map[wire.DeviceID]*dag.Ack),
		reaches:   make(map[wire.DeviceID]*dag.Reach),
		infos:     make(map[wire.Digest][]byte),
		leaves:    make(map[wire.PersonID]*pendingLeave),
		wanted:    make(map[wire.BlockHash]wire.DeviceID),
		welcomes:  make(map[wire.BlockHash]welcome),
		tips:      make(map[wire.DeviceID]tip),
		passed:    make(map[dag.Ref][]byte),
		late:      make(map[dag.Ref]Packed),
		vouched:   make(map[dag.Ref][]wire.BlockHash),
		waiting:   make(map[dag.Ref]*dag.Header),
		astray:    make(map[wire.DeviceID]bool),
		hollow:    make(map[dag.Ref]bool),
		gone:      newGone(),
		deleting:  make(map[dag.Ref]deleting),
		blank:     make(map[Target][]dag.Ref),
		windows:   make(map[wire.DeviceID]*window),
		cited:     make(map[wire.DeviceID]uint64),
		names:     make(map[wire.Digest]wire.Digest),
		ackWaits:  make(map[wire.DeviceID]*ackWait),
		ackedUpTo: make(map[wire.DeviceID]ackedUpTo),
		peers:     make(map[wire.DeviceID]*peer),
		undone:    make(map[wire.BlockHash]bool),
		unsent:    make(map[uint64]unsent),
		doubts:    doubts{of: make(map[doubt]unsent)},
		nacks:     make(map[wire.BlockHash]map[wire.DeviceID]*chain.Nack),
		people:    make(map[wire.PersonID]*personPapers),
		evidence:  make(map[wire.DeviceID]*evidence),
		signings:  make(map[signing]wire.BlockHash),
		tried:     make(map[wire.BlockHash]wire.Digest),
		turned:    make(map[wire.BlockHash]bool),
	}
	m.fewAckers, m.prompt = maxFewAckers, newPrompt()
	m.votes = chain.NewVotes(m.blocks)
	m.voter = chain.Voter{Device: self.Device.ID(), Follows: m.follows}
	m.ballots = ballots{votes: make(map[string]bool), evidence: make(map[wire.DeviceID]*chain.Evidence)}
	return m
}

// Group returns the group's id.
func (m *Machine) Group() wire.GroupID { return m.group }

// Step takes one input and returns what is to be done about it. A *Refusal says
// why an input of this device's own person was not taken; the machine is then
// unchanged. What a peer sends is never an error: a broken rule comes back as
// a [Misbehaved] event.
func (m *Machine) Step(in Input) (Effects, error) {
	var eff Effects
	var err error
	m.clock(in.Now)
	m.reckon(in)
	switch c := in.Cause.(type) {
	case Tick:
	case PeerUp:
		m.peerUp(in.Now, c.Peer, &eff)
	case PeerDown:
		m.peerDown(c.Device)
	case Received:
		if c.Away {
			m.receivedAway(in.Now, c, &eff)
		} else {
			m.received(in.Now, c, &eff)
		}
	case Confirm:
		if m.speaks() && m.ackDue != 0 {
			m.signAck(in.Now, &eff)
		}
	case Compose:
		err = m.compose(in.Now, c, &eff)
	case Sort:
		m.sort(c.Rows, &eff)
	case Invite:
		err = m.invite(in.Now, c.Newcomers, &eff)
	case Remove:
		err = m.remove(in.Now, c.Person, &eff)
	case SetRole:
		err = m.setRole(in.Now, c, &eff)
	case SetTitle:
		err = m.setTitle(in.Now, c.Title, &eff)
	case SetHistory:
		err = m.setHistory(in.Now, c, &eff)
	case SetVoters:
		err = m.setVoters(in.Now, c.People, &eff)
	case Rekey:
		err = m.rekey(in.Now, &eff)
	case Publish:
		err = m.publish(in.Now, c.Packages, &eff)
	case Accept:
		err = m.accept(in.Now, &eff)
	case Leave:
		err = m.leave(in.Now, c.Successor, &eff)
	case Park:
		err = m.parkDevice(in.Now, c.Device, &eff)
	case AddDevice:
		err = m.addDevice(in.Now, c, &eff)
	case RemoveDevice:
		err = m.removeDevice(in.Now, c, &eff)
	case Restart:
		err = m.restart(in.Now, c, &eff)
	case SetPerson:
		err = m.setPerson(c, &eff)
	case Rejoin:
		err = m.rejoin(in.Now, &eff)
	case Resend:
		err = m.resend(in.Now, c, &eff)
	case Attend:
		m.elsewhere = c.Elsewhere
	case Typing:
		err = m.typing(in.Now, c, &eff)
	case Read:
		m.markRead(in.Now, c)
	case SetReach:
		m.setReach(c, &eff)
	default:
		err = errors.New("group: unknown input")
	}
	if err != nil {
		return Effects{}, err
	}
	m.due(in.Now, &eff)
	return m.finish(in.Now, eff), nil
}

// finish adds what every step ends with: the missing count, the
// ratchets as the entries of the step left them, and the next wake.
func (m *Machine) finish(now uint64, eff Effects) Effects {
	m.tellMissing(&eff)
	if n := len(m.missed); n != m.missedTold {
		m.missedTold = n
		eff.Notify = append(eff.Notify, MissedChanged{n})
	}
	m.tellEarlier(&eff)
	for _, hash := range sortedBlocks(m.turned) {
		if e := m.epochs[hash]; e != nil {
			m.keepRatchets(hash, e, &eff)
		}
	}
	clear(m.turned)
	m.keepParts(&eff)
	// The same step may have ended the membership of who asked, or was told.
	eff.Serve = slices.DeleteFunc(eff.Serve, func(s Serve) bool { return !m.state().Belongs(s.To) })
	eff.Send = slices.DeleteFunc(eff.Send, func(f Frame) bool {
		kind := f.Payload[0]
		keys := kind == frameKeys && m.peers[f.To] != nil && m.mayEnter(m.peers[f.To])
		asks := kind == framePages && f.Payload[1] == pagesAsk    // of who invites, whom this device may not know yet
		ending := kind == framePages && f.Payload[1] == pagesPage // of what a former member asked for, see onFormerAsk
		public := kind == frameBlocks || kind == frameDigest || kind == frameVotes
		return !public && !keys && !asks && !ending && !m.state().Belongs(f.To)
	})
	m.voidPackage(&eff)
	eff.Wake = m.wake(now)
	return eff
}

// state is the membership at the head.
func (m *Machine) state() *chain.State { return m.blocks.State(m.head) }

// mayWrite reports whether this device may sign anything in the group now.
func (m *Machine) mayWrite() error {
	if m.status != StatusActive {
		return refuse(ReasonNotActive, nil)
	}
	switch {
	case m.outside():
		return refuse(ReasonNewKey, nil)
	case m.epochs[m.head] != nil:
		return nil
	case m.wasReplaced():
		return refuse(ReasonReplaced, nil)
	}
	return refuse(ReasonNoKeys, nil)
}

// connected returns the devices of members with which a session is up and that
// have named the group, ascending, so that effects are the same in every run.
func (m *Machine) connected(named bool) []wire.DeviceID {
	var list []wire.DeviceID
	s := m.state()
	for d, p := range m.peers {
		if s.Belongs(d) && (p.named || !named) {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, compareID)
	return list
}
