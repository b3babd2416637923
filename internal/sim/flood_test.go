package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Property I16: what a hostile member makes us hold is bounded, and nothing honest
// is lost by that. That no line of docs/spec/group.md, "Limits", is passed is
// looked at after every step of every test; here somebody tries to.

// A past is a block at which a member had the keys.
type past struct {
	block wire.BlockHash
	epoch *mls.Epoch
}

func pastOf(t testing.TB, n *sim.Node, g wire.GroupID) past {
	return past{machine(n, g).Head(), epochOf(t, n, g)}
}

// variant is a Rekey of n's on a block of the past; each is another block. step is
// added to the author_seq.
func (p past) variant(t testing.TB, n *sim.Node, g wire.GroupID, step uint64) (wire.BlockHash, []byte) {
	t.Helper()
	return p.sign(t, n, g, step, &chain.Rekey{})
}

// sign is variant for an op that no leaf comes or goes by.
func (p past) sign(t testing.TB, n *sim.Node, g wire.GroupID, step uint64, op chain.Op) (wire.BlockHash, []byte) {
	t.Helper()
	state := machine(n, g).Blocks().State(p.block)
	h, _, err := chain.Draft(state, chain.DraftParams{
		Suite: state.Suite(), Parent: p.block, Group: g, Author: n.Self.Member(),
		AuthorSeq: state.LastSeq(n.Self.Device.ID()) + 1 + step, Ops: []chain.Op{op}, CreatedAt: 1,
	})
	must(t, err)
	core := h.Core()
	staged, err := p.epoch.Commit(mls.CommitParams{AuthenticatedData: core[:], Signer: n.Self.Device})
	must(t, err)
	public := staged.Next.Public()
	body := &chain.Body{Commit: staged.Commit.Bytes()}
	external := wire.Digest(wire.Hash(wire.HashExternal, wire.Opaque(staged.Next.ExternalPub())))
	h.Seal(wire.Digest(public.TreeHash()), wire.Digest(public.ConfirmedTranscriptHash()), external, body.Hash(), n.Self.Device.Sign)
	return h.Hash(), blocks([2][]byte{h.Bytes(), body.Bytes()})
}

// held counts the blocks that n holds of a device on a parent, and fails if memory
// and store differ.
func held(t *testing.T, n, by *sim.Node, g wire.GroupID, parent wire.BlockHash) (count int) {
	t.Helper()
	b := machine(n, g).Blocks()
	if stored := len(n.Groups[g].Records[group.KindBlock]); stored != b.Len() {
		t.Fatalf("%s holds %d blocks and stores %d", n.Name, b.Len(), stored)
	}
	for _, c := range b.Children(parent) {
		if b.Header(c).Author == by.Self.Member() {
			count++
		}
	}
	return count
}

// TestFloodOfVariants: Eve signs a block over and over, and goes on when she is
// removed. Two orders of the same blocks leave the same.
func TestFloodOfVariants(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Eve")
	ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	w.Run(minute)
	p := pastOf(t, eve, g)
	var list [][]byte
	for i := range 60 {
		_, b := p.variant(t, eve, g, uint64(i%7))
		list = append(list, b)
	}
	part(w, ben)
	w.Heal(ben, eve)
	w.Heal(ann, eve)
	for i, b := range list {
		w.Deliver(eve, ann, g, b)
		w.Deliver(eve, ben, g, list[len(list)-1-i])
		if i == 30 {
			w.Run(20_000) // Ann revokes the device meanwhile
		}
	}
	for _, n := range []*sim.Node{ann, ben} {
		if got := held(t, n, eve, g, p.block); got > chain.MaxSiblings+2 { // and two that entries or votes may name
			t.Errorf("%s holds %d of %d variants", n.Name, got, len(list))
		}
	}
	w.HealAll()
	w.Run(2 * minute)
	if isMember(ann, eve, g) || slashes(ann, g) != 1 {
		t.Errorf("Eve's device belongs: %v, slashed %d times", isMember(ann, eve, g), slashes(ann, g))
	}
	goesOn(t, w, g, ann, ben, cleo)
	w.Run(60 * minute)
	sent := len(ben.Sent)
	w.Run(10 * minute)
	if n := len(ben.Sent) - sent; n > 0 {
		t.Errorf("Ben goes on sending: %d frames", n)
	}
	if a, b := machine(ann, g).Blocks().Tips(), machine(ben, g).Blocks().Tips(); !slices.Equal(a, b) {
		t.Errorf("Ann has %d tips, Ben %d", len(a), len(b))
	}
	for _, n := range []*sim.Node{ann, ben, cleo} {
		n.Stop()
		n.Start() // what is left can be loaded
	}
	w.Run(minute)
	goesOn(t, w, g, ann, ben, cleo)
}

