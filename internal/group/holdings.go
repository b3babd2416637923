package group

import (
	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// A Holding is one thing that others can make this device hold, how much of it is
// held, and the most there can be whatever they do. docs/spec/group.md, "Limits",
// has the same lines by the same names.
type Holding struct {
	Name       string
	Held, Most int
}

// Holdings returns what others made this device hold. It walks through all of it:
// tests call it after every step, and whoever wants to show it.
func (m *Machine) Holdings() []Holding {
	devices, people := m.everKnown()
	siblings, strangers, room := m.siblings(), m.newSiblings(), 0
	if siblings > chain.MaxSiblings || strangers > chain.MaxNewSiblings {
		room = len(m.named()) + len(m.wanted)
	}
	return []Holding{
		{"blocks of one device at one height that nothing is built on", siblings, chain.MaxSiblings + room},
		{"blocks likewise of one person's devices that what is settled does not know", strangers, chain.MaxNewSiblings + room},
		{"blocks that are wanted", len(m.wanted), maxWanted * devices},
		{"public groups in memory", len(m.publics), maxTrees + 1},
		{"epochs", len(m.epochs), m.blocks.Len()},
		{"numbers of blocks signed", len(m.signings), m.blocks.Len()},
		{"bytes of a Welcome", m.largestWelcome(), welcomeRoom + maxRestart*welcomeDevice},
		{"Welcomes", len(m.welcomes), m.blocks.Len()},
		{"Welcomes of Restarts that were tried", len(m.tried), len(m.welcomes)},
		{"Nacks", m.nackCount(), maxNacks * devices},
		{"evidence", len(m.evidence), devices},
		{"votes", len(m.ballots.votes), m.votes.Room()},
		{"evidence by votes", len(m.ballots.evidence), devices},
		{"silent voters", len(m.silence), devices},
		{"devices heard", len(m.company.heard), devices},
		{"contents kept for who was parked", m.shelf.len(), m.graph.Len() + dag.MaxParked},
		{"contents that are missed", len(m.missed), m.graph.Len() + dag.MaxParked},
		{"entries that wait for others", len(m.waiting), dag.MaxParked},
		{"entries beside the parts of the graph", len(m.parts.beside), dag.MaxParked + m.parts.every},
		{"names of entries not here", len(m.vouched), maxVouched},
		{"entries kept back", len(m.late), maxQuarantine},
		{"entries without their text", len(m.hollow), maxHollow},
		{"room for keys of messages passed over", m.keysKept(), mls.MaxKept},
		{"deleted messages", m.gone.len(), (m.graph.Len() + dag.MaxParked) * (MaxVersions + 1)},
		{"Deletes that wait for others", len(m.deleting), dag.MaxParked},
		{"entries of one device that nobody covers", m.mostUncovered(), m.mostEntries()},
		{"newest entries", len(m.tips), devices},
		{"Acks", len(m.acks), devices},
		{"Acks that wait for others", m.ackWaiting(), maxAckWaits * devices},
		{"Acks to be passed on", len(m.ackWay.news), devices},
		{"devices that wait for an Ack", max(len(m.prompt.owed), len(m.prompt.unread)), devices},
		{"devices whose entries came by somebody", len(m.prompt.ways), devices},
		{"Acks on their way to who waits for them", m.relays(), maxPromptAckers * maxPromptAckers},
		{"Reaches", len(m.reaches), devices},
		{"Leaves", len(m.leaves), people},
		{"names and titles", len(m.infos), people + m.blocks.Len()},
		{"names read", len(m.names), maxNames + people},
		{"papers", len(m.people), people},
		{"bytes of papers", m.largestPapers(), maxProof + maxPackages*maxPackage},
		{"own blocks to be done again", len(m.undone), m.blocks.Len()},
		{"messages that wait", len(m.held), maxHeld},
		{"own entries to be sealed again", len(m.unsent), maxUnsent},
		{"own entries of earlier devices", len(m.doubts.of), maxUnsent},
		{"errands", len(m.turns), people + m.blocks.Len() + 4},
		{"bytes of a chain that comes in pieces", m.catchUp.held(), maxGathered},
		{"requests for entries", len(m.asked), maxStretches},
		{"stretches that nobody gave yet", m.openStretches(), maxStretches + 1},
		{"heads of a peer", m.mostHeads(), maxHeads},
		{"parts of a peer's frontier", m.largestFrontier(), dag.MaxDevices},
	}
}

// everKnown counts the devices and people that the head or a branch ever knew.
func (m *Machine) everKnown() (devices, people int) {
	known, persons := make(map[wire.DeviceID]bool), make(map[wire.PersonID]bool)
	for _, tip := range append(m.blocks.Tips(), m.head) {
		for _, who := range m.stateAt(tip).Everyone() {
			persons[who.Person] = true
			for _, d := range who.Devices {
				known[d.ID] = true
			}
		}
	}
	return len(known), len(persons)
}

// siblings returns the most blocks that one device has at one height, of those
// that nothing is built on and no entry names.
func (m *Machine) siblings() (most int) {
	type place struct {
		device wire.DeviceID
		height uint64
	}
	count := make(map[place]int)
	for _, tip := range m.blocks.Tips() {
		if h := m.blocks.Header(tip); !m.graph.Names(tip) {
			at := place{h.Author.Device, h.Height}
			count[at]++
			most = max(most, count[at])
		}
	}
	return most
}

// newSiblings returns the most that all devices of one person have there together
// of which the settled block knows nothing.
func (m *Machine) newSiblings() (most int) {
	settled := m.stateAt(m.votes.Settled())
	if settled == nil || settled.OfPerson() {
		return 0
	}
	type place struct {
		person wire.PersonID
		height uint64
	}
	count := make(map[place]int)
	for _, tip := range m.blocks.Tips() {
		h := m.blocks.Header(tip)
		if of, _, known := settled.Device(h.Author.Device); known && of.Person == h.Author.Person || m.graph.Names(tip) {
			continue
		}
		at := place{h.Author.Person, h.Height}
		count[at]++
		most = max(most, count[at])
	}
	return most
}

func (m *Machine) nackCount() (n int) {
	for _, list := range m.nacks {
		n += len(list)
	}
	return n
}

func (m *Machine) largestWelcome() (most int) {
	for _, w := range m.welcomes {
		most = max(most, len(w.message)+len(w.floor))
	}
	return most
}

func (m *Machine) largestPapers() (most int) {
	for _, p := range m.people {
		size := len(p.proof)
		for _, kp := range p.packages {
			size += len(kp)
		}
		most = max(most, size)
	}
	return most
}

func (m *Machine) openStretches() int {
	if m.chase == nil {
		return 0
	}
	return len(m.chase.open)
}

func (m *Machine) mostHeads() (most int) {
	for _, p := range m.peers {
		most = max(most, len(p.theirs.heads), len(p.theirs.barren), len(p.theirs.early))
	}
	return most
}

func (m *Machine) largestFrontier() (most int) {
	for _, p := range m.peers {
		most = max(most, len(p.frontier), len(p.barren))
	}
	return most
}
