package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// Sync by heads (docs/spec/sync.md, "Heads"): in a Merkle DAG a set of heads names all
// that lies before them, so that who says what it has names its heads, and who asks
// names its own. Devices that do not announce FeatureHeads are answered as before.

// theirs is what a peer says to have.
type theirs struct {
	heads []dag.Ref // nil: not known, or nothing that is lacking here
	more  bool      // it has more heads
	swept bool      // and was asked for all that lies under them
	count uint64    // entries
	top   uint64    // highest lamport

	barren []dag.Ref      // its heads when its answer brought nothing
	early  []dag.Ref      // its heads when its answer named a block that is not here,
	blocks int            // and how many blocks were
	common wire.BlockHash // a block that both hold
	heard  wire.Digest    // the newest of these frames from it,
	said   wire.Digest    // and to it

	pause pause

	numbersAt uint64 // ms; when it was last sent what Acks are held
	walks     share
}

// readsHeads reports whether a device's program reads the frames of FeatureHeads: its
// leaf says so, or it sent one.
func (m *Machine) readsHeads(d wire.DeviceID) bool {
	if m.self.Omits == FeatureHeads {
		return false
	}
	p := m.peers[d]
	return p != nil && p.byHeads || m.reads(d, FeatureHeads)
}

// headsFrame is what this device has.
func (m *Machine) headsFrame(to wire.DeviceID) headsFrame {
	heads, more := m.graph.NewestHeads(maxHeads)
	return headsFrame{
		offer: m.blocks.Offer(), heads: heads, more: more,
		count: uint64(m.graph.Len()), top: m.graph.Top(), statements: m.statementsDigest(!m.exchanges(to)),
	}
}

func (m *Machine) sendHeads(p *peer, eff *Effects) {
	payload := m.headsFrame(p.member.Device).bytes()
	p.theirs.said = digestOf(payload)
	eff.send(p.member.Device, payload)
}

func digestOf(payload []byte) wire.Digest {
	return wire.Digest(wire.Hash(wire.HashDigest, payload))
}

// onHeads gives of the chain what the peer lacks and takes note of what it has.
func (m *Machine) onHeads(now uint64, p *peer, payload []byte, r *wire.Reader, eff *Effects) error {
	f, err := parseHeads(r)
	if err != nil {
		return err
	}
	p.named, p.again, p.byHeads, p.frontier = true, false, true, nil
	if !m.answers(now, p, &p.asksAll) {
		return nil
	}
	m.giveLacking(now, p, f.offer, eff)
	m.offerFaults(p, eff)
	own := m.headsFrame(p.member.Device)
	if f.statements != own.statements {
		m.sendNumbers(now, p, false, eff)
	}
	t := &p.theirs
	heard := digestOf(payload)
	stale := heard == t.heard && t.said == digestOf(own.bytes()) // both know all this
	t.heard = heard
	t.more, t.swept, t.count, t.top, t.common = f.more, false, f.count, f.top, m.commonOf(f.offer)
	if slices.Equal(f.heads, t.barren) {
		t.heads = nil
	} else {
		t.heads, t.pause.until = f.heads, 0
	}
	if unknown := uint64(len(m.unknownHeads(p))); unknown > 0 {
		m.leaveToTree(now, max(unknown, f.count-min(f.count, uint64(m.graph.Len()))))
	}
	theyHave := len(m.blocks.Unknown(f.offer)) > 0 || m.lacksOf(p)
	if (theyHave || m.beyondHeads(f)) && !stale && p.haveLast+haveEvery <= now && p.haveDue == 0 {
		m.sendHave(now, p.member.Device, eff)
	}
	return nil
}

// beyondHeads reports whether a head of this device's is none of theirs: they lack it,
// or are beyond it, and ask once they know of it.
func (m *Machine) beyondHeads(f headsFrame) bool {
	return slices.ContainsFunc(m.graph.Heads(), func(r dag.Ref) bool {
		_, found := slices.BinarySearchFunc(f.heads, r, dag.Ref.Compare)
		return !found
	})
}

// lacksOf reports whether a peer may have something that is not here.
func (m *Machine) lacksOf(p *peer) bool {
	if p.theirs.heads == nil {
		return false
	}
	return len(m.unknownHeads(p)) > 0 || (p.theirs.more || m.graph.Lowered()) && !p.theirs.swept
}

// unknownHeads returns the heads of a peer that are not in the graph. What was found
// false is not asked for again.
func (m *Machine) unknownHeads(p *peer) (refs []dag.Ref) {
	for _, r := range p.theirs.heads {
		if !m.graph.Has(r) && !m.graph.Refused(r) {
			refs = append(refs, r)
		}
	}
	return refs
}

// commonOf returns the highest block that an offer names and that is here.
func (m *Machine) commonOf(o chain.Offer) (common wire.BlockHash) {
	height, found := uint64(0), false
	for _, hash := range slices.Concat(o.Tips, o.Locator) {
		if h := m.blocks.Header(hash); h != nil && m.stateAt(hash) != nil && (!found || h.Height > height) {
			common, height, found = hash, h.Height, true
		}
	}
	return common
}

