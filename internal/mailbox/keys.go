package mailbox

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"kith/internal/wire"
)

// A Name names a drop. It looks random to whoever lacks its capabilities.
type Name [32]byte

// A Capability lets one write into a drop, or read from it.
type Capability [32]byte

// Format does not print the capability, whatever the verb.
func (Capability) Format(f fmt.State, _ rune) { fmt.Fprint(f, "mailbox.Capability(redacted)") }

// hash is what a mailbox keeps of the capability.
func (c Capability) hash() [32]byte { return wire.Hash(wire.HashCapability, c[:]) }

// Keys are what one holds of a drop. Who may only write, or only read, has zero
// for the other capability.
type Keys struct {
	Name  Name
	Write Capability
	Read  Capability
	Drop  Drop // what making it takes
}

// A Drop is what a mailbox is told of a drop by whoever makes it. Its name is the
// hash of these, so that nobody can take the name with other capabilities.
type Drop struct {
	Write, Read [32]byte // hashes of the capabilities
	// Keep: all read the same items, and none can delete them. Without it a reader
	// deletes what it has.
	Keep bool
}

// Name returns the name of the drop.
func (d Drop) Name() Name {
	var w wire.Writer
	w.Bool(d.Keep)
	w.Raw(d.Write[:])
	w.Raw(d.Read[:])
	return Name(wire.Hash(wire.HashDrop, w.Bytes()))
}

// Derive makes the keys of a drop from a secret that its users share.
func Derive(secret [32]byte, keep bool) Keys {
	k := Keys{
		Write: Capability(expand(secret, wire.InfoDropWrite)),
		Read:  Capability(expand(secret, wire.InfoDropRead)),
	}
	k.Drop = Drop{Write: k.Write.hash(), Read: k.Read.hash(), Keep: keep}
	k.Name = k.Drop.Name()
	return k
}

// WriteOnly is what a friend is handed who may leave items and not read.
func (k Keys) WriteOnly() Keys {
	k.Read = Capability{}
	return k
}

// ReadOnly is what somebody is handed who may read and leave nothing.
func (k Keys) ReadOnly() Keys {
	k.Write = Capability{}
	return k
}

// Day is the secret of the drop of one day, in days since 1970, from the root that
// the members of a group derive from one epoch's secrets. Without the root two
// days have nothing in common.
func Day(root [32]byte, day uint64) [32]byte {
	return expand(root, wire.InfoDropDay+string(binary.BigEndian.AppendUint64(nil, day)))
}

func expand(secret [32]byte, info string) [32]byte {
	b, err := hkdf.Expand(sha256.New, secret[:], info, 32)
	if err != nil {
		panic("mailbox: HKDF: " + err.Error()) // 32 bytes are never too many
	}
	return [32]byte(b)
}
