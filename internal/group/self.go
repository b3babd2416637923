package group

import (
	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/wire"
)

// Self is this device and the person it belongs to.
type Self struct {
	Device  *identity.Device
	Person  wire.PersonID
	Headers [][]byte // the person's chain
	Info    []byte   // preimage of the person's name

	// Former are the earlier devices of this home, newest first, whose keys
	// another copy of it may use. They sign nothing any more but a GroupInfo that
	// lets Device in (renew.go).
	Former []*identity.Device

	// Omits is a feature that its leaves do not announce, as those of programs
	// before it; zero: none. Tests.
	Omits uint16
}

// Device names the device that the machine is of.
func (m *Machine) Device() wire.DeviceID { return m.self.Device.ID() }

// Member names this device as blocks and leaves do.
func (s Self) Member() wire.Member { return wire.Member{Person: s.Person, Device: s.Device.ID()} }

// credential is the identity of a leaf's basic credential (RFC 9420 section
// 5.3): person[32], device[32].
func credential(m wire.Member) []byte { return append(m.Person[:], m.Device[:]...) }

// member reads a credential.
func member(identity []byte) (m wire.Member, ok bool) {
	if len(identity) != 64 {
		return m, false
	}
	copy(m.Person[:], identity)
	copy(m.Device[:], identity[32:])
	return m, true
}

// PersonState checks a person's chain and returns its state and id.
func PersonState(headers [][]byte) (*chain.State, wire.PersonID, error) {
	var parsed []*chain.Header
	for _, b := range headers {
		h, err := chain.ParseHeader(b)
		if err != nil {
			return nil, wire.PersonID{}, err
		}
		parsed = append(parsed, h)
	}
	s, err := chain.VerifyProof(parsed)
	if err != nil {
		return nil, wire.PersonID{}, err
	}
	return s, wire.PersonID(parsed[0].Hash()), nil
}

// proof encodes a person's headers as the device proof that an op cites.
func proof(headers [][]byte) []byte {
	var w wire.Writer
	writeList(&w, headers)
	return w.Bytes()
}
