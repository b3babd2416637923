package node

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// IncidentKind says what happened to a group.
type IncidentKind uint8

// Incidents.
const (
	IncidentSettled   IncidentKind = 1  // more can no longer be undone
	IncidentTwice     IncidentKind = 2  // two blocks that exclude each other are settled
	IncidentElsewhere IncidentKind = 3  // the same, of which one was settled here before and stays
	IncidentVoted     IncidentKind = 4  // a device voted twice
	IncidentSigned    IncidentKind = 5  // a device signed two blocks or entries in one place
	IncidentStuck     IncidentKind = 6  // a device cannot follow the keys of a block
	IncidentRestarted IncidentKind = 7  // the keys were started anew
	IncidentParked    IncidentKind = 8  // a device was set aside
	IncidentRejoined  IncidentKind = 9  // a device came back into the keys
	IncidentSplit     IncidentKind = 10 // the group was split and is whole again
	IncidentStill     IncidentKind = 11 // too few voters are left: nothing more becomes final
)

// An Incident is what happened to a group, beside what its members do and say.
type Incident struct {
	Kind    IncidentKind
	Chat    wire.GroupID
	Person  Person        // whose device it is about, or who did it; with a zero ID: nobody
	Device  wire.DeviceID // zero: none
	Own     bool          // that is this device
	Block   wire.BlockHash
	Height  uint64   // of Block
	Author  Person   // of Block
	By      []Person // of IncidentSettled: who voted
	Round   uint64
	Split   *Split
	Stopped bool // of IncidentTwice: what is known of the liars decides nothing
	What    chain.SlashKind
	Proof   []Exhibit
}

// An Exhibit is an object as somebody signed it. Of Header, Entry and Vote one is
// set, or none for a whole set of votes.
type Exhibit struct {
	Hash    wire.Digest
	Bytes   []byte
	Header  *chain.Header
	Changes []Change // of Header
	Entry   *dag.Header
	Vote    *chain.Vote
	Height  uint64 // of the block that Vote is for
}

// Happened: something happened to a group.
type Happened struct{ Incident Incident }

func (Happened) change() {}

// incidents makes of what a step tells what people hear of. It runs in the
// owner's goroutine.
func (o *owner) incidents(events []group.Event) (list []Incident) {
	m := o.machine
	branched, moved := false, false
	for _, e := range events {
		switch e := e.(type) {
		case group.Settled:
			moved = true
			f := m.Finality()
			in := o.incident(IncidentSettled, wire.Member{}, e.Block)
			in.By, in.Round = o.people(f.By), f.Round
			list = append(list, in)
		case group.SettledTwice:
			list = append(list, o.conflict(m.Finality().Conflict)...)
		case group.VotedTwice:
			list = append(list, o.proved(e.Device.Device, func(k chain.SlashKind) bool { return k == chain.SlashVotes })...)
		case group.SignedTwice:
			list = append(list, o.proved(e.Device, func(k chain.SlashKind) bool { return k == e.What })...)
		case group.CannotFollow:
			list = append(list, o.incident(IncidentStuck, m.Own(), e.Block))
		case group.Nacked:
			list = append(list, o.incident(IncidentStuck, m.MemberOf(e.Device), e.Block))
		case group.Rejoined:
			list = append(list, o.incident(IncidentRejoined, m.MemberOf(e.Device), e.Block))
		case group.HeadChanged:
			branched, moved = true, true
			list = append(list, o.told(e.Blocks)...)
		case group.BranchChanged:
			branched = true
		}
	}
	if branched {
		if in, ok := o.healed(); ok {
			list = append(list, in)
		}
	}
	if moved {
		before := o.still
		if o.still = o.standstill(); o.still && !before {
			list = append(list, o.incident(IncidentStill, wire.Member{}, m.Settled()))
		}
	}
	return list
}

// standstill reports whether too few voters are left to settle what is open.
func (o *owner) standstill() bool {
	m := o.machine
	f, head := m.Finality(), m.Blocks().State(m.Head())
	if f.Voting == 0 || head.DirectChat() {
		return false
	}
	left := 0
	for _, v := range m.Voters() {
		if slices.Contains(f.Voted, v.Person) || o.votes(head, v) {
			left++
		}
	}
	return left < f.Quorum
}

// votes reports whether a voter's device can vote, as far as is known here.
func (o *owner) votes(head *chain.State, v wire.Member) bool {
	return head.Belongs(v.Device) && !(v.Device == o.machine.Device() && o.machine.Finality().Excluded)
}

func (o *owner) incident(kind IncidentKind, who wire.Member, block wire.BlockHash) Incident {
	m := o.machine
	in := Incident{Kind: kind, Chat: o.id, Device: who.Device, Own: who.Device == m.Own().Device, Block: block}
	if who.Person != (wire.PersonID{}) {
		in.Person = o.n.personIn(m, who.Person)
	}
	if h := m.Blocks().Header(block); h != nil {
		in.Height, in.Author = h.Height, o.n.personIn(m, h.Author.Person)
	}
	return in
}