// A table is the devices that a block's state knows.
type table struct {
	block   wire.BlockHash
	devices []wire.DeviceID // ascending
}

// tableOf returns the table of a block; false if its state is not here.
func (m *Machine) tableOf(block wire.BlockHash) ([]wire.DeviceID, bool) {
	if m.table.devices != nil && m.table.block == block {
		return m.table.devices, true
	}
	s := m.stateAt(block)
	if s == nil {
		return nil, false
	}
	var list []wire.DeviceID
	for _, who := range s.Everyone() {
		for _, d := range who.Devices {
			list = append(list, d.ID)
		}
	}
	slices.SortFunc(list, compareID)
	m.table = table{block, slices.Compact(list)}
	return m.table.devices, true
}

// byTable writes numbers by device as those of a table, and the rest with their names.
func byTable(devices []wire.DeviceID, numbers []seqOf) (list []uint64, rest []seqOf) {
	list = make([]uint64, len(devices))
	for _, s := range numbers {
		if i, ok := slices.BinarySearchFunc(devices, s.device, compareID); ok {
			list[i] = s.seq
		} else {
			rest = append(rest, s)
		}
	}
	for len(list) > 0 && list[len(list)-1] == 0 {
		list = list[:len(list)-1]
	}
	return list, rest
}

// onAsk answers with what lies beyond the heads of the peer: all of it if that is
// little, else the newest, which fill a screen. Who asks too often is told that there is
// more, and nothing of it: stretches need no walk.
func (m *Machine) onAsk(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseAsk(r)
	if err != nil {
		return err
	}
	if !p.theirs.walks.take(now, walkEvery, walkBurst) {
		m.serve(p, f.names, nil, true, eff)
		return nil
	}
	refs, whole := m.graph.Beyond(f.heads, maxStretch+1, maxWalk)
	if len(refs) > maxStretch {
		refs, _ = m.graph.NewestBeyond(f.heads, firstScreen, maxWalk)
		whole = false
	}
	m.graph.ByCausality(refs)
	m.serve(p, f.names, refs, !whole, eff)
	return nil
}

// onStretch answers with what the peer lacks within a range.
func (m *Machine) onStretch(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseStretch(r)
	if err != nil {
		return err
	}
	if !p.asksEntries.take(now, entriesEvery, entriesBurst) {
		return nil
	}
	devices, ok := m.tableOf(f.block)
	if !ok || len(f.seqs) > len(devices) {
		m.serve(p, nil, nil, false, eff)
		return nil
	}
	frontier := make(dag.Frontier, len(f.seqs)+len(f.others))
	for i, seq := range f.seqs {
		if seq > 0 {
			frontier[devices[i]] = m.graph.TipAt(devices[i], seq)
		}
	}
	for _, o := range f.others {
		frontier[o.Device] = dag.Tip{Seq: o.Seq, Hash: o.Hash}
	}
	refs, more := m.graph.Stretch(frontier, f.within, maxStretch)
	beside := make(map[dag.Ref]bool, len(f.beside))
	for _, b := range f.beside {
		beside[b] = true
	}
	end := len(refs)
	refs = slices.DeleteFunc(refs, func(r dag.Ref) bool { return beside[r] })
	m.serve(p, nil, refs, more && len(refs) > 0 && end > 0, eff)
	return nil
}

// serve answers with what was named, and then refs.
func (m *Machine) serve(p *peer, names, refs []dag.Ref, cut bool, eff *Effects) {
	seen := make(map[dag.Ref]bool, len(refs))
	for _, ref := range refs {
		seen[ref] = true
	}
	var named []dag.Ref
	for _, ref := range names {
		if !seen[ref] && m.graph.Has(ref) {
			seen[ref] = true
			named = append(named, ref)
		}
	}
	answer := Serve{To: p.member.Device, Refs: append(named, refs...), ByHeads: true, Cut: cut}
	for _, ref := range answer.Refs {
		answer.Bare = append(answer.Bare, !m.mayRead(p.member.Device, ref))
	}
	eff.Serve = append(eff.Serve, answer)
}

// onByHeads takes one of the frames of FeatureHeads.
func (m *Machine) onByHeads(now uint64, kind uint8, p *peer, payload []byte, r *wire.Reader, eff *Effects) error {
	p.byHeads = true
	switch kind {
	case frameHeads:
		return m.onHeads(now, p, payload, r, eff)
	case frameAsk:
		return m.onAsk(now, p, r, eff)
	case frameStretch:
		return m.onStretch(now, p, r, eff)
	}
	return m.onNumbers(now, p, r, eff)
}

// parseOffer reads which blocks the sender of a have, or of heads, has.
func parseOffer(kind uint8, r *wire.Reader) (chain.Offer, error) {
	if kind == frameHeads {
		f, err := parseHeads(r)
		return f.offer, err
	}
	f, err := parseHave(r)
	return f.offer, err
}
