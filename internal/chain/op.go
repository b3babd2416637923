package chain

import "kith/internal/wire"

// Class orders blocks at a fork: a higher one outweighs a lower.
type Class uint8

// Classes of blocks.
const (
	ClassOrdinary Class = 0
	ClassAdmin    Class = 1
	ClassRemoval  Class = 2
)

// Role is what a member may do.
type Role uint8

// Roles.
const (
	RoleMember Role = 0
	RoleAdmin  Role = 1
)

// Kind is the number of an op on the wire.
type Kind uint8

// Kinds of ops. All are assigned, so that a block with one that this version
// does not read is told apart from a block with one that does not exist.
// Zero stays reserved; numbers are only ever appended.
const (
	KindGenesis      Kind = 1
	KindAdd          Kind = 2
	KindRemove       Kind = 3
	KindSetRole      Kind = 4
	KindSetPolicy    Kind = 5
	KindSetInfo      Kind = 6
	KindRekey        Kind = 7
	KindLeave        Kind = 8
	KindPark         Kind = 9
	KindUnpark       Kind = 10
	KindAddDevice    Kind = 11
	KindRemoveDevice Kind = 12
	KindCarry        Kind = 13
	KindRestart      Kind = 14
	KindSlash        Kind = 15
	KindPackage      Kind = 16
)

// Class returns the class an op of this kind gives its block.
func (k Kind) Class() Class {
	switch k {
	case KindRemove, KindRemoveDevice, KindSlash:
		return ClassRemoval
	case KindGenesis, KindAdd, KindSetRole, KindSetPolicy, KindSetInfo, KindPark, KindRestart:
		return ClassAdmin
	}
	return ClassOrdinary
}

// An Op is one change: Genesis, Add, Remove, SetRole, SetInfo, Rekey, Leave,
// SetPolicy, Park, Unpark, AddDevice, RemoveDevice, Carry, Restart, Slash,
// Package, or an Unread one.
type Op interface {
	Kind() Kind
	encode(*wire.Writer)
}

// DeviceEntry admits one device: its signing key, H("knock key") of its knock
// key, and the key package whose leaf it takes.
type DeviceEntry struct {
	Key           [32]byte
	KnockHash     wire.Digest
	KeyPackageRef wire.Digest
}

// ID returns the id of the device.
func (d DeviceEntry) ID() wire.DeviceID { return wire.Device(d.Key[:]) }

// RecoveryKeys are made from a person's phrase and stand in its genesis.
type RecoveryKeys struct {
	Key     [32]byte           // Ed25519
	Sealing [KnockKeySize]byte // X-Wing
}

// Genesis starts a chain. A group names its creator, whose proof and knock key
// it cites; a person's chain has zero there and in PersonHead, holds Recovery,
// and cites the knock key alone.
type Genesis struct {
	Nonce      [32]byte // makes the chain's id unguessable and unique
	Creator    wire.PersonID
	PersonHead wire.BlockHash
	Device     DeviceEntry
	Info       wire.Digest
	Policy     Policy
	Features   []uint16 // ascending
	Recovery   *RecoveryKeys
	Cites      []wire.Digest
}

// Add admits a person. It cites the person's proof up to PersonHead, then the
// knock key of each device in order.
type Add struct {
	Person     wire.PersonID
	PersonHead wire.BlockHash
	Devices    []DeviceEntry
	Role       Role
	Cites      []wire.Digest
}

// A Cut is the last entry of a removed device's log that its remover has seen.
type Cut struct {
	Device wire.DeviceID
	Seq    uint64
	Hash   wire.Short
}

// Remove ends another person's membership. Cuts ascend by device; a device
// without one had written nothing.
type Remove struct {
	Person   wire.PersonID
	Instance wire.Instance
	Cuts     []Cut
}

// SetRole makes a member an admin or an admin a member.
type SetRole struct {
	Person   wire.PersonID
	Instance wire.Instance
	Role     Role
}

// SetInfo changes the commitment to title and picture, or name and picture.
type SetInfo struct{ Info wire.Digest }

// Rekey changes nothing but the author's keys.
type Rekey struct{}

// Leave ends the membership of a person who signed a LeaveStatement, which it
// cites. Successor takes over if nobody else is in charge.
type Leave struct {
	Person    wire.PersonID
	Instance  wire.Instance
	Cuts      []Cut
	Successor wire.PersonID
	Cites     []wire.Digest
}

// Unread is an op without a number of today; a block that has one is refused.
type Unread struct {
	Number  Kind
	Content []byte
}

// Kind returns the number of the op.
func (*Genesis) Kind() Kind   { return KindGenesis }
func (*Add) Kind() Kind       { return KindAdd }
func (*Remove) Kind() Kind    { return KindRemove }
func (*SetRole) Kind() Kind   { return KindSetRole }
func (*SetInfo) Kind() Kind   { return KindSetInfo }
func (*Rekey) Kind() Kind     { return KindRekey }
func (*Leave) Kind() Kind     { return KindLeave }
func (op *Unread) Kind() Kind { return op.Number }

// Cites returns what op cites, in order.
func Cites(op Op) []wire.Digest {
	switch op := op.(type) {
	case *Genesis:
		return op.Cites
	case *Add:
		return op.Cites
	case *Leave:
		return op.Cites
	case *AddDevice:
		return op.Cites
	case *RemoveDevice:
		return op.Cites
	case *Carry:
		return op.Cites
	case *Restart:
		return op.Cites
	case *Slash:
		return op.Cites
	case *Package:
		return op.Cites
	}
	return nil
}

// classOf is the class of the kind, but for a Restart that rests on Nacks.
func classOf(op Op) Class {
	if r, ok := op.(*Restart); ok && len(r.Cites) > 0 {
		return ClassOrdinary
	}
	return op.Kind().Class()
}

// computedClass is the highest class among ops.
func computedClass(ops []Op) Class {
	var c Class
	for _, op := range ops {
		c = max(c, classOf(op))
	}
	return c
}