// told is what blocks that are new on the chain did to keys. Of a chain that comes
// whole nothing is told.
func (o *owner) told(blocks []wire.BlockHash) (list []Incident) {
	for _, hash := range blocks {
		h := o.machine.Blocks().Header(hash)
		if h.IsGenesis() {
			return nil
		}
		for _, op := range h.Ops {
			switch op := op.(type) {
			case *chain.Restart:
				list = append(list, o.incident(IncidentRestarted, h.Author, hash))
			case *chain.Park:
				list = append(list, o.incident(IncidentParked, wire.Member{Person: op.Person, Device: op.Device}, hash))
			}
		}
	}
	return list
}

// A lastSplit is the newest split of a group as it was told last.
type lastSplit struct {
	Split
	fork uint64 // height of the block after which it was
	lost int    // how many blocks were off the chain
}

// splitOver is how many blocks above a split it may still be told anew, as what it
// undid is done again. To look takes all blocks, so a new one alone is no reason.
const splitOver = 64

// healed is the newest split of the group, if it is not as it was told last.
// Renewed keys that were undone bother nobody.
func (o *owner) healed() (Incident, bool) {
	height := o.machine.Blocks().Header(o.machine.Head()).Height
	open := o.split.Undone > o.split.Again && height <= o.split.fork+splitOver
	if lost := o.machine.Blocks().Len() - 1 - int(height); lost == 0 || lost == o.split.lost && !open {
		return Incident{}, false
	}
	before := o.split.Split
	fork := o.lookForSplit()
	if s := o.split.Split; s.Undone > 0 && s != before {
		in := o.incident(IncidentSplit, wire.Member{}, fork)
		in.Split = &s
		return in, true
	}
	return Incident{}, false
}

// lookForSplit takes note of the newest split, and returns the block after which
// it was.
func (o *owner) lookForSplit() (fork wire.BlockHash) {
	b, head := o.machine.Blocks(), o.machine.Head()
	o.split = lastSplit{lost: b.Len() - 1 - int(b.Header(head).Height)}
	if o.split.lost == 0 {
		return fork
	}
	for hash, d := range draw(b, head, o.machine.InfoText, nil) {
		if height := b.Header(hash).Height; d.Split != nil && (fork == wire.BlockHash{} || height > o.split.fork) {
			fork, o.split.fork, o.split.Split = hash, height, *d.Split
		}
	}
	return fork
}

// standing is what there is against whom, and what conflicts.
func (o *owner) standing(c *chain.Conflict) []Incident {
	return append(o.conflict(c), o.proved(wire.DeviceID{}, func(chain.SlashKind) bool { return true })...)
}

func (o *owner) conflict(c *chain.Conflict) []Incident {
	if c == nil {
		return nil
	}
	in := o.incident(IncidentTwice, wire.Member{}, c.Blocks[0])
	if in.Stopped = c.Stopped; c.Kept {
		in.Kind = IncidentElsewhere
	}
	for _, w := range c.Warrants {
		if w != nil {
			in.Proof = append(in.Proof, Exhibit{Hash: wire.Digest(w.Block), Bytes: w.Marshal(), Height: o.height(w.Block)})
		}
	}
	return []Incident{in}
}

func (o *owner) height(hash wire.BlockHash) uint64 {
	if h := o.machine.Blocks().Header(hash); h != nil {
		return h.Height
	}
	return 0
}

// proved returns what there is against a device, zero for all, of some kinds.
func (o *owner) proved(device wire.DeviceID, of func(chain.SlashKind) bool) (list []Incident) {
	for _, p := range o.machine.Proofs() {
		if device != (wire.DeviceID{}) && p.Device.Device != device || !of(p.What) {
			continue
		}
		kind := IncidentSigned
		if p.What == chain.SlashVotes {
			kind = IncidentVoted
		}
		in := o.incident(kind, p.Device, p.Block)
		in.What = p.What
		for _, raw := range [][]byte{p.First, p.Second} {
			if x, ok := o.exhibit(p.What, raw); ok {
				in.Proof = append(in.Proof, x)
			}
		}
		list = append(list, in)
	}
	return list
}

func (o *owner) exhibit(what chain.SlashKind, raw []byte) (x Exhibit, ok bool) {
	x.Bytes = raw
	var err error
	switch what {
	case chain.SlashBlocks:
		if x.Header, err = chain.ParseHeader(raw); err != nil {
			return x, false
		}
		x.Hash, x.Height = wire.Digest(x.Header.Hash()), x.Header.Height
		for _, op := range x.Header.Ops {
			x.Changes = append(x.Changes, o.n.change(o.machine, op))
		}
	case chain.SlashEntries:
		if x.Entry, err = dag.ParseHeader(raw); err != nil {
			return x, false
		}
		x.Hash = wire.Digest(x.Entry.Hash())
	case chain.SlashVotes:
		if x.Vote, err = chain.ParseVote(raw); err != nil {
			return x, false
		}
		x.Hash, x.Height = x.Vote.Hash(), o.height(x.Vote.Block)
	}
	return x, true
}
