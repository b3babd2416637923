package group

import (
	"encoding/binary"
	"slices"

	"kith/internal/wire"
)

// What is composed while a removal is to be carried over waits: it is in no log
// yet, and goes out under the head that has the removal. A membership that ends
// takes it along.

// A heldMessage is a message that waits.
type heldMessage struct {
	number  uint64
	client  string
	content []byte
	block   wire.BlockHash // head at which it was composed; zero: not known
}

// hold keeps a message back.
func (m *Machine) hold(c Compose, eff *Effects) error { return m.holdSince(c, m.head, eff) }

// holdSince is hold for what was composed at a block.
func (m *Machine) holdSince(c Compose, block wire.BlockHash, eff *Effects) error {
	if len(m.held) >= maxHeld || len(c.Client) > MaxContent {
		return refuse(ReasonPending, nil)
	}
	h := heldMessage{number: 1, client: c.Client, content: c.Content.Bytes(), block: block}
	if n := len(m.held); n > 0 {
		h.number = m.held[n-1].number + 1
	}
	m.held = append(m.held, h)
	eff.put(KindHeld, heldKey(h.number), h.bytes())
	eff.Notify = append(eff.Notify, HeldChanged{len(m.held)})
	return nil
}

// releaseHeld writes what waited, unless this device's person is to be asked first.
func (m *Machine) releaseHeld(now uint64, eff *Effects) {
	if len(m.held) == 0 || m.mayWrite() != nil || len(m.pending()) > 0 || len(m.heldFrom()) > 0 {
		return
	}
	m.writeHeld(now, eff)
}

// heldFrom returns the other people at the head who were no members where the newest
// message that waits was composed, and whom this device's person did not add itself.
func (m *Machine) heldFrom() (people []wire.PersonID) {
	if len(m.held) == 0 {
		return nil
	}
	at := m.stateAt(m.held[len(m.held)-1].block)
	if at == nil {
		return nil
	}
	for _, who := range m.state().Members() {
		then, _ := at.Person(who.Person)
		if then.Instance != who.Instance && m.register().came[who.Person].by != m.self.Person {
			people = append(people, who.Person)
		}
	}
	return people
}

func (m *Machine) writeHeld(now uint64, eff *Effects) {
	for len(m.held) > 0 {
		h := m.held[0]
		content, err := ParseContent(h.content)
		if err == nil {
			err = m.write(now, Compose{h.client, content}, eff)
		}
		if err != nil {
			return
		}
		m.held = m.held[1:]
		eff.drop(KindHeld, heldKey(h.number))
	}
	eff.Notify = append(eff.Notify, HeldChanged{0})
}

// dropHeld forgets what waited.
func (m *Machine) dropHeld(eff *Effects) {
	for _, h := range m.held {
		eff.drop(KindHeld, heldKey(h.number))
	}
	m.held = nil
}

// decideHeld is the person's answer to whether those who came meanwhile get what
// waited.
func (m *Machine) decideHeld(now uint64, yes bool, eff *Effects) {
	if yes {
		m.writeHeld(now, eff)
		return
	}
	m.dropHeld(eff)
	eff.Notify = append(eff.Notify, HeldChanged{0})
}

// Held returns the content of the message that was composed under a client id and
// waits.
func (m *Machine) Held(client string) (Content, bool) {
	i := slices.IndexFunc(m.held, func(h heldMessage) bool { return h.client == client })
	if i < 0 {
		return Content{}, false
	}
	c, err := ParseContent(m.held[i].content)
	return c, err == nil
}

func heldKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// bytes is what is stored of a message that waits.
//
//	size field
//	V    client id
//	V    content
//	32   block at which it was composed; absent: not known
func (h heldMessage) bytes() []byte {
	var w wire.Writer
	w.Vec([]byte(h.client))
	w.Vec(h.content)
	if h.block != (wire.BlockHash{}) {
		w.Raw(h.block[:])
	}
	return w.Bytes()
}

func parseHeld(key, b []byte) (heldMessage, error) {
	r := wire.NewReader(b)
	client, content := r.Vec(MaxContent), r.Vec(MaxContent)
	var block wire.BlockHash
	if r.Len() > 0 {
		if r.Fixed(block[:]); block == (wire.BlockHash{}) {
			r.Fail(wire.ErrCanonical)
		}
	}
	if err := r.Done(); err != nil {
		return heldMessage{}, err
	}
	if len(key) != 8 {
		return heldMessage{}, errRecord
	}
	return heldMessage{binary.BigEndian.Uint64(key), string(client), slices.Clone(content), block}, nil
}

func (l *loading) held(rec Record) error {
	h, err := parseHeld(rec.Key, rec.Value)
	if err != nil {
		return err
	}
	l.m.held = append(l.m.held, h)
	return nil
}
