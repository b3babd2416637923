package sim

import (
	"reflect"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/wire"
)

// shown is property I17 of who keeps no chain at all: by the proof that a member
// makes it believes the same of somebody ever admitted, and what it believed in
// eras before leads it there.
func (r *run) shown(n *Node, m *group.Machine) {
	settlement, settled := m.Settlement(), m.Settled()
	if c := m.Conflict(); c != nil && c.Stopped {
		return // the votes show less than what is pinned
	}
	everyone := m.Blocks().State(settled).Everyone()
	want := everyone[m.Blocks().Len()%len(everyone)]
	newest, shown := r.proof(n, m, settlement, want.Person, 0)
	if shown.Settled.Hash() != settled || shown.Group != r.g || !reflect.DeepEqual(shown.Member, want) {
		fail("a proof by %s shows another settled block, or another member", n.Name)
	}
	somebody := m.Blocks().State(wire.BlockHash(r.g)).Everyone()[0].Person
	for _, eras := range []int{len(settlement) / 2, len(settlement) - 1} {
		if eras < 0 {
			break
		}
		kept, _ := r.proof(n, m, settlement[:eras], somebody, 0)
		if err := newest.Follows(kept); err != nil {
			fail("a proof by %s does not follow one of %d eras in place of %d: %v", n.Name, eras, len(settlement), err)
		}
	}
}

// proof makes a proof, sends it as bytes, and verifies it.
func (r *run) proof(n *Node, m *group.Machine, s chain.Settlement, person wire.PersonID, since uint64) (*chain.Standing, *chain.Shown) {
	made, err := chain.NewStanding(m.Blocks(), s, person, since)
	if err != nil {
		fail("%s cannot prove a member: %v", n.Name, err)
	}
	got, err := chain.ParseStanding(made.Marshal())
	if err != nil {
		fail("the proof that %s made is none: %v", n.Name, err)
	}
	shown, err := got.Verify()
	if err != nil {
		fail("the proof that %s made does not hold: %v", n.Name, err)
	}
	return got, shown
}
