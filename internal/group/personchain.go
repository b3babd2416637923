package group

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

// A person's chain as its headers, which is all that others hold of it. The home
// in which a person began keeps the bodies too, and an MLS group of its devices on
// them (person.go). A home that healed has signed beside another copy of itself,
// whose bodies it cannot have: from there on it signs headers alone, in which the
// four MLS hashes are zero, until a Restart makes that MLS group anew
// (docs/adr/0018-healed-person.md).

// PersonOrder is how one history of a person's chain stands to another.
type PersonOrder int

// Orders of two histories.
const (
	PersonKnown  PersonOrder = iota // the other is the same, or its beginning
	PersonLonger                    // the other goes on from it
	PersonForked                    // neither goes on from the other
)

// ComparePerson says how theirs, which is checked, stands to own.
func ComparePerson(own, theirs [][]byte) PersonOrder {
	n := min(len(own), len(theirs))
	switch {
	case !slices.EqualFunc(own[:n], theirs[:n], bytes.Equal):
		return PersonForked
	case len(theirs) > n:
		return PersonLonger
	}
	return PersonKnown
}

// A PersonKey signs for a person: one of its devices, or its recovery key.
type PersonKey interface {
	ID() wire.DeviceID
	Sign(wire.Label, []byte) []byte
}

// A PersonDevice is the public side of a device that a person's chain admits.
type PersonDevice struct {
	Key      [32]byte
	KnockKey []byte
}

// PublicSide is that of a device.
func PublicSide(d *identity.Device) PersonDevice {
	return PersonDevice{[32]byte(d.PublicKey()), d.KnockKey()}
}

// AdmitDevice adds a device to a person's chain by a block of an earlier one.
func AdmitDevice(headers [][]byte, by PersonKey, device PersonDevice, now uint64) ([][]byte, error) {
	return signPerson(headers, by, []chain.Op{admitting(device)}, now)
}

// RevokeDevice revokes a device of a person by a block of another.
func RevokeDevice(headers [][]byte, by PersonKey, device wire.DeviceID, now uint64) ([][]byte, error) {
	return signPerson(headers, by, []chain.Op{&chain.RemoveDevice{Device: device}}, now)
}

// NamePackages names last-resort key packages of a device in its person's chain.
func NamePackages(headers [][]byte, device *identity.Device, packages []Package, now uint64) ([][]byte, error) {
	var ops []chain.Op
	for _, p := range packages {
		ops = append(ops, &chain.Package{Suite: uint16(p.Suite), KeyPackageRef: p.Ref, Cites: cites([][]byte{p.Public})})
	}
	return signPerson(headers, device, ops, now)
}

// MergePerson ends a fork of a person's chain, which two copies of one home make: it
// returns a history with device in it that stands above both, by a block of the
// recovery key on the one of the two that counts. That block adds what the other
// one had added, unless by a device that is revoked. Two who do so at once end with
// one history as well: both blocks have both, and one of them counts.
func MergePerson(own, theirs [][]byte, recovery *identity.Recovery, device *identity.Device, now uint64) ([][]byte, error) {
	base, other := own, theirs
	wins, err := prevails(theirs, own)
	if err != nil {
		return nil, err
	}
	if wins {
		base, other = theirs, own
	}
	state, _, err := PersonState(base)
	if err != nil {
		return nil, err
	}
	if settledPart(base) > settledPart(base[:forkOf(own, theirs)]) && state.Active(device.ID()) {
		return base, nil // the recovery key has decided already
	}
	ops, err := addedBeside(state, base, other)
	if err != nil {
		return nil, err
	}
	mine := func(op chain.Op) bool { return op.(*chain.AddDevice).Device.ID() == device.ID() }
	if !state.Active(device.ID()) && !slices.ContainsFunc(ops, mine) {
		ops = append(ops, admitting(PublicSide(device)))
	}
	ops = append(ops, &chain.Restart{Suite: state.Suite(), Reason: chain.RestartRecovery})
	return signPerson(base, recovery, ops, now)
}

// RebasePerson ends a fork of a person's chain without the recovery key: it returns the
// history that counts, and if that is not the own one, with a block of device above it that
// adds what the own one had added. A group that has the other history on record takes none of
// it until the recovery key has spoken.
func RebasePerson(own, theirs [][]byte, device *identity.Device, now uint64) ([][]byte, error) {
	wins, err := prevails(theirs, own)
	if err != nil || !wins {
		return own, err
	}
	state, _, err := PersonState(theirs)
	if err != nil {
		return nil, err
	}
	ops, err := addedBeside(state, theirs, own)
	if err != nil || len(ops) == 0 || !state.Active(device.ID()) {
		return theirs, err
	}
	return signPerson(theirs, device, ops, now)
}

// forkOf returns how many headers two histories have in common.
func forkOf(a, b [][]byte) (n int) {
	for n < min(len(a), len(b)) && bytes.Equal(a[n], b[n]) {
		n++
	}
	return n
}

// addedBeside returns the ops by which another history than base, whose state this
// is, added devices: those that base does not know, by devices that it has not
// revoked.
func addedBeside(state *chain.State, base, other [][]byte) (ops []chain.Op, err error) {
	for _, b := range other[forkOf(base, other):] {
		h, err := chain.ParseHeader(b)
		if err != nil {
			return nil, err
		}
		_, _, known := state.Device(h.Author.Device)
		if known && !state.Active(h.Author.Device) {
			continue
		}
		for _, op := range h.Ops {
			add, ok := op.(*chain.AddDevice)
			if !ok {
				continue
			}
			if _, _, known := state.Device(add.Device.ID()); !known && len(ops) < maxMerged {
				ops = append(ops, add)
			}
		}
	}
	return ops, nil
}

