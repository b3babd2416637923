package group

import (
	"bytes"
	"cmp"
	"slices"

	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Every member holds of every other the person's chain and the last-resort key
// packages that it names, so that anybody can restart the keys (restart.go). They
// travel in frame 13 (peopleframe.go).
//
// A digest goes out at the first word of a session, an offer answers one that
// differs, and papers answer an offer that lacks them. Who lacks something that
// an offer has answers with its own, unless that one is an answer. New papers are
// passed on.

// personPapers is what is held of a person.
//
//	size field
//	V    proof: headers of the chain, see chain.ParseProof
//	V    packages: opaque<V> each, by device and suite
type personPapers struct {
	proof    []byte
	packages [][]byte
	headers  int // how many the proof has
	sum      wire.Digest

	looked bool // gone is known
	gone   []wire.DeviceID
}

// summed returns what names all of p: no two of one number of headers and packages are
// taken for the same.
func (p *personPapers) summed() wire.Digest {
	if p.sum == (wire.Digest{}) {
		p.sum = wire.Digest(wire.Hash(wire.HashDigest, p.bytes()))
	}
	return p.sum
}

func (p *personPapers) write(w *wire.Writer) {
	w.Vec(p.proof)
	writeList(w, p.packages)
}

func (p *personPapers) bytes() []byte {
	var w wire.Writer
	p.write(&w)
	return w.Bytes()
}

func readPapers(r *wire.Reader) *personPapers {
	p := &personPapers{proof: r.Vec(maxProof)}
	p.packages = readList(r, maxPackage, maxPackages)
	return p
}

// parsePapers reads what was stored.
func parsePapers(r *wire.Reader) (*personPapers, error) {
	p := readPapers(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	headers, err := chain.ParseProof(p.proof)
	if err != nil {
		return nil, err
	}
	p.proof, p.headers = bytes.Clone(p.proof), len(headers)
	for i := range p.packages {
		p.packages[i] = bytes.Clone(p.packages[i])
	}
	return p, nil
}

// exceeds reports whether p is newer than what has so many headers and packages,
// or holds more.
func (p *personPapers) exceeds(headers, packages int) bool {
	return cmp.Or(cmp.Compare(p.headers, headers), cmp.Compare(len(p.packages), packages)) > 0
}

// setPerson takes this person's own.
func (m *Machine) setPerson(c SetPerson, eff *Effects) error {
	if m.state().OfPerson() {
		return refuse(ReasonRule, nil)
	}
	if len(m.self.Former) > 0 && len(c.Headers) > 0 { // one that came in by another history waits for a block to take it
		if !slices.EqualFunc(m.self.Headers, c.Headers, bytes.Equal) {
			m.back = rejoin{} // by these it may come in; to be told the same again puts nothing off
		}
		m.self.Headers = c.Headers
	}
	p := &personPapers{proof: proof(c.Headers), packages: c.Packages}
	person, fresh, err := m.takePapers(p, eff)
	if err != nil || person != m.self.Person {
		return refuse(ReasonRule, err)
	}
	m.self.Headers = c.Headers
	if fresh && m.speaks() {
		m.tellPapers([]*personPapers{p}, wire.DeviceID{}, eff)
	}
	return nil
}

// takePapers keeps what is newer than what is held of a member, or more; then p
// is what is held now.
func (m *Machine) takePapers(p *personPapers, eff *Effects) (person wire.PersonID, fresh bool, err error) {
	headers, err := chain.ParseProof(p.proof)
	if err != nil {
		return person, false, err
	}
	person, p.headers = wire.PersonID(headers[0].Hash()), len(headers)
	old := m.people[person]
	above, beside := supersedes(headers, old), p.isBeside(old)
	switch { // spares the signatures
	case old == nil || above:
	case beside && !standsAbove(headers, old.history()), !beside && !p.exceeds(old.headers, 0), old.ends(p):
		return person, false, nil
	}
	who, known := m.state().Person(person)
	if !known || who.Status == chain.StatusRemoved {
		return person, false, refuse(ReasonNoMember, nil)
	}
	if !above && !goesOn(headers, who.PersonHead, old) {
		return person, false, errCommit // not the person that the group has seen
	}
	state, err := chain.VerifyProof(headers)
	if err != nil {
		return person, false, err
	}
	told := p.packages
	if old != nil {
		told = append(slices.Clone(told), old.packages...)
	}
	p.proof, p.packages = bytes.Clone(p.proof), namedBy(state, person, told)
	if old != nil && !p.exceeds(old.headers, len(old.packages)) && !above && !beside {
		return person, false, nil
	}
	m.people[person] = p
	eff.put(KindPerson, person[:], p.bytes())
	return person, true, nil
}

// isBeside reports whether p has as many headers as old, and others.
func (p *personPapers) isBeside(old *personPapers) bool {
	return old != nil && p.headers == old.headers && !bytes.Equal(p.proof, old.proof)
}

// namedBy returns those of some key packages that a person's chain names, by
// device and suite.
func namedBy(state *chain.State, person wire.PersonID, list [][]byte) (good [][]byte) {
	for _, b := range list {
		kp, err := mls.ParseKeyPackage(b)
		if err != nil {
			continue
		}
		who, ok := member(kp.Identity())
		ref, _, known := state.LastResort(who.Device, uint16(kp.Suite()))
		if ok && known && who.Person == person && state.Belongs(who.Device) && bytes.Equal(ref[:], kp.Ref()) && kp.LastResort() {
			good = append(good, bytes.Clone(b))
		}
	}
	slices.SortFunc(good, comparePackages)
	return slices.CompactFunc(good, bytes.Equal)
}

// comparePackages orders key packages that can be read by device and suite.
func comparePackages(a, b []byte) int {
	x, err := mls.ParseKeyPackage(a)
	y, other := mls.ParseKeyPackage(b)
	if err != nil || other != nil {
		return bytes.Compare(a, b)
	}
	return cmp.Or(bytes.Compare(x.Identity(), y.Identity()), cmp.Compare(x.Suite(), y.Suite()))
}

// packageOf returns the last-resort key package of a device for groups of a
// suite, if one is held that can be used now.
func (m *Machine) packageOf(who wire.Member, suite mls.Suite, now uint64) *mls.KeyPackage {
	p := m.people[who.Person]
	if p == nil {
		return nil
	}
	for _, b := range p.packages {
		if kp, err := CheckPackage(b, who, now); err == nil && kp.Suite() == suite {
			return kp
		}
	}
	return nil
}

// dropPeople forgets who is no member any more.
func (m *Machine) dropPeople(eff *Effects) {
	for _, person := range m.peopleHeld() {
		if !m.isMember(person) {
			delete(m.people, person)
			eff.drop(KindPerson, person[:])
		}
	}
}

func (m *Machine) peopleHeld() []wire.PersonID {
	list := make([]wire.PersonID, 0, len(m.people))
	for person := range m.people {
		list = append(list, person)
	}
	slices.SortFunc(list, comparePerson)
	return list
}

func (m *Machine) papersOffers(sums bool) (list []papersOffer) {
	for _, person := range m.peopleHeld() {
		p := m.people[person]
		if len(list) == maxStatements {
			break
		}
		o := papersOffer{person: person, headers: uint32(p.headers), packages: uint16(len(p.packages))}
		if sums {
			o.sum = p.summed()
		}
		list = append(list, o)
	}
	return list
}

func (m *Machine) peopleDigest(sums bool) wire.Digest {
	var w wire.Writer
	writeOffers(&w, m.papersOffers(sums), sums)
	return wire.Digest(wire.Hash(wire.HashDigest, m.group[:], w.Bytes()))
}

// offerPeople says the first word about people to a peer.
func (m *Machine) offerPeople(p *peer, eff *Effects) {
	if m.readsRepair(p) {
		sums := m.reads(p.member.Device, FeaturePapers)
		eff.send(p.member.Device, peopleFrame{part: peopleDigest, sums: sums, digest: m.peopleDigest(sums)}.bytes())
	}
}

// tellPapers passes papers on that are new here.
func (m *Machine) tellPapers(list []*personPapers, from wire.DeviceID, eff *Effects) {
	payload := peopleFrame{part: peoplePapers, papers: list}.bytes()
	for _, d := range m.connected(true) {
		if d != from && m.readsRepair(m.peers[d]) {
			eff.send(d, payload)
		}
	}
}

func (m *Machine) onPeople(p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parsePeople(r)
	if err != nil {
		return err
	}
	switch f.part {
	case peopleDigest:
		if f.digest != m.peopleDigest(f.sums) {
			m.sendOffer(p, f.sums, false, eff)
		}
	case peopleOffer:
		if !m.answers(m.now, p, &p.asksPeople) {
			return nil
		}
		m.givePapers(p, f, eff)
		if !f.answer && m.lacksPapers(f) {
			m.sendOffer(p, f.sums, true, eff)
		}
	case peoplePapers:
		m.onPapers(p, f, eff)
	}
	return nil
}

func (m *Machine) sendOffer(p *peer, sums, answer bool, eff *Effects) {
	f := peopleFrame{part: peopleOffer, sums: sums, offers: m.papersOffers(sums), answer: answer}
	eff.send(p.member.Device, f.bytes())
}

// givePapers answers an offer with what it lacks.
func (m *Machine) givePapers(p *peer, offer peopleFrame, eff *Effects) {
	has := make(map[wire.PersonID]papersOffer, len(offer.offers))
	for _, o := range offer.offers {
		has[o.person] = o
	}
	f := peopleFrame{part: peoplePapers}
	size := 0
	for _, person := range m.peopleHeld() {
		own := m.people[person]
		if !own.adds(has[person], offer.sums) {
			continue
		}
		if size += len(own.proof) + len(own.packages)*maxPackage; size > maxBlocksBytes && len(f.papers) > 0 {
			f.more = true
			break
		}
		f.papers = append(f.papers, own)
	}
	if len(f.papers) > 0 {
		eff.send(p.member.Device, f.bytes())
	}
}

// adds reports whether p may have what the sender of an offer lacks. Of as many headers
// either may have what the other lacks, and what the recovery key put on top counts
// against any number.
func (p *personPapers) adds(o papersOffer, sums bool) bool {
	if p.exceeds(int(o.headers), int(o.packages)) {
		return true
	}
	return sums && p.summed() != o.sum && (p.headers == int(o.headers) || supersedes(p.history(), nil))
}

func (m *Machine) onPapers(p *peer, f peopleFrame, eff *Effects) {
	var list []*personPapers
	for _, told := range f.papers {
		if _, fresh, err := m.takePapers(told, eff); err == nil && fresh {
			list = append(list, told)
		}
	}
	if len(list) == 0 {
		return
	}
	m.tellPapers(list, p.member.Device, eff)
	if f.more {
		m.sendOffer(p, m.reads(p.member.Device, FeaturePapers), true, eff)
	}
}

// lacksPapers reports whether an offer has what is not held.
func (m *Machine) lacksPapers(f peopleFrame) bool {
	return slices.ContainsFunc(f.offers, func(o papersOffer) bool {
		own := m.people[o.person]
		if own == nil {
			return m.isMember(o.person)
		}
		told := &personPapers{headers: int(o.headers), packages: make([][]byte, min(o.packages, maxPackages))}
		return f.sums && own.summed() != o.sum || told.exceeds(own.headers, len(own.packages))
	})
}
