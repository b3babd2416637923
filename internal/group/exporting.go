package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// What a machine says to a device with which no session is up: in a file, or in a mailbox.
// Nobody answers there, so that all of it is as if it were pushed: blocks before what they
// admit, entries before those that name them, and Acks last. It comes back in as
// Received with Away set (docs/spec/group.md, "Without a session").

// ExportTo says who is to read an export, and from where on it goes.
type ExportTo struct {
	Device wire.DeviceID // of a member; zero: all members, and each is given what all may have
	Since  Mark          // what was exported before; nil: what is not known to be there
	All    bool          // also what is known to be there; then Since does not count
}

// Exported is what there is to say. Payloads go before what Serve is answered with, and
// Last after it.
type Exported struct {
	Payloads [][]byte
	Serve    Serve // of stored entries, in causal order
	Last     [][]byte

	Blocks, Entries int  // how many are in it
	Invitation      bool // it has an invitation for a reader
	Mark            Mark // what was exported with this one
	More            bool // and there is more, from Mark on
}

// Empty reports whether there is nothing new to be said.
func (e Exported) Empty() bool { return len(e.Payloads)+len(e.Serve.Refs)+len(e.Last) == 0 }

// Export says what a device lacks, with most entries at most; all of the rest is in the
// first of several. The machine is unchanged. A Since that no machine made counts as none.
func (m *Machine) Export(to ExportTo, most int) Exported {
	if !m.speaks() || m.graph == nil {
		return Exported{}
	}
	readers := m.readersOf(to.Device)
	if len(readers) == 0 {
		return m.exportEnding(to.Device)
	}
	since, err := parseMark(to.Since)
	marked := err == nil && !to.All
	x := exporting{m: m, to: to, readers: readers, after: mark{frontier: make(dag.Frontier)}}
	if marked {
		x.after = since
	} else {
		x.since(to.All)
	}
	x.chain(marked)
	x.rest()
	x.entries(max(most, 0))
	x.statements()
	if len(x.out.Serve.Refs) > 0 {
		x.out.Serve.To, x.out.Serve.Pushed = to.Device, true
	}
	x.out.Mark = x.after.bytes()
	return x.out
}

// Invites reports whether this person has admitted a device that has not accepted, as far as is
// known here, and by which block.
func (m *Machine) Invites(device wire.DeviceID) (block wire.BlockHash, ok bool) {
	owner, _, ok := m.state().Device(device)
	who := wire.Member{Person: owner.Person, Device: device}
	if !ok || !m.speaks() || !m.invites(who) || m.admittedBy(who) != m.self.Person {
		return wire.BlockHash{}, false
	}
	return m.came(device), true
}

// ExportInvitation is the invitation for a device that this person has admitted, with all pages of
// it; nil if there is none.
func (m *Machine) ExportInvitation(device wire.DeviceID) [][]byte {
	if _, ok := m.Invites(device); !ok {
		return nil
	}
	owner, _, _ := m.state().Device(device)
	x := exporting{m: m, to: ExportTo{Device: device}}
	if inv := m.invitationFor(wire.Member{Person: owner.Person, Device: device}); inv != nil {
		x.eff.send(device, inv)
		x.restOfPages(inv)
	}
	return payloadsOf(x.eff)
}

// readersOf returns the members' devices that read what is for one device, or for all.
func (m *Machine) readersOf(device wire.DeviceID) (list []wire.Member) {
	for _, who := range m.state().Members() {
		for _, d := range who.Devices {
			if d.ID != m.self.Device.ID() && (device == d.ID || device == wire.DeviceID{} && m.state().Active(d.ID)) {
				list = append(list, wire.Member{Person: who.Person, Device: d.ID})
			}
		}
	}
	return list
}

// exportEnding tells a former member that it is none, as a session does, and nothing else.
func (m *Machine) exportEnding(device wire.DeviceID) (out Exported) {
	owner, _, ok := m.state().Device(device)
	who := wire.Member{Person: owner.Person, Device: device}
	if !ok || m.relation(who) != former {
		return out
	}
	var eff Effects
	list := m.ending(who, maxFarewell)
	for len(list) > 0 {
		sent := m.sendBlocks(device, list, &eff)
		if sent == 0 {
			break
		}
		out.Blocks, list = out.Blocks+sent, list[sent:]
	}
	m.proveEnding(&peer{member: who, modern: true}, &eff)
	out.Payloads = payloadsOf(eff)
	return out
}

func payloadsOf(eff Effects) (list [][]byte) {
	for _, f := range eff.Send {
		list = append(list, f.Payload)
	}
	return list
}

// exporting is an export that is being made.
type exporting struct {
	m       *Machine
	to      ExportTo
	readers []wire.Member
	after   mark
	eff     Effects
	out     Exported
}

