package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A register is what the head's chain says of comings and goings. It is read
// once for each head.
type register struct {
	head wire.BlockHash
	came map[wire.PersonID]arrival        // the newest
	by   map[wire.DeviceID]wire.BlockHash // the newest block that admitted the device
	gone map[wire.PersonID][]departure    // oldest first
	keys map[wire.Digest][]byte           // knock keys, by their hash
	back map[wire.DeviceID]uint64         // ms; by its clock, when each unparked itself last
	two  map[wire.DeviceID]bool           // taken out for two things that it signed
	time uint64                           // ms; the latest that a block was made, by its author's clock
}

// An arrival says how somebody became a member.
type arrival struct {
	block    wire.BlockHash
	by       wire.PersonID
	at       uint64 // ms
	latest   uint64 // ms; the latest that it, or a block before it, was made
	evidence []byte // attachment: headers of the person's chain
}

// A departure says how somebody, or one device of somebody, ceased to be a member.
type departure struct {
	block  wire.BlockHash
	by     wire.PersonID
	at     uint64 // ms
	left   bool   // by its own wish
	slash  bool   // for what it signed twice
	cuts   []chain.Cut
	device wire.DeviceID // zero: all of the person's
}

func (d departure) of(device wire.DeviceID) bool {
	return d.device == (wire.DeviceID{}) || d.device == device
}

// ends returns whose membership an op ends, of all the person's devices if it
// names none, and how far their logs count.
func ends(op chain.Op) (who wire.Member, cuts []chain.Cut, ok bool) {
	switch op := op.(type) {
	case *chain.Remove:
		return wire.Member{Person: op.Person}, op.Cuts, true
	case *chain.Leave:
		who.Person = op.Person
		if who.Person == (wire.PersonID{}) && len(op.Cuts) == 1 { // of a device, in a person's chain
			who.Device = op.Cuts[0].Device
		}
		return who, op.Cuts, true
	case *chain.RemoveDevice:
		return wire.Member{Person: op.Person, Device: op.Device}, op.Cuts, true
	case *chain.Carry:
		return wire.Member{Person: op.Person, Device: op.Device}, op.Cuts, true
	case *chain.Slash:
		return wire.Member{Person: op.Person, Device: op.Device}, op.Cuts, true
	}
	return wire.Member{}, nil, false
}

func (m *Machine) register() *register {
	if m.past != nil && m.past.head == m.head {
		return m.past
	}
	p := &register{
		head: m.head,
		came: make(map[wire.PersonID]arrival),
		by:   make(map[wire.DeviceID]wire.BlockHash),
		gone: make(map[wire.PersonID][]departure),
		keys: make(map[wire.Digest][]byte),
		back: make(map[wire.DeviceID]uint64),
		two:  make(map[wire.DeviceID]bool),
	}
	for _, hash := range m.notOn(m.head, wire.BlockHash{}) {
		p.read(hash, m.blocks.Header(hash), m.blocks.Body(hash))
	}
	m.past = p
	return p
}

func (p *register) read(hash wire.BlockHash, h *chain.Header, body *chain.Body) {
	cited := body.Attachments
	p.time = max(p.time, h.CreatedAt)
	for _, a := range cited {
		if len(a) == chain.KnockKeySize {
			p.keys[chain.KnockHash(a)] = a
		}
	}
	for _, op := range h.Ops {
		switch op := op.(type) {
		case *chain.Genesis:
			p.came[op.Creator] = arrival{hash, h.Author.Person, h.CreatedAt, p.time, cited[0]}
			p.by[op.Device.ID()] = hash
		case *chain.Add:
			p.came[op.Person] = arrival{hash, h.Author.Person, h.CreatedAt, p.time, cited[0]}
			for _, d := range op.Devices {
				p.by[d.ID()] = hash
			}
		case *chain.AddDevice:
			p.by[op.Device.ID()] = hash
		case *chain.Unpark:
			p.back[op.Device] = h.CreatedAt
		case *chain.Slash:
			p.two[op.Device] = true
		}
		if who, cuts, ok := ends(op); ok {
			gone := departure{block: hash, by: h.Author.Person, at: h.CreatedAt, cuts: cuts, device: who.Device}
			if _, gone.left = op.(*chain.Leave); gone.left {
				gone.by = who.Person
			}
			_, gone.slash = op.(*chain.Slash)
			p.gone[who.Person] = append(p.gone[who.Person], gone)
		}
		cited = cited[len(chain.Cites(op)):]
	}
}

// removal finds the newest block on the head's chain that ended a device's
// membership.
func (m *Machine) removal(who wire.Member) (departure, bool) {
	for _, gone := range slices.Backward(m.register().gone[who.Person]) {
		if gone.of(who.Device) {
			return gone, true
		}
	}
	return departure{}, false
}

// came returns the block that admitted a device, on the head's chain.
func (m *Machine) came(device wire.DeviceID) wire.BlockHash { return m.register().by[device] }

// signedSince reports whether a device signed the block that admitted it, or one
// above it.
func (m *Machine) signedSince(device wire.DeviceID) bool {
	came := m.came(device)
	if !m.blocks.Has(came) {
		return false
	}
	return m.blocks.Header(came).Author.Device == device || m.state().LastSeq(device) > m.stateAt(came).LastSeq(device)
}

// nameOf returns the commitment to a person's name: it stands in the person's
// headers, which the block that admitted the person cites.
func (m *Machine) nameOf(person wire.PersonID) (wire.Digest, bool) {
	came, ok := m.register().came[person]
	if !ok || person == (wire.PersonID{}) {
		return wire.Digest{}, false
	}
	cite := chain.Cite(came.evidence)
	d, ok := m.names[cite]
	if !ok {
		d, ok = infoInProof(came.evidence)
		if len(m.names) > maxNames+len(m.state().Everyone()) {
			clear(m.names) // of branches that lost
		}
		if ok {
			m.names[cite] = d
		}
	}
	return d, ok
}

// infoInProof reads what a proof commits to that a block in the set cites.
func infoInProof(b []byte) (wire.Digest, bool) {
	headers, err := chain.ParseProof(b)
	if err != nil {
		return wire.Digest{}, false
	}
	s, err := chain.ReadProof(headers)
	if err != nil {
		return wire.Digest{}, false
	}
	return s.Info(), true
}

// KnockKey returns the knock key of a member's device, which the block that
// admitted it carries.
func (m *Machine) KnockKey(device wire.DeviceID) ([]byte, bool) {
	_, d, ok := m.state().Device(device)
	if !ok {
		return nil, false
	}
	key, ok := m.register().keys[d.KnockHash]
	return key, ok
}
