package group

import (
	"kith/internal/chain"
	"kith/internal/wire"
)

// That somebody is writing is said to who is connected, and neither stored nor passed on.
// It says nothing but that: not what, and not how long. A program says it while the chat
// is open and its person wants it said (FeatureTyping).

// A typing frame.
//
//	size field
//	1    32
//	1    1: writes, 0: does not any more

// typing tells the members' devices that are connected and read it; of one's own person none.
func (m *Machine) typing(now uint64, c Typing, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	if !mayType(m.state()) || c.On && m.typed != 0 && now >= m.typed && now < m.typed+typingEvery || !c.On && m.typed == 0 {
		return nil
	}
	if m.typed = now; !c.On {
		m.typed = 0
	}
	for _, d := range m.connected(true) {
		if p := m.peers[d]; p.member.Person != m.self.Person && m.reads(d, FeatureTyping) {
			eff.send(d, encodeTyping(c.On))
		}
	}
	return nil
}

// mayType: in a large group somebody always writes, and nobody looks.
func mayType(s *chain.State) bool { return !s.OfPerson() && len(s.Members()) <= maxTyping }

// onTyping shows that somebody writes. More than one in a second changes nothing.
func (m *Machine) onTyping(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	on, err := parseTyping(r)
	if err != nil {
		return err
	}
	tooSoon := now >= p.typed && now < p.typed+typingLeast
	if !mayType(m.state()) || on && tooSoon || !on && !p.types || p.member.Person == m.self.Person {
		return nil
	}
	if p.types = on; on {
		p.typed = now
	}
	eff.Notify = append(eff.Notify, Typed{p.member.Person, on})
	return nil
}

func encodeTyping(on bool) []byte {
	var w wire.Writer
	w.U8(frameTyping)
	w.Bool(on)
	return w.Bytes()
}

func parseTyping(r *wire.Reader) (on bool, err error) {
	on = r.Bool()
	return on, r.Done()
}
