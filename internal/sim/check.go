package sim

import (
	"bytes"
	"maps"
	"reflect"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// A checker holds the oracles of a run. It knows what was really said.
type checker struct {
	w     *World
	g     wire.GroupID
	said  map[string]group.Row           // by text: the row its author wrote
	shown map[*Node]map[string]group.Row // by node and text
	final finality
	late  lateness
	crew  *crew
	again map[string]group.Place // by text: where it was sealed again

	removed map[group.Target]bool // what somebody deleted
	told    map[telling]int
	resent  map[*Node][][]byte // what somebody sent a node again that was for another
	steps   int
	pause   int // after how many steps a machine is loaded once more, at least
}

// A telling is a text that a node was told in the membership that a block began.
type telling struct {
	n    *Node
	text string
	came wire.BlockHash
}

func newChecker(w *World) *checker {
	return &checker{
		w: w, said: make(map[string]group.Row), shown: make(map[*Node]map[string]group.Row),
		final: newFinality(), late: make(lateness), again: make(map[string]group.Place),
		removed: make(map[group.Target]bool), told: make(map[telling]int), resent: make(map[*Node][][]byte),
	}
}

// step looks at a node after a step whose effects it committed.
func (c *checker) step(n *Node, g wire.GroupID, eff group.Effects) {
	if g != c.g || c.crew.has(n) {
		return
	}
	m := n.Groups[g].Machine
	for _, row := range eff.Rows {
		c.row(n, m, row)
	}
	for _, e := range eff.Notify {
		c.event(n, m, e)
	}
	c.final.step(n, m)
	c.late.step(n, m)
	c.ruled(n, m)
	for _, f := range eff.Send {
		c.frame(n, m, f)
	}
	for _, s := range eff.Serve {
		if !head(m).Belongs(s.To) {
			fail("%s serves entries to who is no member", n.Name)
		}
		c.served(n, g, s)
	}
	if c.steps++; c.steps%max(c.pause, pause(m)) == 0 {
		c.reloaded(n, g)
		c.keyed(n, g)
	}
}

// event checks that nobody is blamed, or in trouble, but by those who lie.
func (c *checker) event(n *Node, m *group.Machine, e group.Event) {
	lies := func(d wire.DeviceID) bool { o := c.w.byDevice(d); return o != nil && c.crew.has(o) }
	by := func(block wire.BlockHash) (d wire.DeviceID) {
		if h := m.Blocks().Header(block); h != nil {
			d = h.Author.Device
		}
		return d
	}
	switch e := e.(type) {
	case group.Acked:
		c.acked(n, m, e.Device)
	case group.Misbehaved:
		if !lies(e.From.Device) {
			fail("%s accuses %s of breaking rule %q", n.Name, c.w.device(e.From.Device), e.Rule)
		}
	case group.CannotFollow:
		if !lies(by(e.Block)) && !c.forsaken(n, m, e.Block) {
			fail("%s cannot follow block %v: %s", n.Name, e.Block, e.Fault)
		}
	case group.Nacked:
		if o := c.w.byDevice(e.Device); !lies(e.Device) && !lies(by(e.Block)) && !c.forsaken(o, m, e.Block) {
			fail("%s hears that %s cannot follow block %v", n.Name, c.w.device(e.Device), e.Block)
		}
	case group.SignedTwice:
		if !lies(e.Device) {
			fail("%s holds evidence against %s", n.Name, c.w.device(e.Device))
		}
	case group.VotedTwice:
		if !lies(e.Device.Device) {
			fail("%s holds votes against %s", n.Name, c.w.device(e.Device.Device))
		}
	case group.Replaced:
		fail("%s was replaced by block %v", n.Name, e.Block)
	case group.Copied:
		fail("%s takes itself for a copy", n.Name)
	case group.SettledTwice:
		fail("%s holds a conflict of settlements: %v", n.Name, e.Blocks)
	}
}

// forsaken reports whether n has no keys of a block's parent: nobody who is there
// gives it any, which those who lie may bring about, and who lost them where none is
// there that has any.
func (c *checker) forsaken(n *Node, m *group.Machine, block wire.BlockHash) bool {
	h := m.Blocks().Header(block)
	if h == nil { // one of many variants, and dropped since
		return len(c.crew.persons) > 0
	}
	return (len(c.crew.persons) > 0 || n.lost) && n.Groups[c.g].Records[group.KindEpoch][string(h.Parent[:])] == nil
}

// pause is after how many steps a machine is loaded once more: a long chain takes
// long to load, and must not make a long run one of loading alone.
func pause(m *group.Machine) int { return max(40, m.Blocks().Len()*m.Blocks().Len()/16) }

// served checks that who could read an entry when it was written is given all of it,
// that no text goes to who was or is parked, or to somebody who had nobody there, and
// that it is handed over to none but the parked and those who came after their person.
func (c *checker) served(n *Node, g wire.GroupID, s group.Serve) {
	r := n.Groups[g]
	if s.Earlier {
		c.servedEarlier(n, g, s)
		return
	}
	for i, ref := range s.Refs {
		if s.Contents {
			h, err := dag.ParseHeader(r.Records[group.KindEntry][string(group.EntryKey(ref))])
			if err != nil {
				fail("%s hands over what it has not", n.Name)
			}
			at, now := r.Machine.Blocks().State(h.Block), head(r.Machine)
			_, _, known := at.Device(s.To)
			if parked := at.Belongs(s.To) && !at.Active(s.To); !parked && (known || !hadSomebody(at, now, s.To)) {
				fail("%s hands over an entry to %s, who was not parked and came after nobody of its person", n.Name, c.w.device(s.To))
			}
			continue
		}
		h, err := dag.ParseHeader(r.Records[group.KindEntry][string(group.EntryKey(ref))])
		if err != nil {
			continue // below the floor: not stored
		}
		at, now := r.Machine.Blocks().State(h.Block), head(r.Machine)
		switch parked, early := at.Belongs(s.To) && !at.Active(s.To), !at.Belongs(s.To); {
		case s.Bare[i] && at.Active(s.To):
			fail("%s gives %s the header alone of what was written to it", n.Name, c.w.device(s.To))
		case !s.Bare[i] && (parked || early && !now.Active(s.To)):
			fail("%s gives %s, who is parked, a text", n.Name, c.w.device(s.To))
		case !s.Bare[i] && early && !hadSomebody(at, now, s.To):
			fail("%s gives %s the text of what was written without its person", n.Name, c.w.device(s.To))
		}
	}
}

// wasResent reports whether a node got the ciphertext of an entry in something that was for another.
func (c *checker) wasResent(n *Node, p group.Place) bool {
	cipher := n.Groups[c.g].Records[group.KindCipher][string(group.EntryKey(p.Ref()))]
	return slices.ContainsFunc(c.resent[n], func(b []byte) bool { return bytes.Contains(b, cipher) })
}

// hadSomebody reports whether any device could read at a state what is a device's
// person's in the same membership now.
func hadSomebody(at, now *chain.State, d wire.DeviceID) bool {
	owner, _, _ := now.Device(d)
	return slices.ContainsFunc(owner.Devices, func(o chain.Device) bool {
		who, _, _ := at.Device(o.ID)
		return at.Active(o.ID) && who.Instance == owner.Instance
	})
}

func head(m *group.Machine) *chain.State { return m.Blocks().State(m.Head()) }

// row checks a row that a node is about to see: R2, that nothing is shown twice
// or at another place than elsewhere, and that nothing is taken back.
func (c *checker) row(n *Node, m *group.Machine, row group.Row) {
	state := m.Blocks().State(row.Block)
	mine := c.shown[n]
	if mine == nil {
		mine = make(map[string]group.Row)
		c.shown[n] = mine
	}
	if row.State != group.RowShown {
		for s, old := range mine {
			if row.State == group.RowDeleted && c.isRemoved(old) {
				continue
			}
			if old.Place == row.Place && !c.crew.persons[row.Person] {
				fail("%s saw %q, and then state %d in its place", n.Name, s, row.State)
			}
		}
		return
	}
	s := text(row)
	if row.Client == said {
		c.said[s] = row
		if p := m.Blocks().PendingAt(m.Head()); len(p) > 0 { // I5
			fail("%s writes %q, though the removal of %s is to be carried over", n.Name, s, c.w.name(p[0].Person))
		}
	}
	owner, _, ok := state.Device(row.Place.Device)
	if !ok || !state.Active(row.Place.Device) || owner.Person != row.Person {
		fail("%s sees %q by %s, who was no member then", n.Name, s, c.w.name(row.Person))
	}
	if !state.Belongs(n.Self.Device.ID()) {
		if !mayHaveEarlier(m, n.Self.Member(), row.Block, row.Place.Order) {
			fail("%s sees %q, which was written without it", n.Name, s)
		}
		c.w.came["shown of the time before"]++
	}
	if state.Belongs(n.Self.Device.ID()) && !state.Active(n.Self.Device.ID()) && n.hasCipher(c.g, row.Place) && len(c.crew.persons) == 0 && !c.wasResent(n, row.Place) {
		// Who was parked is handed what an entry says: its keys are none of its. Who lies
		// may give it the ciphertext besides, and so does who sends it again what was for another.
		fail("%s sees %q with keys, though it was parked", n.Name, s)
	}
	if c.crew.persons[row.Person] {
		return // what it said to whom, it alone knows
	}
	if !c.written(s, row) {
		fail("%s sees %q at %v by %s, it was written at %v", n.Name, s, row.Place, c.w.name(row.Person), c.said[s].Place)
	}
	old, twice := mine[s]
	now := telling{n, s, arrival(m, n)}
	defer func() { c.told[now]++ }()
	if twice && old.Place == row.Place {
		if !c.toldAgain(m, now, row) {
			fail("%s sees %q a second time", n.Name, s)
		}
		c.w.came["told again after coming back"]++
		return
	}
	if !twice || dag.Less(row.Place, old.Place) {
		mine[s] = row
	}
}

// toldAgain reports whether somebody is told in this membership what was written in an
// earlier one and the group gives who comes again: it is one line. It may come by both ways, from
// who hands it over and as an entry whose keys are still here, and by each once.
func (c *checker) toldAgain(m *group.Machine, now telling, row group.Row) bool {
	return c.told[now] < 2 && row.Block != now.came && m.Blocks().IsAncestor(row.Block, now.came) &&
		mayHaveEarlier(m, now.n.Self.Member(), row.Block, row.Place.Order)
}

// written reports whether a row is what its author wrote, or that sealed again
// after a fork: once, with the same content id and commitment.
func (c *checker) written(s string, row group.Row) bool {
	first := c.said[s]
	if row.Person != first.Person || row.Place.Device != first.Place.Device || row.ID != first.ID || row.Commit != first.Commit {
		return false
	}
	if row.Place == first.Place {
		return row.Block == first.Block
	}
	if c.again[s] == (group.Place{}) {
		c.again[s] = row.Place
	}
	return c.again[s] == row.Place && dag.Less(first.Place, row.Place)
}

// Numbers of payloads that a device may be sent that is no member at the
// sender's head (docs/spec/sync.md).
const (
	kindDigest = 1
	kindBlocks = 3
	kindVotes  = 14
	kindPages  = 15
)

// Numbers of other payloads.
const (
	kindEntries = 4
	kindFaults  = 12
)

// frame checks that what a node sends is for the receiver.
func (c *checker) frame(n *Node, m *group.Machine, f group.Frame) {
	if head(m).Belongs(f.To) {
		return
	}
	kind := f.Payload[0]
	if kind == kindPages && f.Payload[1] == pagesAsk {
		c.asksOpener(n, f)
		return
	}
	if to := c.w.byDevice(f.To); !c.late[n].met[f.To] && // by a variant that was dropped since, it may be
		!(kind == kindBlocks && to != nil && memberOf(m, to.Self.Person)) { // another device of a member is told of blocks
		fail("%s sends payload %d to %s, who never was a member", n.Name, kind, c.w.device(f.To))
	}
	switch {
	case kind == kindDigest || kind == kindBlocks || kind == kindVotes:
	case kind == kindPages && f.Payload[1] == pagesPage: // the answer to a former member that asked
	default:
		fail("%s sends payload %d to %s, who is no member", n.Name, kind, c.w.device(f.To))
	}
}

// reloaded checks R3: a machine made from what is committed is the one that
// runs.
func (c *checker) reloaded(n *Node, g wire.GroupID) {
	r := n.Groups[g]
	m, err := group.Load(n.Self, r.source)
	if err != nil {
		fail("%s cannot load its records: %v", n.Name, err)
	}
	if m.Status() != r.Machine.Status() || m.Head() != r.Machine.Head() {
		fail("%s: loaded, the machine has status %d and head %v, it runs with %d and %v", n.Name,
			m.Status(), m.Head(), r.Machine.Status(), r.Machine.Head())
	}
	if !slices.Equal(m.Blocks().Tips(), r.Machine.Blocks().Tips()) {
		fail("%s: loaded, the machine has other blocks", n.Name)
	}
	if !maps.Equal(m.Frontier(), r.Machine.Frontier()) {
		fail("%s: loaded, the machine has frontier %v, it runs with %v", n.Name, m.Frontier(), r.Machine.Frontier())
	}
	if a, b := m.Heads(), r.Machine.Heads(); !slices.Equal(a, b) {
		fail("%s: loaded, the machine has the heads %v, it runs with %v", n.Name, a, b)
	}
	if a, b := m.Finality(), r.Machine.Finality(); !reflect.DeepEqual(a, b) {
		fail("%s: loaded, the machine has settled\n%+v, it runs with\n%+v", n.Name, a, b)
	}
	a, b := m.View(), r.Machine.View()
	a.AskedOf, b.AskedOf = nil, nil // what is under way is not stored
	const steps = 8                 // group: told anew once an eighth of them has come
	if off := max(a.Missing-b.Missing, b.Missing-a.Missing); min(a.Missing, b.Missing) > 0 && steps*off < b.Missing {
		a.Missing = b.Missing
	}
	if !reflect.DeepEqual(a, b) {
		fail("%s: loaded, the machine shows\n%+v, it runs with\n%+v", n.Name, a, b)
	}
}

// memberOf reports whether a person is in the group at a machine's head.
func memberOf(m *group.Machine, person wire.PersonID) bool {
	who, ok := head(m).Person(person)
	return ok && who.Status != chain.StatusRemoved
}
