package group

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// What was said before somebody came. The policy of the block that admitted a person
// says how much of it each member hands over (chain.Policy); who is admitted asks for it,
// a page at a time, the newest first, from whichever member has it.
//
//	floor ── names ──> wanted ── ask ──> header ── with what it says ──> shown
//	                     ^                 │   └── without ──> lacking ── ask others ──> shown
//	                     └───── names ─────┘
//
// A header is taken in because something above names it by hash, down to the first of
// its log, so nobody can add, change or leave out anything unseen; what it says is proved
// by content_commit. Only how far up it goes is the inviter's word, until enough members
// have signed an Ack of the same frontier.

// earlier is what this device has and lacks of the time before it came.
type earlier struct {
	past    *dag.Past                  // below the floor; nil: there is nothing, or none of it is given
	begun   wire.BlockHash             // that admitted this device's person, when it was last looked at; zero: never
	given   bool                       // what is wanted is given
	lacking map[dag.Ref]bool           // the header is here, or in the graph, and what it says is not
	vouch   map[dag.Ref]wire.BlockHash // of wanted ones by who was removed: the block of who names it
	proved  bool                       // enough members have acknowledged what the floor led to
	ended   map[wire.PersonID]bool     // who says that what is wanted still is older than the policy gives

	from  wire.DeviceID // who is asked, or was last
	until uint64        // ms; 0: nobody is
	found bool          // the answer brought something new
	names dag.Ref       // the last that was asked for by name
	parts int           // frames of the answer so far

	told EarlierView // as last announced
}

// An admittance is what the block that made somebody a member gives of the time before.
type admittance struct {
	block wire.BlockHash
	gives bool
	least uint64 // ms; the lowest order that is given
}

// admittance returns what a member is given by the block that made it one. The days of
// the policy count back from the latest clock of that block and those before it: who
// invites with a clock that is behind does not give more by that.
func (m *Machine) admittance(person wire.PersonID) (a admittance, ok bool) {
	came, ok := m.register().came[person]
	if !ok {
		return a, false
	}
	a.block = came.block
	switch p := m.stateAt(came.block).Policy(); p.History {
	case chain.HistoryAll:
		a.gives = true
	case chain.HistorySince:
		a.gives = true
		a.least = came.latest - min(came.latest, uint64(p.HistoryDays)*dayMS)
	}
	return a, true
}

// isBefore reports whether a block is no successor of the one that admitted somebody.
func (m *Machine) isBefore(a admittance, block wire.BlockHash) bool {
	return block != a.block && !m.blocks.IsAncestor(a.block, block)
}

// grants says what a member that has asked is given of an entry of a block, by its order.
// Of the time since its person came it is given what another device of that person could
// read.
func (m *Machine) grants(who wire.Member, a admittance, block wire.BlockHash, order uint64) dag.Given {
	at := m.stateAt(block)
	switch {
	case at == nil:
		return dag.GivenHeader
	case m.isBefore(a, block) && (!a.gives || order < a.least):
		return dag.GivenNothing
	case m.isBefore(a, block):
		return dag.GivenAll
	}
	if _, _, known := at.Device(who.Device); known || !m.inSince(who.Person, at) {
		return dag.GivenHeader
	}
	return dag.GivenAll
}

// beginEarlier begins to look for what was said before, once it is known that this device
// may have it, and anew when its person is admitted anew. What is here stays.
func (m *Machine) beginEarlier() {
	e := &m.earlier
	a, ok := m.admittance(m.self.Person)
	if !ok || e.begun == a.block || m.state().OfPerson() {
		return
	}
	e.begun, e.given = a.block, a.gives || a.block != m.joined
	if e.past == nil && e.given {
		e.past = dag.NewPast(m.graph)
	}
	if e.past != nil && !e.given && e.past.Len() == 0 {
		e.past = nil
	}
}

