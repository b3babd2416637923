package group

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// The machine of one's own person chain: a group whose members are one's
// devices. Within it the person field is zero everywhere (docs/spec/chain.md).

// LoadPerson makes that machine from its records.
func LoadPerson(self Self, records Source) (*Machine, error) {
	self.Person = wire.PersonID{}
	m, err := Load(self, records)
	if err != nil {
		return nil, err
	}
	if !m.state().OfPerson() {
		return nil, refuse(ReasonStored, errRecord)
	}
	return m, nil
}

// Headers returns the headers from genesis to the head: as a person's, what
// others are shown.
func (m *Machine) Headers() (list [][]byte) {
	for _, hash := range m.Chain() {
		list = append(list, m.blocks.Header(hash).Bytes())
	}
	return list
}

// Published returns which last-resort key package of this device the chain names
// for groups of a suite, and since when, in ms.
func (m *Machine) Published(suite mls.Suite) (ref [32]byte, at uint64, ok bool) {
	named, height, ok := m.state().LastResort(m.self.Device.ID(), uint16(suite))
	if !ok {
		return ref, 0, false
	}
	return [32]byte(named), m.blocks.Header(m.blocks.Ancestor(m.head, height)).CreatedAt, true
}

// publish names new last-resort key packages in the person's chain, all of them
// in one block.
func (m *Machine) publish(now uint64, packages []Package, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	var c change
	for _, p := range packages {
		cited := [][]byte{p.Public}
		c.ops = append(c.ops, &chain.Package{Suite: uint16(p.Suite), KeyPackageRef: p.Ref, Cites: cites(cited)})
		c.attachments = append(c.attachments, cited...)
	}
	return m.commit(now, c, eff)
}

// namedPackages checks what the Package ops of a block cite: last-resort key
// packages of the author's device. Of a suite that this program does not have
// nothing can be said.
func namedPackages(h *chain.Header, body *chain.Body) error {
	cited := body.Attachments
	for _, op := range h.Ops {
		if p, ok := op.(*chain.Package); ok && slices.Contains(mls.Suites(), mls.Suite(p.Suite)) {
			kp, err := mls.ParseKeyPackage(cited[0])
			if err != nil {
				return err
			}
			at, _ := kp.Lifetime() // it may be over by now
			if err := kp.Verify(at); err != nil {
				return err
			}
			if uint16(kp.Suite()) != p.Suite || !kp.LastResort() || !bytes.Equal(kp.Ref(), p.KeyPackageRef[:]) ||
				wire.Device(kp.SignatureKey()) != h.Author.Device {
				return errCommit
			}
		}
		cited = cited[len(chain.Cites(op)):]
	}
	return nil
}

// plain returns the headers as the members of a group of the suite can read
// them. Programs from before there were Package blocks need a newer version for
// a proof that holds one, and groups of the first suite may have such members:
// for them a proof ends at the last block that changes more than packages, or at
// the one on record.
func plain(headers [][]byte, suite mls.Suite, onRecord wire.BlockHash) [][]byte {
	if suite == NewSuite {
		return headers
	}
	for len(headers) > 1 {
		h, err := chain.ParseHeader(headers[len(headers)-1])
		if err != nil || h.Hash() == onRecord || !OnlyPackages(h) {
			break
		}
		headers = headers[:len(headers)-1]
	}
	return headers
}

// OnlyPackages reports whether a block of a person's chain names last-resort key
// packages and does nothing else.
func OnlyPackages(h *chain.Header) bool {
	for _, op := range h.Ops {
		if op.Kind() != chain.KindPackage {
			return false
		}
	}
	return true
}