// maxMerged bounds the devices that a merge takes over: more copies of one home
// than that are no accident. A person has at most 16 devices.
const maxMerged = 4

// prevails reports whether of two histories theirs counts, by the rules of the
// chain.
func prevails(theirs, own [][]byte) (bool, error) {
	var headers []*chain.Header
	for _, b := range slices.Concat(own, theirs[forkOf(own, theirs):]) {
		h, err := chain.ParseHeader(b)
		if err != nil {
			return false, err
		}
		headers = append(headers, h)
	}
	blocks, err := chain.HeadersOnly(headers)
	if err != nil {
		return false, err
	}
	tip, err := personHead(own)
	return err == nil && blocks.Head() != tip, err
}

// settledPart returns how many headers there are up to the newest one that the
// recovery key signed; 0 if it signed none.
func settledPart(headers [][]byte) (settled int) {
	var recovery wire.DeviceID
	for i, b := range headers {
		h, err := chain.ParseHeader(b)
		if err != nil {
			return 0
		}
		if i == 0 {
			recovery = recoveryOf(h)
		} else if h.Author.Device == recovery {
			settled = i + 1
		}
	}
	return settled
}

// admitting makes the op that adds a device to its person's chain. It names a key
// package as the op must; a block of headers alone has no commit in which it stood.
func admitting(d PersonDevice) *chain.AddDevice {
	return &chain.AddDevice{
		Device: chain.DeviceEntry{Key: d.Key, KnockHash: chain.KnockHash(d.KnockKey), KeyPackageRef: wire.Digest(wire.Random(32))},
		Cites:  []wire.Digest{chain.Cite(d.KnockKey)},
	}
}

// signPerson appends a block of headers alone to a person's chain.
func signPerson(headers [][]byte, by PersonKey, ops []chain.Op, now uint64) ([][]byte, error) {
	state, person, err := PersonState(headers)
	if err != nil {
		return nil, err
	}
	head, err := personHead(headers)
	if err != nil {
		return nil, err
	}
	h, _, err := chain.Draft(state, chain.DraftParams{
		Suite: state.Suite(), Parent: head, Group: wire.GroupID(person),
		Author: wire.Member{Device: by.ID()}, AuthorSeq: state.LastSeq(by.ID()) + 1, Ops: ops, CreatedAt: now,
	})
	if err != nil {
		return nil, refuse(ReasonRule, err)
	}
	h.Seal(wire.Digest{}, wire.Digest{}, wire.Digest{}, wire.Digest{}, by.Sign)
	return append(slices.Clone(headers), h.Bytes()), nil
}

// goesOn reports whether a person's headers go on from the block that a group has
// on record of it, or from what is held of it already.
func goesOn(headers []*chain.Header, onRecord wire.BlockHash, held *personPapers) bool {
	var newest wire.BlockHash
	if held != nil {
		if list, err := chain.ParseProof(held.proof); err == nil {
			newest = list[len(list)-1].Hash()
		}
	}
	return slices.ContainsFunc(headers, func(h *chain.Header) bool { return h.Hash() == onRecord || h.Hash() == newest })
}

// supersedes reports whether the recovery key put a person's headers above those
// that are held, which are of a fork.
func supersedes(headers []*chain.Header, held *personPapers) bool {
	recovery := recoveryOf(headers[0])
	by := func(h *chain.Header) bool { return h.Author.Device == recovery && !h.IsGenesis() }
	var newest *chain.Header
	for _, h := range headers {
		if by(h) {
			newest = h
		}
	}
	if newest == nil || held == nil {
		return newest != nil
	}
	list, err := chain.ParseProof(held.proof)
	return err == nil && !slices.ContainsFunc(list, func(h *chain.Header) bool { return by(h) && !chain.Outranks(newest, h) })
}

// history returns the headers of what was checked before it was kept.
func (p *personPapers) history() []*chain.Header {
	headers, _ := chain.ParseProof(p.proof)
	return headers
}

// ends reports whether the recovery key put p above what somebody tells, which may
// be longer: a fork that it ended does not come back.
func (p *personPapers) ends(told *personPapers) bool {
	headers, err := chain.ParseProof(p.proof)
	return err == nil && supersedes(headers, told)
}

// NamedPackage returns which last-resort key package of a device a person's chain
// names for groups of a suite, and since when, in ms.
func NamedPackage(headers [][]byte, device wire.DeviceID, suite mls.Suite) (ref [32]byte, at uint64, ok bool) {
	state, _, err := PersonState(headers)
	if err != nil {
		return ref, 0, false
	}
	named, height, ok := state.LastResort(device, uint16(suite))
	if !ok || height >= uint64(len(headers)) {
		return ref, 0, false
	}
	h, err := chain.ParseHeader(headers[height])
	return [32]byte(named), h.CreatedAt, err == nil
}

// PersonAbove reports whether the recovery key put one history of a person, which
// is checked, above another that is held.
func PersonAbove(headers, held [][]byte) bool {
	list, err := chain.ParseProof(proof(headers))
	return err == nil && len(held) > 0 && supersedes(list, &personPapers{proof: proof(held)})
}

// Earlier returns the devices of a person, as its chain has them, that are active
// and were admitted before one that is active too.
func Earlier(state *chain.State, than wire.DeviceID) (list []wire.DeviceID) {
	owner, _, ok := state.Device(than)
	if !ok || !state.Active(than) {
		return nil
	}
	for _, d := range owner.Devices {
		if d.ID == than {
			break
		}
		if state.Active(d.ID) {
			list = append(list, d.ID)
		}
	}
	return list
}