// TestFloodOnOldBlocks: Eve signs blocks on every old one she had keys at.
func TestFloodOnOldBlocks(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Eve")
	ann, ben, eve := nodes[0], nodes[1], nodes[2]
	var old []past
	for i := range 12 {
		old = append(old, pastOf(t, eve, g))
		must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint("title ", i)}))
		w.Run(10 * minute)
	}
	before := machine(ben, g).Blocks().Len()
	for _, p := range old {
		for i := range 8 {
			_, b := p.variant(t, eve, g, uint64(i))
			w.Deliver(eve, ben, g, b)
		}
		if got := held(t, ben, eve, g, p.block); got > chain.MaxSiblings {
			t.Errorf("%d blocks on one old block are held", got)
		}
	}
	// What comes after them is not even checked: its body is another's.
	blamed := len(accusations(ben, g))
	for range 20 {
		_, b := old[3].variant(t, eve, g, 0)
		b[len(b)-40] ^= 1
		w.Deliver(eve, ben, g, b)
	}
	if n := len(accusations(ben, g)) - blamed; n == 20 {
		t.Error("all of them are checked")
	}
	if got := machine(ben, g).Blocks().Len() - before; got > len(old)*chain.MaxSiblings {
		t.Errorf("Ben holds %d blocks more", got)
	}
	w.Run(5 * minute)
	goesOn(t, w, g, ann, ben)
}

// TestVariantThatSomebodyNames: Ben knew but one of Eve's variants, and wrote at it.
// The others drop that one as soon as they see it; what Ben wrote brings it back.
func TestVariantThatSomebodyNames(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Eve")
	ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	w.Run(minute)
	p := pastOf(t, eve, g)
	type block struct {
		hash  wire.BlockHash
		bytes []byte
	}
	var list []block
	for range 6 {
		hash, b := p.variant(t, eve, g, 0)
		list = append(list, block{hash, b})
	}
	slices.SortFunc(list, func(a, b block) int { return slices.Compare(a.hash[:], b.hash[:]) })
	part(w, ben)
	w.Heal(ben, eve)
	w.Deliver(eve, ben, g, list[5].bytes)
	w.Cut(ben, eve)
	w.Heal(ann, eve)
	if machine(ben, g).Head() != list[5].hash {
		t.Fatal("Ben does not follow the variant, so the test shows nothing")
	}
	must(t, ben.Say(g, "at the last of them"))
	for _, b := range list {
		w.Deliver(eve, ann, g, b.bytes)
	}
	if machine(ann, g).Blocks().Has(list[5].hash) {
		t.Fatal("Ann keeps the variant, so the test shows nothing")
	}
	w.Cut(ann, eve)
	w.Heal(ann, ben)
	w.Heal(ann, cleo)
	w.Heal(ben, cleo)
	w.Run(2 * minute)
	sees(t, g, []string{"at the last of them"}, ann, ben, cleo)
	goesOn(t, w, g, ann, ben, cleo)
	for _, n := range []*sim.Node{ann, ben, cleo} {
		if !machine(n, g).Blocks().Has(list[5].hash) || held(t, n, eve, g, p.block) > chain.MaxSiblings+1 {
			t.Errorf("%s holds %d variants, Ben's: %v", n.Name, held(t, n, eve, g, p.block), machine(n, g).Blocks().Has(list[5].hash))
		}
	}
}

// TestHeadIsNoSurplus: of three blocks that Eve signed on one the last by hash is
// the head, and stays.
func TestHeadIsNoSurplus(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Eve")
	ann, eve := nodes[0], nodes[2]
	promote(t, w, g, ann, eve)
	w.Run(minute)
	p := pastOf(t, eve, g)
	var low [2][]byte
	var highest wire.BlockHash
	for i := range low {
		hash, b := p.variant(t, eve, g, 0)
		if low[i] = b; slices.Compare(hash[:], highest[:]) > 0 {
			highest = hash
		}
	}
	head, title := p.sign(t, eve, g, 0, &chain.SetInfo{Info: wire.Digest{1}})
	for i := byte(2); slices.Compare(head[:], highest[:]) < 0; i++ {
		head, title = p.sign(t, eve, g, 0, &chain.SetInfo{Info: wire.Digest{i}})
	}
	for _, b := range append(low[:], title) {
		w.Deliver(eve, ann, g, b)
	}
	if machine(ann, g).Head() != head {
		t.Error("the head is dropped")
	}
}

