package group

import (
	"errors"
	"maps"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A gathering is a chain that comes in pages, from one member at a time. Each page
// is checked as it comes. Nothing of it counts before all is there and its
// settlement proves the base; a lie makes the whole worthless.
type gathering struct {
	m     *Machine // holds what has come
	eff   Effects  // what m has to write
	group wire.GroupID
	from  wire.Member
	start opening // its page left out
	base  wire.BlockHash
	tree  []byte
	size  int    // bytes that came
	left  uint32 // blocks to come
	shown tips   // by who is asked now
	until uint64 // ms; then another may go on

	looked int // of what is to be written, how much spareStored has seen
	stored int // where there the newest public group is, counted from 1; 0: none

	reopened int       // how often it was begun anew in place of an answer
	others   []inviter // of a device that knows the group: who has opened pages besides
}

// What is wrong with pages.
var (
	errPage       = errors.New("group: a page that does not fit")
	errGroup      = errors.New("group: the blocks are of another group")
	errUnsettled  = errors.New("group: nothing proves that the base is settled")
	errIncomplete = errors.New("group: blocks are held back")
	errTooMuch    = errors.New("group: more than a chain may have")
)

// newGathering begins with what m holds.
func newGathering(m *Machine, group wire.GroupID, from wire.Member, o opening) *gathering {
	g := &gathering{m: m, group: group, base: o.page.base}
	g.follow(from, o)
	return g
}

// follow takes another member, or the same with a newer word; pieces of a tree are
// of one member, so that it answers for them.
func (g *gathering) follow(from wire.Member, o opening) {
	g.from, g.start, g.tree, g.shown = from, o.kept(), nil, make(tips)
}

// tips are blocks that stand for those below them.
type tips map[wire.BlockHash]bool

func (t tips) add(hash, parent wire.BlockHash) {
	delete(t, parent)
	t[hash] = true
}

// restate takes a newer word of the member that is asked already.
func (g *gathering) restate(o opening) {
	if o.block == (wire.BlockHash{}) {
		o.block, o.welcome = g.start.block, g.start.welcome
		o.weight += len(o.welcome)
	}
	if g.held()-g.start.weight+o.weight <= maxGathered {
		g.start = o.kept()
	}
}

// ask returns the request for the next page.
func (g *gathering) ask() []byte {
	return pagesAskFrame{g.base, g.m.blocks.Offer(), uint32(len(g.tree))}.bytes()
}

// askPages is ask. Who is no member at the head may be one by what it has opened; until
// that is seen it is told of no blocks but its own.
func (m *Machine) askPages() []byte {
	g := m.catchUp
	if m.relation(g.from) == present {
		return g.ask()
	}
	list := sortedBlocks(g.shown)
	return pagesAskFrame{g.base, chain.Offer{Tips: list[:min(len(list), chain.MaxOffer)]}, uint32(len(g.tree))}.bytes()
}

// take takes the next page and reports whether it was the last. The first, of an
// opening, may be empty.
func (g *gathering) take(p page, first bool) (last bool, err error) {
	if p.base != g.base {
		return false, errPage
	}
	blocks, tree, shown := g.m.blocks.Len(), len(g.tree), maps.Clone(g.shown)
	for _, l := range p.lights {
		if err := g.takeLight(l); err != nil {
			return false, err
		}
	}
	if err := g.takeTree(p); err != nil {
		return false, err
	}
	more := len(g.tree) > tree
	for _, b := range p.blocks {
		if err := g.takeWhole(b, p.treeSize); err != nil {
			return false, err
		}
	}
	g.spareStored()
	if g.left = p.left; g.left > 0 && !first && !more && g.m.blocks.Len() == blocks && maps.Equal(g.shown, shown) {
		return false, errIncomplete
	}
	return g.left == 0, nil
}

// held returns how many bytes are kept of what came.
func (g *gathering) held() int {
	if g == nil {
		return 0
	}
	return g.size + g.start.weight + weightOf(g.others)
}

func (g *gathering) grow(n int) error {
	if g.size += n; g.held() > maxGathered {
		return errTooMuch
	}
	return nil
}

// takeLight takes a block without its commit, which may not be the base or above.
func (g *gathering) takeLight(l lightFrame) error {
	if err := g.grow(l.size() + blockCost); err != nil {
		return err
	}
	h, err := chain.ParseHeader(l.header)
	if err != nil {
		return err
	}
	if g.base == (wire.BlockHash{}) || h.Hash() == g.base || g.m.blocks.IsAncestor(g.base, h.Parent) {
		return errPage
	}
	hash, err := g.m.takeLight(l.header, l.attachments, &g.eff)
	if err != nil {
		return err
	}
	g.shown.add(hash, h.Parent)
	return g.taken(hash)
}

// taken looks at a block that was taken.
func (g *gathering) taken(hash wire.BlockHash) error {
	if err := g.ofGroup(); err != nil {
		return err
	}
	return g.grow(g.m.blocks.Weight(hash))
}

func (g *gathering) ofGroup() error {
	if g.m.group != g.group {
		return errGroup
	}
	return nil
}

func (g *gathering) takeTree(p page) error {
	if len(p.tree) == 0 {
		return nil
	}
	if int(p.offset) != len(g.tree) {
		return errPage
	}
	g.tree = append(g.tree, p.tree...)
	return g.grow(len(p.tree))
}

func (g *gathering) takeWhole(b blockFrame, treeSize uint32) error {
	if err := g.grow(len(b.header) + len(b.body) + len(b.welcome) + blockCost); err != nil {
		return err
	}
	h, err := chain.ParseHeader(b.header)
	if err != nil {
		return err
	}
	hash := h.Hash()
	switch {
	case hash == g.base && !h.Starts() && !g.m.blocks.Has(hash):
		if len(g.tree) != int(treeSize) {
			return errPage
		}
		err = g.m.takeBase(b.header, b.body, g.tree, &g.eff)
		g.tree = nil
	default:
		_, err = g.m.takeBlock(b.header, b.body, &g.eff)
	}
	if err != nil {
		return err
	}
	g.shown.add(hash, h.Parent)
	g.m.takeWelcome(&peer{member: g.from}, hash, b.welcome, &g.eff)
	return g.taken(hash)
}

// check looks at the whole once the last page is here.
func (g *gathering) check() error {
	if g.m.graph == nil {
		return errIncomplete
	}
	if err := g.m.takeCertificate(g.start.certificate, &g.eff); err != nil {
		return err
	}
	if g.base == (wire.BlockHash{}) {
		return nil
	}
	if !g.m.blocks.Has(g.base) { // a light one was here before: settled higher than the sender knows
		return errIncomplete
	}
	if !g.m.blocks.IsAncestor(g.base, g.m.votes.Settled()) {
		return errUnsettled
	}
	return nil
}

// onPages takes what comes in pages to a device that knows the group: that was
// away, or is led back into it.
func (m *Machine) onPages(now uint64, p *peer, rel relation, c Received, eff *Effects) error {
	f, err := parsePages(wire.NewReader(c.Payload[1:]))
	if err != nil {
		return err
	}
	switch {
	case f.ask != nil:
		if rel != stranger {
			m.onPagesAsk(now, p, *f.ask, eff)
		}
	case f.opening != nil:
		m.onOpening(now, p, rel, *f.opening, c.Secrets, eff)
	case m.catchUp != nil && m.catchUp.from == p.member && m.catchUp.base == f.page.base: // else it was asked for before
		m.catchUp.reopened = 0
		last, err := m.catchUp.take(*f.page, false)
		m.gathered(now, p, last, err, c.Secrets, eff)
	}
	return nil
}

func (m *Machine) onOpening(now uint64, p *peer, rel relation, o opening, secrets Secrets, eff *Effects) {
	if o.block != (wire.BlockHash{}) && m.epochs[o.block] != nil {
		m.catchUp = nil
		all := m.takeBlocks(now, p, o.page.blocks, eff) // the sender does not know yet that it was opened, and tells of nothing else
		m.ledBack(now, p, o.invitation, secrets, eff)
		m.guestLacks(now, p, o.page.left > 0 || !all)
		return
	}
	var others []inviter
	reopened := 0
	if g := m.catchUp; g != nil {
		switch waits := now < g.until; {
		case waits && g.from != p.member:
			g.remember(p.member, o)
			return
		case waits && g.base == o.page.base:
			g.restate(o) // its answer is under way: asked again, each piece would come twice
			return
		}
		if g.from == p.member {
			reopened = g.reopened + 1
		}
		others = slices.DeleteFunc(g.others, func(i inviter) bool { return i.from == p.member })
	}
	m.catchUp = newGathering(m.scratch(), m.group, p.member, o)
	m.catchUp.reopened, m.catchUp.others = reopened, others
	last, err := m.catchUp.take(o.page, true)
	if _, missing := errors.AsType[*chain.MissingError](err); missing {
		if rel != present { // nothing shows yet that it is of this group
			m.another(now, eff)
			return
		}
		last, err = false, nil // it answers an older word of this device, which has dropped blocks since: to be asked again
	}
	if reopened > maxReopened {
		err = errIncomplete
	}
	m.gathered(now, p, last, err, secrets, eff)
}

// scratch returns a machine that holds this one's blocks and nothing else.
func (m *Machine) scratch() *Machine {
	s := newMachine(m.self)
	s.now, s.group = m.now, m.group
	for _, hash := range m.blocks.All() {
		_ = s.blocks.Add(m.blocks.Header(hash), m.blocks.Body(hash), m.stateAt(hash)) // it is held here
	}
	s.start(m.blocks.Header(m.blocks.Genesis()).CreatedAt)
	s.publics, s.trees = maps.Clone(m.publics), maps.Clone(m.trees)
	return s
}

// gathered goes on after a page.
func (m *Machine) gathered(now uint64, p *peer, last bool, err error, secrets Secrets, eff *Effects) {
	g := m.catchUp
	if err == nil && last {
		err = g.check()
	}
	switch {
	case err != nil:
		m.another(now, eff)
		if !errors.Is(err, chain.ErrNewer) {
			eff.Notify = append(eff.Notify, Misbehaved{p.member, "pages"})
		}
	case last:
		m.catchUp = nil
		m.absorb(now, p, g, eff)
		m.ledBack(now, p, g.start.invitation, secrets, eff)
	default:
		g.until = now + pageTimeout
		eff.send(p.member.Device, m.askPages())
	}
}

// remember keeps another member's opening for when this one's is not gone on with;
// the newest word of each counts.
func (g *gathering) remember(from wire.Member, o opening) {
	g.others = slices.DeleteFunc(g.others, func(i inviter) bool { return i.from == from })
	if o = o.kept(); len(g.others) < maxOpenings && g.held()+o.weight <= maxGathered {
		g.others = append(g.others, inviter{from, o})
	}
}

// passOver gives up on who was asked for a page and is silent, or gone.
func (m *Machine) passOver(now uint64, eff *Effects) {
	if m.catchUp != nil && isDue(m.catchUp.until, now) {
		m.another(now, eff)
	}
}

// another asks the next that has opened pages and is here, from the start.
func (m *Machine) another(now uint64, eff *Effects) {
	others := m.catchUp.others
	m.catchUp = nil
	for i, next := range others {
		told := next.start.weight == 0 // a guest, of blocks, and nothing was opened
		if m.peers[next.from.Device] != nil && !(told && m.relation(next.from) != present) {
			m.catchUp = newGathering(m.scratch(), m.group, next.from, next.start)
			m.catchUp.others, m.catchUp.until = others[i+1:], now+pageTimeout
			eff.send(next.from.Device, m.askPages())
			return
		}
	}
}