// since finds what all readers have: of entries by their Acks, or by what they came in on.
func (x *exporting) since(all bool) {
	m := x.m
	if all {
		return
	}
	for device := range m.graph.Frontier() {
		least := m.graph.Seq(device)
		for _, who := range x.readers {
			least = min(least, m.deliveredTo(who.Device, device))
		}
		if least > 0 {
			x.after.frontier[device] = m.graph.TipAt(device, least)
		}
	}
}

// deliveredTo is how far a reader has the log of a device.
func (m *Machine) deliveredTo(reader, device wire.DeviceID) (seq uint64) {
	if reader == device {
		seq = m.graph.Seq(device)
	}
	if a := m.acks[reader]; a != nil {
		seq = max(seq, m.graph.Delivered(a, device))
	}
	return seq
}

// certainOf returns blocks that a reader has for certain, with all below it: that by which it
// came in, and what it signed or names since.
func (m *Machine) certainOf(reader wire.DeviceID) (tips []wire.BlockHash) {
	if came := m.came(reader); m.blocks.Has(came) && !m.awaitsInvitation(wire.Member{Device: reader}) {
		tips = append(tips, came)
	}
	for device := range m.graph.Frontier() {
		seq := m.deliveredTo(reader, device)
		if seq == 0 {
			continue
		}
		if block, ok := m.graph.Block(dag.Ref{Device: device, Seq: seq, Hash: m.graph.TipAt(device, seq).Hash}); ok && m.blocks.Has(block) {
			tips = append(tips, block)
		}
	}
	for _, hash := range m.blocks.All() {
		if m.blocks.Header(hash).Author.Device == reader {
			tips = append(tips, hash)
		}
	}
	slices.SortFunc(tips, compareHashes)
	return slices.Compact(tips)
}

// chain puts in the blocks that a reader lacks, and the invitations of those who are admitted.
func (x *exporting) chain(marked bool) {
	m := x.m
	before := x.after.tips
	x.after.tips = m.blocks.Tips()
	if marked && slices.Equal(before, x.after.tips) {
		return
	}
	lacks := make(map[wire.BlockHash]bool)
	for _, who := range x.readers {
		if inv := m.invitationFor(who); inv != nil {
			x.out.Invitation = true
			x.eff.send(who.Device, inv)
			x.restOfPages(inv)
			if !marked && len(x.readers) == 1 {
				x.flush()
				x.after.frontier = x.floor(who.Device)
				return
			}
			continue
		}
		tips := before
		if !marked {
			tips = m.certainOf(who.Device)
		}
		for _, hash := range m.blocks.Missing(chain.Offer{Tips: tips}) {
			lacks[hash] = true
		}
		if marked {
			break // it is the same for all
		}
	}
	var list []wire.BlockHash
	for _, hash := range m.blocks.All() {
		if lacks[hash] {
			list = append(list, hash)
		}
	}
	x.blocks(list)
	x.flush()
}

// floor is up to where the entries come that a device is not given: those before it came.
func (x *exporting) floor(device wire.DeviceID) dag.Frontier {
	f := make(dag.Frontier)
	if floor, err := dag.ParseFloor(x.m.welcomes[x.m.came(device)].floor); err == nil {
		for _, r := range floor.Frontier {
			f[r.Device] = dag.Tip{Seq: r.Seq, Hash: r.Hash}
		}
	}
	return f
}

func (x *exporting) flush() {
	x.out.Payloads = append(x.out.Payloads, payloadsOf(x.eff)...)
	x.eff = Effects{}
}

// blocks puts in blocks as they are pushed; in pages, if some are held without their commits.
func (x *exporting) blocks(list []wire.BlockHash) {
	m := x.m
	x.out.Blocks += len(list)
	if len(m.withBodies(list)) < len(list) {
		x.pages(list)
		return
	}
	for len(list) > 0 {
		sent := m.sendBlocks(x.to.Device, list, &x.eff)
		if sent == 0 {
			return
		}
		list = list[sent:]
	}
}

// pages puts in all pages of blocks that were asked for by nobody: the reader knows by the
// first that they come.
func (x *exporting) pages(list []wire.BlockHash) {
	m := x.m
	ask := pagesAskFrame{base: m.baseFor(wire.BlockHash{})}
	first, err := m.pageWith(ask, list, true)
	if err != nil || first.base == (wire.BlockHash{}) {
		return // another has them
	}
	o := opening{invitation: invitation{certificate: m.votes.Settlement().Marshal()}, page: first}
	x.eff.send(x.to.Device, o.bytes())
	x.pagesAfter(ask, list, first)
}

// restOfPages puts in the pages after an invitation, if it is the opening of some.
func (x *exporting) restOfPages(inv []byte) {
	if !isPages(inv) {
		return
	}
	f, err := parsePages(wire.NewReader(inv[1:]))
	if err != nil || f.opening == nil {
		return
	}
	x.pagesAfter(pagesAskFrame{base: f.opening.page.base}, x.m.blocks.All(), f.opening.page)
}

