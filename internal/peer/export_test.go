package peer

import (
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/wire"
)

// What the fuzz targets and tests of exact bytes need of the inside.

const (
	RefuseAfter  = refuseAfter
	WriteStall   = writeStall
	FragmentSize = fragmentSize
	MaxQueue     = maxQueue
	KnockFrame   = knockFrame
	AnswerFrame  = answerFrame
	MessageRate  = messageRate
	MessageBurst = messageBurst
	ByteRate     = byteRate
	ByteBurst    = byteBurst
	BanAt        = banAt
	MaxRecords   = maxRecords
	DeviceBan    = deviceBan
	HostBan      = hostBan
	Forgive      = deviceForgive
)

// Recode parses a fragment and encodes it again.
func Recode(b []byte) ([]byte, error) {
	f, err := parseFragment(b)
	if err != nil {
		return nil, err
	}
	return f.bytes(), nil
}

// Assemble feeds frames to one assembly and returns the bytes it then holds.
func Assemble(frames [][]byte) (whole []Message, held int, err error) {
	var a assembly
	for _, f := range frames {
		m, done, err := a.take(f)
		if err != nil {
			return whole, held, err
		}
		if done {
			whole = append(whole, m)
		}
	}
	for _, p := range a.parts {
		held += p.size
	}
	return whole, held, nil
}

// RecodeSealed parses the content of a request and encodes it again.
func RecodeSealed(b []byte) ([]byte, error) {
	s, err := parseSealed(b)
	if err != nil {
		return nil, err
	}
	card, err := s.card.Marshal()
	if err != nil {
		return nil, err
	}
	var w wire.Writer
	w.Vec(card)
	w.Raw(s.device[:])
	w.Raw(s.signature)
	return append(w.Bytes(), make([]byte, padding(w.Len()))...), nil
}

// Seal is what Ask and Accept put into the box.
func Seal(d *identity.Device, label wire.Label, own Card, to wire.PersonID, binding [32]byte) ([]byte, error) {
	return seal(d, label, own, to, binding)
}

// Judge is Accept without the connection.
func Judge(frame []byte, binding [32]byte, cfg Config) (wire.Member, []byte, error) {
	who, answer, _, _, err := judge(frame, binding, cfg)
	return who, answer, err
}

// Hostile returns what writes any frame as s would, on another end of its
// connection.
func Hostile(s *Session, conn link.Conn) link.Conn {
	c := *s.conn.(*sealedConn)
	c.Conn = conn
	return &c
}

// SealedOverhead is what a session adds to a fragment.
const SealedOverhead = sealedOverhead

// HostOf is what a ban of the host would name.
func HostOf(conn link.Conn) string { return hostOf(conn) }

// Records is how many devices and hosts are remembered.
func (b *Bans) Records() int { return len(b.records) }

// RecodeTree parses a frame of a tree and encodes it again.
func RecodeTree(b []byte) ([]byte, error) {
	f, err := parseTreeFrame(b)
	if err != nil {
		return nil, err
	}
	return f.bytes(), nil
}

// Held counts what a tree remembers, each kind of thing beside its bound.
func (t *Tree) Held() map[string][2]int {
	held := map[string][2]int{
		"neighbours": {len(t.near), ownNeighbours + maxTheirs + maxPending}, "pending": {len(t.pending), maxPending + 1},
		"shunned": {len(t.shunned), maxShunned}, "learnt": {len(t.learnt), maxLearnt}, "seen": {len(t.seen), maxSeen},
		"order": {len(t.order), maxSeen}, "wants": {len(t.wants), maxWants},
	}
	for _, c := range t.peers {
		held["news"] = [2]int{max(held["news"][0], len(c.news)), maxNews}
		held["promises"] = [2]int{max(held["promises"][0], c.promises), maxPromises}
	}
	for _, w := range t.wants {
		held["from"] = [2]int{max(held["from"][0], len(w.from), len(w.asked)), maxFrom}
	}
	return held
}
