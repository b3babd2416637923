package chain

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// Restart is the last op of a block whose body starts a new MLS group for the
// state after it: for another suite, after a poisoned commit, when all secrets
// are lost. Parked lists, ascending, the devices that get no leaf in it. It
// cites nothing, or as one attachment the Nacks of most devices (Most); then it is
// nobody's privilege.
type Restart struct {
	Suite  uint16
	Reason RestartReason
	Parked []wire.DeviceID
	Cites  []wire.Digest
}

// RestartReason says why; it is for people and decides nothing.
type RestartReason uint8

// Why the keys start again. Other values are a newer version's.
const (
	RestartSuite    RestartReason = 1 // to use another suite
	RestartPoisoned RestartReason = 2 // some could not follow a block
	RestartLost     RestartReason = 3 // the secrets are gone
	RestartRecovery RestartReason = 4 // a person came back by its phrase
)

// Kind returns the number of the op.
func (*Restart) Kind() Kind { return KindRestart }

// The content of a Restart (docs/spec/chain.md):
//
//	u16 suite, u8 reason, device parked[32]<V>, cites[32]<V>
func (op *Restart) encode(w *wire.Writer) {
	w.U16(op.Suite)
	w.U8(uint8(op.Reason))
	w.Group(func(w *wire.Writer) {
		for _, d := range op.Parked {
			w.Raw(d[:])
		}
	})
	encodeCites(w, op.Cites)
}

func decodeRestart(r *wire.Reader) *Restart {
	op := new(Restart)
	op.Suite = r.U16()
	op.Reason = RestartReason(r.U8())
	r.Each(MaxHeader, MaxParked, func(r *wire.Reader) {
		var d wire.DeviceID
		r.Fixed(d[:])
		op.Parked = append(op.Parked, d)
	})
	op.Cites = decodeCites(r)
	return op
}

// restart returns the Restart of the block, or nil.
func (h *Header) restart() *Restart {
	if len(h.Ops) == 0 {
		return nil
	}
	op, _ := h.Ops[len(h.Ops)-1].(*Restart)
	return op
}

// Starts reports whether the body starts an MLS group: a genesis or a Restart.
func (h *Header) Starts() bool { return h.IsGenesis() || h.restart() != nil }

// restart parks who gets no leaf. The author of the commit always has one.
func (c *change) restart(i int, op *Restart) error {
	if i != len(c.h.Ops)-1 {
		return c.refuse("V5", ReasonRestart)
	}
	if len(op.Cites) > 1 || c.ofPerson && len(op.Cites) > 0 {
		return c.refuse("V6", ReasonAttachment)
	}
	if op.Suite != c.h.Suite {
		return c.refuse("V2", ReasonSuite)
	}
	for i, id := range op.Parked {
		if i > 0 && bytes.Compare(op.Parked[i-1][:], id[:]) >= 0 || !c.Active(id) || id == c.h.Author.Device {
			return c.refuse("V5", ReasonRestart)
		}
		m, _, _ := c.Device(id)
		m.Devices = slices.Clone(m.Devices)
		at := slices.IndexFunc(m.Devices, func(d Device) bool { return d.ID == id })
		m.Devices[at].Status = StatusParked
		c.put(m)
	}
	if c.activeDevices() == 0 {
		return c.refuse("V5", ReasonRestart)
	}
	c.suite, c.start = op.Suite, c.h.Height
	return nil
}

// mayRestart is V4: an admin, or whoever shows that more than half could not go
// on; then only the suite stays what it is.
func (c *change) mayRestart(op *Restart) error {
	if c.parent.IsAdmin(c.h.Author.Person) || len(op.Cites) > 0 && op.Suite == c.parent.suite {
		return nil
	}
	return c.refuse("V4", ReasonRole)
}

// activeDevices counts the devices that have a leaf.
func (s *State) activeDevices() (n int) {
	for _, r := range s.records {
		for _, d := range r.Devices {
			if r.Status == StatusActive && d.Status == StatusActive {
				n++
			}
		}
	}
	return n
}

// Most reports whether devices, none named twice, are more than half of the active
// ones, and those of more than half of the people who have one: nobody is most by
// having many.
func (s *State) Most(devices []wire.DeviceID) bool {
	persons, of, owners := 0, 0, make(map[wire.PersonID]bool)
	for _, id := range devices {
		if m, _, ok := s.Device(id); ok && s.Active(id) {
			owners[m.Person] = true
		}
	}
	for _, r := range s.records {
		if r.Status == StatusActive && slices.ContainsFunc(r.Devices, func(d Device) bool { return d.Status == StatusActive }) {
			of++
			if owners[r.Person] {
				persons++
			}
		}
	}
	return 2*len(devices) > s.activeDevices() && 2*persons > of
}

// nacks checks that most of the devices active at the parent (Most) could
// not follow some block since the keys last started. A device that signed a
// block after the one it could not follow has come back: its Nack is void.
func (c *bodyCheck) nacks(attachment []byte) error {
	nacks, err := ParseNacks(attachment)
	if isNewer(err) {
		return ErrNewer
	}
	if err != nil || len(nacks) > c.parent.activeDevices() || !c.parent.Most(signers(nacks)) {
		return c.refuse(ReasonNack)
	}
	newest := make(map[wire.DeviceID]uint64)
	heights := make(map[wire.BlockHash]uint64)
	for n := c.at; n != nil; n = n.parent {
		author := n.Header.Author.Device
		newest[author] = max(newest[author], n.State.height)
		heights[n.Hash] = n.State.height
		if n.State.height == c.parent.start {
			break
		}
	}
	for _, n := range nacks {
		_, d, ok := c.parent.Device(n.Device)
		height, on := heights[n.Block]
		if !ok || !on || n.Group != c.group || !c.parent.Active(d.ID) || signedSince(newest, n.Device, height) || !n.Verify(d.Key[:]) {
			return c.refuse(ReasonNack)
		}
	}
	return nil
}

func signers(nacks []*Nack) (list []wire.DeviceID) {
	for _, n := range nacks {
		list = append(list, n.Device)
	}
	return list
}

func signedSince(newest map[wire.DeviceID]uint64, d wire.DeviceID, height uint64) bool {
	signed, ok := newest[d]
	return ok && signed >= height
}