// TestFloodOfStatements: Nacks of every block, votes of absurd rounds, entries and
// blocks that wait for what does not exist.
func TestFloodOfStatements(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Eve")
	ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	w.Run(10 * minute)
	for i := range 8 {
		must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint("title ", i)}))
		w.Run(5000)
	}
	must(t, eve.Say(g, "one"))
	w.Run(3000)
	h, packed := pushed(t, last(t, eve, ben, kindEntries))
	before := holdings(ben, g)

	var nacks [][]byte
	for _, hash := range machine(ben, g).Chain() {
		nacks = append(nacks, chain.SignNack(eve.Self.Device.Sign, g, eve.Self.Device.ID(), hash, chain.NackPath).Marshal())
	}
	var f wire.Writer
	f.U8(12)
	f.Group(func(w *wire.Writer) {
		for _, n := range nacks {
			w.Vec(n)
		}
	})
	f.Group(func(*wire.Writer) {})
	w.Deliver(eve, ben, g, f.Bytes())
	if n := holdings(ben, g)["Nacks"] - before["Nacks"]; n == 0 || n > 4 {
		t.Errorf("%d Nacks of %d are kept", n, len(nacks))
	}

	for i := range uint64(300) {
		w.Deliver(eve, ben, g, sim.Pushed(vote(eve, g, 1000+i, 1000+i*i*i, machine(ben, g).Head())))
	}
	if n := holdings(ben, g)["votes"] - before["votes"]; n > 0 {
		t.Errorf("%d votes of absurd rounds are kept", n)
	}
	for i := range uint64(300) {
		w.Deliver(eve, ben, g, sim.Pushed(vote(eve, g, 1000+i, 1+i/3, machine(ben, g).Head())))
	}
	if n := holdings(ben, g)["votes"] - before["votes"]; n > 2*66 {
		t.Errorf("%d votes of one voter are kept", n)
	}

	for i := range 1200 {
		orphan := *h
		orphan.Seq, orphan.Prev, orphan.Lamport = uint64(3+i%900), wire.EntryHash{byte(i), byte(i >> 8), 1}, 10_000 // within what MLS can open
		orphan.Sign(eve.Self.Device.Sign)
		w.Deliver(eve, ben, g, entries(group.Packed{Header: orphan.Bytes(), Ciphertext: packed.Ciphertext}))
	}
	if n := holdings(ben, g)["entries that wait for others"]; n == 0 || n > dag.MaxParkedDevice {
		t.Errorf("%d entries wait", n)
	}

	p := pastOf(t, eve, g)
	wanted := 0
	for i := range 40 {
		w.Deliver(eve, ben, g, orphanBlock(t, p, eve, g, byte(i)))
		wanted = max(wanted, holdings(ben, g)["blocks that are wanted"])
	}
	if wanted == 0 || wanted > 16 {
		t.Errorf("%d blocks are wanted", wanted)
	}
	w.Run(2 * minute)
	goesOn(t, w, g, ann, ben, cleo)
}

// orphanBlock is a block of n's on a parent that nobody has.
func orphanBlock(t *testing.T, p past, n *sim.Node, g wire.GroupID, i byte) []byte {
	t.Helper()
	state := machine(n, g).Blocks().State(p.block)
	h, _, err := chain.Draft(state, chain.DraftParams{
		Suite: state.Suite(), Parent: wire.BlockHash{1, i}, Group: g, Author: n.Self.Member(),
		AuthorSeq: 99, Ops: []chain.Op{&chain.Rekey{}}, CreatedAt: 1,
	})
	must(t, err)
	body := &chain.Body{Commit: []byte("commit")}
	h.Seal(wire.Digest{1}, wire.Digest{2}, wire.Digest{3}, body.Hash(), n.Self.Device.Sign)
	return blocks([2][]byte{h.Bytes(), body.Bytes()})
}

func holdings(n *sim.Node, g wire.GroupID) map[string]int {
	list := make(map[string]int)
	for _, h := range machine(n, g).Holdings() {
		list[h.Name] = h.Held
	}
	return list
}