// noteLacking takes note of an entry from before this device came that is in the graph:
// true if others give what it says.
func (m *Machine) noteLacking(h *dag.Header, eff *Effects) bool {
	a, ok := m.admittance(m.self.Person)
	if !ok || m.isDeleted(h, m.authorOf(h)) || m.grants(m.self.Member(), a, h.Block, h.Order) != dag.GivenAll {
		return false
	}
	m.keepLacking(h, eff)
	return true
}

func (m *Machine) keepLacking(h *dag.Header, eff *Effects) {
	if ref := h.Ref(); !m.earlier.lacking[ref] {
		m.earlier.lacking[ref] = true
		m.noteBlank(h)
		eff.put(KindLacking, EntryKey(ref), []byte{})
		m.askAllEarlier()
	}
}

func (m *Machine) dropLacking(ref dag.Ref, eff *Effects) {
	if m.earlier.lacking[ref] {
		delete(m.earlier.lacking, ref)
		eff.drop(KindLacking, EntryKey(ref))
	}
}

// askAllEarlier lets those be asked again who had nothing.
func (m *Machine) askAllEarlier() {
	for d, p := range m.peers {
		if d != m.earlier.from {
			p.earlier, p.earlierAll = dag.Ref{}, false
		}
	}
}

// askEarlier asks the next member for what is wanted and lacking: who brought something
// last first.
func (m *Machine) askEarlier(now uint64, eff *Effects) {
	e := &m.earlier
	if e.until > now || m.earlierReached() && len(e.lacking) == 0 || m.mayWrite() != nil {
		return
	}
	if e.until != 0 {
		if p := m.peers[e.from]; p != nil { // unanswered
			p.exhausted(now)
		}
		e.until = 0
	}
	list := m.connected(true)
	if i := slices.Index(list, e.from); i > 0 {
		list = append([]wire.DeviceID{e.from}, slices.Delete(list, i, i+1)...)
	}
	for _, d := range list {
		p := m.peers[d]
		if isDue(m.earlierDue(p), now) {
			p.earlier, p.earlierAll = dag.Ref{}, false
		}
		if p.earlierAll || !m.reads(d, FeatureHistory) {
			continue
		}
		ask := m.earlierAsk(p)
		if ask.empty() {
			p.exhausted(now)
			continue
		}
		e.from, e.until, e.found, e.parts, e.names = d, now+fetchTimeout, false, 0, dag.Ref{}
		if n := len(ask.named); n > 0 {
			e.names = ask.named[n-1]
		}
		eff.send(d, ask.bytes())
		return
	}
}

// exhausted takes note that a peer was asked for all.
func (p *peer) exhausted(now uint64) { p.earlierAll, p.earlierAt, p.earlierNew = true, now, false }

// newsForEarlier takes note that a member may have by now what it had not.
func (m *Machine) newsForEarlier(d wire.DeviceID) {
	if p := m.peers[d]; p != nil {
		p.earlierNew = true
	}
}

// earlierDue is when a peer is asked again that was asked for all; 0: not.
func (m *Machine) earlierDue(p *peer) uint64 {
	if !p.earlierAll || !p.earlierNew || m.earlierAsk(&peer{}).empty() {
		return 0
	}
	return p.earlierAt + earlierAgain
}

// earlierAsk is what a member is asked for next.
func (m *Machine) earlierAsk(p *peer) (f askEarlierFrame) {
	if e := &m.earlier; e.past != nil && !m.earlierReached() {
		f.below = e.past.Wanted(maxEarlierLogs)
		slices.SortFunc(f.below, dag.Ref.Compare)
	}
	for r := range m.earlier.lacking {
		if r.Compare(p.earlier) > 0 {
			f.named = append(f.named, r)
		}
	}
	slices.SortFunc(f.named, dag.Ref.Compare)
	f.named = f.named[:min(len(f.named), maxHandover)]
	return f
}

