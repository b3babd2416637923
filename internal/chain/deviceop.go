package chain

import "kith/internal/wire"

// Park takes the leaf of a device out of the keys; its person stays a member.
type Park struct {
	Person   wire.PersonID
	Instance wire.Instance
	Device   wire.DeviceID
}

// Unpark gives the author's device a leaf again, in place of a lost one if it
// has one. The block's commit is an external one.
type Unpark struct {
	Person   wire.PersonID
	Instance wire.Instance
	Device   wire.DeviceID
}

// AddDevice admits one more device of a member, whose chain shows it at
// PersonHead. It cites the person's proof, then the knock key. A device that
// adds itself does so by external commit and names no key package. In a
// person's own chain Person, Instance and PersonHead are zero, and only the
// knock key is cited.
type AddDevice struct {
	Person     wire.PersonID
	Instance   wire.Instance
	PersonHead wire.BlockHash
	Device     DeviceEntry
	Cites      []wire.Digest
}

// RemoveDevice revokes a device for ever, as the chain of its person does at
// PersonHead. It cites the person's proof. In a person's own chain Person,
// Instance and PersonHead are zero, and nothing is cited.
type RemoveDevice struct {
	Person     wire.PersonID
	Instance   wire.Instance
	PersonHead wire.BlockHash
	Device     wire.DeviceID
	Cuts       []Cut // of that device; none: it had written nothing
	Cites      []wire.Digest
}

// Package names the newest last-resort key package of the author's device, in a
// person's chain. It cites the bytes of the package.
type Package struct {
	Suite         uint16
	KeyPackageRef wire.Digest
	Cites         []wire.Digest
}

// Kind returns the number of the op.
func (*Park) Kind() Kind         { return KindPark }
func (*Unpark) Kind() Kind       { return KindUnpark }
func (*AddDevice) Kind() Kind    { return KindAddDevice }
func (*RemoveDevice) Kind() Kind { return KindRemoveDevice }
func (*Package) Kind() Kind      { return KindPackage }

// The contents of these ops (docs/spec/chain.md):
//
//	Park          person[32] instance[32] device[32]
//	Unpark        person[32] instance[32] device[32]
//	AddDevice     person[32] instance[32] person_head[32] DeviceEntry cites[32]<V>
//	RemoveDevice  person[32] instance[32] person_head[32] device[32] Cut cuts<V>
//	              cites[32]<V>
//	Package       u16 suite key_package_ref[32] cites[32]<V>
func (op *Park) encode(w *wire.Writer) {
	w.Raw(op.Person[:])
	w.Raw(op.Instance[:])
	w.Raw(op.Device[:])
}

func decodePark(r *wire.Reader) *Park {
	op := new(Park)
	r.Fixed(op.Person[:])
	r.Fixed(op.Instance[:])
	r.Fixed(op.Device[:])
	return op
}

func (op *Unpark) encode(w *wire.Writer) { (*Park)(op).encode(w) }

func decodeUnpark(r *wire.Reader) *Unpark { return (*Unpark)(decodePark(r)) }

func (op *AddDevice) encode(w *wire.Writer) {
	w.Raw(op.Person[:])
	w.Raw(op.Instance[:])
	w.Raw(op.PersonHead[:])
	op.Device.encode(w)
	encodeCites(w, op.Cites)
}

func decodeAddDevice(r *wire.Reader) *AddDevice {
	op := new(AddDevice)
	r.Fixed(op.Person[:])
	r.Fixed(op.Instance[:])
	r.Fixed(op.PersonHead[:])
	op.Device = decodeDevice(r)
	op.Cites = decodeCites(r)
	return op
}

func (op *RemoveDevice) encode(w *wire.Writer) {
	w.Raw(op.Person[:])
	w.Raw(op.Instance[:])
	w.Raw(op.PersonHead[:])
	w.Raw(op.Device[:])
	encodeCuts(w, op.Cuts)
	encodeCites(w, op.Cites)
}

func decodeRemoveDevice(r *wire.Reader) *RemoveDevice {
	op := new(RemoveDevice)
	r.Fixed(op.Person[:])
	r.Fixed(op.Instance[:])
	r.Fixed(op.PersonHead[:])
	r.Fixed(op.Device[:])
	op.Cuts = decodeCuts(r, 1)
	op.Cites = decodeCites(r)
	return op
}

func (op *Package) encode(w *wire.Writer) {
	w.U16(op.Suite)
	w.Raw(op.KeyPackageRef[:])
	encodeCites(w, op.Cites)
}

func decodePackage(r *wire.Reader) *Package {
	op := new(Package)
	op.Suite = r.U16()
	r.Fixed(op.KeyPackageRef[:])
	op.Cites = decodeCites(r)
	return op
}
