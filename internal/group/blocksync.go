package group

import (
	"bytes"
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// How blocks, and the Welcomes beside them, are sent and taken.

// sendBlocks sends as many of the blocks as one frame takes, and returns how many.
func (m *Machine) sendBlocks(to wire.DeviceID, list []wire.BlockHash, eff *Effects) int {
	var f blocksFrame
	size, sent := 0, 0
	list = m.withBodies(list)
	for _, h := range list {
		b := m.blockFrame(h)
		size += len(b.header) + len(b.body) + len(b.welcome)
		if sent > 0 && size > maxBlocksBytes || sent == maxBatchEntries {
			f.more = true
			break
		}
		f.blocks = append(f.blocks, b)
		sent++
	}
	if len(f.blocks) > 0 {
		eff.send(to, f.bytes())
	}
	return sent
}

func (m *Machine) onBlocks(now uint64, p *peer, r *wire.Reader, secrets Secrets, eff *Effects) error {
	f, err := parseBlocks(r)
	if err != nil {
		return err
	}
	held := m.blocks.Len()
	all := m.takeBlocks(now, p, f.blocks, eff)
	m.openRestarts(now, secrets, eff)
	m.blocksCame(now, p, f.more, m.blocks.Len() > held, eff)
	m.guestLacks(now, p, f.more || !all)
	return nil
}

// takeBlocks takes blocks, parents before children, up to the first that cannot
// be taken, and passes on what is new. It reports whether no parent was missing.
func (m *Machine) takeBlocks(now uint64, p *peer, blocks []blockFrame, eff *Effects) (all bool) {
	var fresh, held []wire.BlockHash
	all = true
	for i, b := range blocks {
		if m.futile(b.header, blocks[i+1:]) {
			continue
		}
		hash, err := m.takeBlockOnce(b, &fresh, eff)
		if err != nil {
			_, missing := errors.AsType[*chain.MissingError](err)
			all = !missing
			m.notTaken(now, p, b.header, err, eff)
			break
		}
		held = append(held, hash)
		p.blocks.know(hash)
		m.takeWelcome(p, hash, b.welcome, eff)
	}
	if len(fresh) > 0 {
		m.takeFresh(now, p, fresh, eff)
	}
	m.dropWelcomes(eff)
	m.contradict(p, m.stillHeld(held), len(fresh) > 0, eff)
	return all
}

// notTaken does what follows from a block that was not taken. One that needs a
// newer program stops the group only if it activates what every leaf announces: any
// other is valid for no program (rule V8), and an admin could stop everybody by it.
func (m *Machine) notTaken(now uint64, p *peer, header []byte, err error, eff *Effects) {
	var missing *chain.MissingError
	switch {
	case errors.As(err, &missing):
		m.wantParent(header, err)
		m.wantHave(now, p)
	case !errors.Is(err, chain.ErrNewer):
		eff.Notify = append(eff.Notify, Misbehaved{p.member, "block"})
	case m.speaks() && m.byAdmin(header) && m.activates(header):
		m.setStatus(StatusNewer, eff)
		eff.Write = append(eff.Write, m.selfRecord())
	}
}

// byAdmin reports whether a header that this program can parse, if not judge, is
// signed by a device that was an admin's at its parent and is one at the head: who
// lost that role, or the device, could else date a block back and stop everybody.
func (m *Machine) byAdmin(header []byte) bool {
	h, err := chain.ParseHeader(header)
	if err != nil {
		return false
	}
	parent := m.stateAt(h.Parent)
	if parent == nil || h.Group != m.group || !parent.IsAdmin(h.Author.Person) || !parent.Active(h.Author.Device) {
		return false
	}
	if !m.state().IsAdmin(h.Author.Person) || !m.state().Active(h.Author.Device) {
		return false
	}
	owner, d, ok := parent.Device(h.Author.Device)
	return ok && owner.Person == h.Author.Person && h.VerifySignature(d.Key[:])
}

// takeFresh goes on from blocks that are new here.
func (m *Machine) takeFresh(now uint64, p *peer, fresh []wire.BlockHash, eff *Effects) {
	head := m.head
	m.advance(now, eff)
	if m.head == head {
		m.askInfosOf(p.member.Device, eff) // they may have brought a title that is undone
	}
	fresh = m.stillHeld(fresh)
	for _, hash := range fresh {
		if m.speaks() {
			m.pass(hash, p.member.Device, eff)
		}
	}
	m.disabuse(fresh, eff)
	m.recall(now, fresh, eff)
}

func (m *Machine) takeBlockOnce(b blockFrame, fresh *[]wire.BlockHash, eff *Effects) (wire.BlockHash, error) {
	h, err := chain.ParseHeader(b.header)
	if err != nil {
		return wire.BlockHash{}, err
	}
	known := m.blocks.Has(h.Hash())
	hash, err := m.takeBlock(b.header, b.body, eff)
	if err == nil && !known {
		*fresh = append(*fresh, hash)
	}
	return hash, err
}

// takeWelcome keeps the Welcome that came beside a block, to be passed on.
// Nobody but its newcomers can check it, so what the block's author brings
// replaces what others brought.
func (m *Machine) takeWelcome(p *peer, hash wire.BlockHash, b []byte, eff *Effects) {
	h := m.blocks.Header(hash)
	if len(b) == 0 || !admitsAnybody(h) || !m.welcomes[hash].empty() && h.Author != p.member {
		return
	}
	if w, err := parseWelcome(b); err == nil && m.fitsBlock(w, hash) && !bytes.Equal(w.bytes(), m.welcomes[hash].bytes()) {
		m.keepWelcome(hash, w, eff)
	}
}

// fitsBlock reports whether a Welcome is not larger than one of a block can be.
func (m *Machine) fitsBlock(w welcome, hash wire.BlockHash) bool {
	h := m.blocks.Header(hash)
	devices := 0
	for _, op := range h.Ops {
		_, list := welcomes(op)
		devices += len(list)
	}
	if isRestart(h) {
		devices = maxRestart
	}
	return len(w.message)+len(w.floor) <= welcomeRoom+devices*welcomeDevice
}

// offerWelcomes gives a peer that has just named the group the Welcomes of this
// device's own blocks that are still needed, or tells it of them: it may hold others' in their place.
func (m *Machine) offerWelcomes(p *peer, eff *Effects) {
	var own []wire.BlockHash
	for _, hash := range sortedBlocks(m.welcomes) {
		if m.blocks.Header(hash).Author == m.self.Member() {
			own = append(own, hash)
		}
	}
	if !m.asksBlocks(p) {
		if m.givesUnasked(p) {
			m.giveBlocks(p, own, eff)
		}
		return
	}
	var news []blockNews
	for _, hash := range own[max(0, len(own)-maxBlockNews):] {
		news = append(news, m.newsOf(hash))
	}
	if len(news) > 0 {
		m.tellOf(p, news, eff)
	}
}

func admitsAnybody(h *chain.Header) bool {
	return isRestart(h) || slices.ContainsFunc(h.Ops, func(op chain.Op) bool {
		_, devices := welcomes(op)
		return len(devices) > 0
	})
}

// onInvitation takes the blocks of an invitation that came again, or that leads
// back into the group.
func (m *Machine) onInvitation(now uint64, p *peer, c Received, eff *Effects) error {
	r := wire.NewReader(c.Payload[1:])
	inv, err := parseInvitation(r)
	if err != nil {
		return err
	}
	m.takeBlocks(now, p, inv.blocks, eff)
	if m.takeCertificate(inv.certificate, eff) == nil {
		m.count(now, eff)
	}
	m.ledBack(now, p, inv, c.Secrets, eff)
	return nil
}

// ledBack takes of an invitation what is not in its blocks, once those are here.
func (m *Machine) ledBack(now uint64, p *peer, inv invitation, secrets Secrets, eff *Effects) {
	m.readmit(now, inv, p.member, secrets, eff)
	for _, b := range inv.reaches {
		m.takeReach(b, p.member.Device, eff)
	}
	m.takeInfos(inv.infos, eff)
	if m.speaks() && m.relation(p.member) == present {
		m.sendDigest(p.member.Device, eff) // tells the inviter that we are in
	}
}