// onEarlier takes what a member hands over, if this device asked for it.
func (m *Machine) onEarlier(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseEarlier(r)
	if err != nil {
		return err
	}
	e := &m.earlier
	if e.until == 0 || e.from != p.member.Device {
		return nil
	}
	for _, entry := range f.entries {
		fresh, err := m.takeEarlier(entry, eff)
		if err != nil {
			eff.Notify = append(eff.Notify, Misbehaved{p.member, "history"})
		}
		e.found = e.found || fresh
	}
	if e.parts++; f.answer == earlierMore && e.parts < maxAnswerFrames {
		e.until = now + fetchTimeout
		return nil
	}
	e.until = 0
	if e.found {
		m.setEnded(wire.PersonID{}, eff)
		m.askAllEarlier()
		return nil
	}
	if f.answer == earlierCut {
		m.setEnded(p.member.Person, eff)
	}
	if e.names == (dag.Ref{}) { // it has nothing of what is wanted, and was asked for all that is lacking
		p.exhausted(now)
	} else {
		p.earlier = e.names
	}
	return nil
}

// takeEarlier takes one entry that is handed over: true if it brought something. An error
// is the fault of who handed it over.
func (m *Machine) takeEarlier(e Packed, eff *Effects) (bool, error) {
	h, err := dag.ParseHeader(e.Header)
	if err != nil {
		return false, err
	}
	ref, past := h.Ref(), m.earlier.past
	lacks := m.earlier.lacking[ref]
	if h.Group != m.group {
		return false, errCommit
	}
	if !lacks {
		if past == nil || !past.Wants(ref) {
			return false, nil
		}
		author, device, ok := m.authorAt(h)
		if !ok || !h.VerifySignature(device.Key[:]) {
			return false, errCommit
		}
		if err := past.Add(h); err != nil {
			return false, err
		}
		eff.put(KindEarlier, EntryKey(ref), h.Bytes())
		late := m.isLateEarlier(h, author)
		m.vouchEarlier(h, late)
		switch {
		case late || m.stateAt(h.Block) == nil:
			return true, nil
		case m.isDeleted(h, author):
			row := m.row(h, author)
			row.State = RowUnreadable // which the Delete makes one that is deleted
			m.show(row, eff)
			return true, nil
		case len(e.Ciphertext) == 0:
			m.keepLacking(h, eff)
			return true, nil
		}
	} else if len(e.Ciphertext) == 0 {
		return false, nil
	}
	if err := m.sayEarlier(h, e.Ciphertext, eff); err != nil {
		if !lacks {
			m.keepLacking(h, eff)
		}
		return !lacks, err
	}
	return true, nil
}

// authorAt returns who wrote an entry. Where its block is not here, as of a branch that
// nobody follows, the head knows the device.
func (m *Machine) authorAt(h *dag.Header) (wire.PersonID, chain.Device, bool) {
	at := m.stateAt(h.Block)
	if at == nil {
		who, d, ok := m.state().Device(h.Device)
		return who.Person, d, ok
	}
	who, d, ok := at.Device(h.Device)
	return who.Person, d, ok && at.Active(h.Device) // invariant R2
}

// sayEarlier shows what an entry says.
func (m *Machine) sayEarlier(h *dag.Header, plain []byte, eff *Effects) error {
	if len(plain) < saltSize {
		return wire.ErrCanonical
	}
	salt, content := [saltSize]byte(plain), plain[saltSize:]
	if dag.ContentCommit(m.group, h.Device, h.ContentID, salt, content) != h.ContentCommit {
		return errCommit
	}
	if _, err := ParseContent(content); err != nil {
		return err // no member shows it
	}
	person, _, ok := m.authorAt(h)
	if !ok {
		return errCommit
	}
	m.dropLacking(h.Ref(), eff)
	m.keepSalt(h, salt[:], eff)
	row := m.row(h, person)
	row.State, row.Content, row.Waiting = RowShown, bytes.Clone(content), m.waiting[h.Ref()] != nil
	m.show(row, eff)
	return nil
}

// keepSalt keeps what proves a content that is shown, to hand it over.
func (m *Machine) keepSalt(h *dag.Header, salt []byte, eff *Effects) {
	eff.put(KindSalt, EntryKey(h.Ref()), bytes.Clone(salt))
}

