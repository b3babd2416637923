package group

import (
	"bytes"
	"cmp"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// What people are shown of votes, and of those who break the rules: for each
// block who settled it or is waited for, and what there is against whom.

// A Settling is the votes that settled Block, and with it what stands between it
// and the Settling before.
type Settling struct {
	Block  wire.BlockHash
	Height uint64
	Round  uint64
	By     []wire.PersonID
}

// Settlings returns by whose votes what is settled is settled, one of each era,
// oldest first. Of what was settled by votes that are not held any more there is
// none.
func (m *Machine) Settlings() (list []Settling) {
	for _, w := range m.votes.Settlement() {
		round := w.Votes[len(w.Votes)-1].Round
		list = append(list, Settling{w.Block, m.blocks.Header(w.Block).Height, round, m.voted(w.Votes, round)})
	}
	return list
}

// Settlement returns the votes by which what is settled is settled, for whoever
// holds no more than the headers.
func (m *Machine) Settlement() chain.Settlement { return m.votes.Settlement() }

// Conflict returns two settled blocks that exclude each other; nil: there are none.
func (m *Machine) Conflict() *chain.Conflict { return m.votes.Conflict() }

// IsSettled reports whether a block stays for ever.
func (m *Machine) IsSettled(hash wire.BlockHash) bool { return m.votes.IsSettled(hash) }

// Newest returns for what each voter of the current era voted last.
func (m *Machine) Newest() map[wire.PersonID]wire.BlockHash {
	newest, rounds := make(map[wire.PersonID]wire.BlockHash), make(map[wire.PersonID]uint64)
	for _, v := range m.current() {
		who, _, _ := m.stateAt(v.Era).Device(v.Device)
		if v.Round >= rounds[who.Person] {
			newest[who.Person], rounds[who.Person] = v.Block, v.Round
		}
	}
	return newest
}

// A Proof is two things that one device signed, of which an honest one signs only
// one.
type Proof struct {
	Device        wire.Member
	What          chain.SlashKind
	First, Second []byte         // headers of blocks or of entries, or votes
	Block         wire.BlockHash // by which the device was taken out for it; zero: by none yet
}

// Proofs returns what there is against devices: what is held, and what blocks of
// the chain cite that took one out.
func (m *Machine) Proofs() (list []Proof) {
	add := func(p Proof) {
		if !slices.ContainsFunc(list, func(o Proof) bool { return o.Device == p.Device && o.What == p.What }) {
			list = append(list, p)
		}
	}
	for _, hash := range m.Chain() {
		for op, cited := range m.citations(hash) {
			if s, ok := op.(*chain.Slash); ok && len(cited) == 2 {
				add(Proof{wire.Member{Person: s.Person, Device: s.Device}, s.What, cited[0], cited[1], hash})
			}
		}
	}
	for _, d := range sortedDevices(m.evidence) {
		who, _, _ := m.state().Device(d)
		e := m.evidence[d]
		add(Proof{wire.Member{Person: who.Person, Device: d}, e.what, e.first, e.second, wire.BlockHash{}})
	}
	for _, e := range m.votes.Evidence() {
		who, _, _ := m.stateAt(e.A.Era).Device(e.Device())
		add(Proof{wire.Member{Person: who.Person, Device: e.Device()}, chain.SlashVotes, e.A.Marshal(), e.B.Marshal(), wire.BlockHash{}})
	}
	return list
}

// citations gives each op of a block with what it cites of the body.
func (m *Machine) citations(hash wire.BlockHash) func(yield func(chain.Op, [][]byte) bool) {
	return func(yield func(chain.Op, [][]byte) bool) {
		body := m.blocks.Body(hash)
		if body == nil {
			return
		}
		cited := body.Attachments
		for _, op := range m.blocks.Header(hash).Ops {
			n := min(len(chain.Cites(op)), len(cited))
			if !yield(op, cited[:n]) {
				return
			}
			cited = cited[n:]
		}
	}
}

// Stuck returns whose devices said that they could not follow the keys of a block
// that is held, by device.
func (m *Machine) Stuck(hash wire.BlockHash) (list []wire.Member) {
	for _, d := range sortedDevices(m.nacks[hash]) {
		who, _, _ := m.state().Device(d)
		list = append(list, wire.Member{Person: who.Person, Device: d})
	}
	slices.SortFunc(list, func(a, b wire.Member) int {
		return cmp.Or(comparePerson(a.Person, b.Person), bytes.Compare(a.Device[:], b.Device[:]))
	})
	return list
}

// Own returns this device.
func (m *Machine) Own() wire.Member { return m.self.Member() }

// MemberOf returns a device that was ever admitted, with its person.
func (m *Machine) MemberOf(device wire.DeviceID) wire.Member {
	who, _, _ := m.state().Device(device)
	return wire.Member{Person: who.Person, Device: device}
}