// pagesAfter goes on after a page, as if each were asked for.
func (x *exporting) pagesAfter(ask pagesAskFrame, list []wire.BlockHash, p page) {
	var lights, whole []wire.BlockHash
	for _, hash := range list {
		if ask.base == (wire.BlockHash{}) || x.m.blocks.IsAncestor(ask.base, hash) {
			whole = append(whole, hash)
		} else {
			lights = append(lights, hash)
		}
	}
	list = slices.Concat(lights, whole)                                                                      // as pages have them
	for first := true; p.left > 0 && (first || len(p.lights)+len(p.blocks)+len(p.tree) > 0); first = false { // an opening may be empty
		list = list[len(p.lights)+len(p.blocks):]
		if ask.tree += uint32(len(p.tree)); len(p.blocks) > 0 {
			ask.tree = 0 // the base is there
		}
		next, err := x.m.pageWith(ask, list, false)
		if err != nil {
			return
		}
		x.eff.send(x.to.Device, next.bytes())
		p = next
	}
}

// rest puts in what the chain is judged by beside itself, if any of it is new: names, votes, faults
// and what shows who people are.
func (x *exporting) rest() {
	m := x.m
	statementsFrame{infos: m.allInfos()}.send(x.to.Device, &x.eff)
	if slices.ContainsFunc(x.readers, func(who wire.Member) bool { return !m.reads(who.Device, FeatureRepair) }) {
		x.keepRest()
		return
	}
	votes := votesFrame{part: votesAnswered, warrants: m.votes.Settlement(), evidence: m.votes.Evidence(), votes: m.current()}
	votes.evidence, votes.votes = votes.evidence[:min(len(votes.evidence), maxVoteEvidence)], votes.votes[:min(len(votes.votes), maxVotes)]
	if !votes.empty() {
		x.eff.send(x.to.Device, votes.bytes())
	}
	faults := faultsFrame{evidence: m.allEvidence()}
	for _, hash := range sortedBlocks(m.nacks) {
		for _, d := range sortedDevices(m.nacks[hash]) {
			if len(faults.nacks) < maxStatements {
				faults.nacks = append(faults.nacks, m.nacks[hash][d].Marshal())
			}
		}
	}
	if !faults.empty() {
		x.eff.send(x.to.Device, faults.bytes())
	}
	for _, person := range m.peopleHeld() {
		x.eff.send(x.to.Device, peopleFrame{part: peoplePapers, papers: []*personPapers{m.people[person]}}.bytes())
	}
	x.keepRest()
}

// keepRest keeps what is in the export of that, unless it was in the one before.
func (x *exporting) keepRest() {
	var w wire.Writer
	for _, f := range x.eff.Send {
		w.Vec(f.Payload)
	}
	digest := digestOf(w.Bytes())
	if digest == x.after.rest && len(x.out.Payloads) == 0 {
		x.eff = Effects{}
		return
	}
	x.after.rest = digest
	x.flush()
}

// entries puts in those beyond what the readers have.
func (x *exporting) entries(most int) {
	refs := x.m.graph.Suffix(x.after.frontier, most+1)
	if x.out.More = len(refs) > most; x.out.More {
		refs = refs[:most]
	}
	x.out.Entries = len(refs)
	for _, ref := range refs {
		bare := slices.ContainsFunc(x.readers, func(who wire.Member) bool { return !x.m.mayRead(who.Device, ref) })
		x.out.Serve.Refs, x.out.Serve.Bare = append(x.out.Serve.Refs, ref), append(x.out.Serve.Bare, bare)
		if t, ok := x.after.frontier[ref.Device]; !ok || ref.Seq > t.Seq {
			x.after.frontier[ref.Device] = dag.Tip{Seq: ref.Seq, Hash: ref.Hash}
		}
	}
	if !x.out.More {
		x.after.frontier = x.m.graph.Frontier()
	}
}

// statements puts in what devices say of themselves and was not exported before.
func (x *exporting) statements() {
	m := x.m
	if x.out.More { // Acks name what comes later
		return
	}
	acks, reaches := numbersOf(nil, nil, x.after.acks), numbersOf(nil, nil, x.after.reaches)
	var f statementsFrame
	for _, s := range m.ackNumbers() {
		if s.seq > acks[s.device] {
			f.acks = append(f.acks, m.acks[s.device].Marshal())
		}
	}
	for _, s := range m.reachNumbers() {
		if s.seq > reaches[s.device] {
			f.reaches = append(f.reaches, m.reaches[s.device].Marshal())
		}
	}
	var w wire.Writer
	for _, person := range m.leavers() {
		b := m.leaves[person].statement.Marshal()
		f.leaves = append(f.leaves, b)
		w.Vec(b)
	}
	if digest := digestOf(w.Bytes()); digest == x.after.leaves {
		f.leaves = nil
	} else {
		x.after.leaves = digest
	}
	f.send(x.to.Device, &x.eff)
	x.out.Last = payloadsOf(x.eff)
	x.after.acks, x.after.reaches = m.ackNumbers(), m.reachNumbers()
}