// vouchEarlier takes note of what an entry names of those who were removed since: what
// they wrote beyond that counts where somebody refers to it who had not seen it.
func (m *Machine) vouchEarlier(h *dag.Header, late bool) {
	e := &m.earlier
	delete(e.vouch, h.Ref())
	if late {
		return
	}
	names := h.Parents
	if h.Seq > 1 {
		names = append(slices.Clone(names), dag.Ref{Device: h.Device, Seq: h.Seq - 1, Hash: h.Prev.Short()})
	}
	for _, r := range names {
		who, _, _ := m.state().Device(r.Device)
		if len(m.register().gone[who.Person]) == 0 || !e.past.Wants(r) {
			continue
		}
		if at, ok := e.vouch[r]; !ok || m.blocks.IsAncestor(h.Block, at) {
			e.vouch[r] = h.Block
		}
	}
}

// isLateEarlier reports whether an entry is beyond the removal of its author, and nobody
// refers to it who had not seen that.
func (m *Machine) isLateEarlier(h *dag.Header, author wire.PersonID) bool {
	gone, late := m.lateBy(author, h.Device, h.Seq, h.Block)
	if !late {
		return false
	}
	at, ok := m.earlier.vouch[h.Ref()]
	return !ok || m.blocks.IsAncestor(gone.block, at)
}

// lowerEarlier follows what a newer entry takes back of the floor.
func (m *Machine) lowerEarlier(h *dag.Header) {
	if m.earlier.past != nil && m.graph.Overclaims(h) {
		m.earlier.past.Lower(h)
	}
}

// setEnded takes note of somebody who says that all that is wanted is older than the
// policy gives; of nobody, if something came.
func (m *Machine) setEnded(person wire.PersonID, eff *Effects) {
	e := &m.earlier
	switch {
	case person == (wire.PersonID{}) && len(e.ended) == 0, e.ended[person]:
		return
	case person == (wire.PersonID{}):
		clear(e.ended)
	default:
		e.ended[person] = true
	}
	eff.Write = append(eff.Write, e.record())
}

// record is what is known of how much there is.
//
//	size field
//	1    1: enough members have acknowledged what the floor led to
//	V    persons who say that what is wanted is older than the policy gives, ascending, 32 each
func (e *earlier) record() Record {
	var w wire.Writer
	w.Bool(e.proved)
	w.Group(func(w *wire.Writer) {
		for _, p := range slices.SortedFunc(maps.Keys(e.ended), comparePerson) {
			w.Raw(p[:])
		}
	})
	return Record{KindEarlier, nil, w.Bytes()}
}

func (l *loading) earlierKnown(r *wire.Reader) error {
	e := &l.m.earlier
	e.proved = r.Bool()
	r.Each(32*dag.MaxDevices, dag.MaxDevices, func(r *wire.Reader) {
		var p wire.PersonID
		r.Fixed(p[:])
		e.ended[p] = true
	})
	return r.Done()
}

func (l *loading) earlier(rec Record) error {
	if len(rec.Key) == 0 {
		return l.earlierKnown(wire.NewReader(rec.Value))
	}
	h, err := dag.ParseHeader(rec.Value)
	l.before = append(l.before, h)
	return err
}

func (l *loading) lacking(rec Record) error {
	ref, err := refKey(rec.Key)
	l.m.earlier.lacking[ref] = true
	return err
}

// endEarlier takes in the headers from below the floor, each after one that names it.
func (l *loading) endEarlier() {
	m := l.m
	if m.beginEarlier(); len(l.before) > 0 && m.earlier.past == nil {
		m.earlier.past = dag.NewPast(m.graph)
	}
	if m.earlier.past == nil {
		return
	}
	slices.SortFunc(l.before, func(a, b *dag.Header) int { return cmp.Compare(b.Order, a.Order) })
	for _, h := range l.before {
		if m.earlier.past.Add(h) != nil {
			continue // of an earlier membership
		}
		author, _, ok := m.authorAt(h)
		m.vouchEarlier(h, !ok || m.isLateEarlier(h, author))
	}
}
