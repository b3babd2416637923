package group

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"kith/internal/wire"
)

// Where members leave for each other in a mailbox what they export (docs/spec/mailbox-drops.md).
// A drop is of one epoch: who was removed has no key of the next, and a newcomer none of
// those before it.

// A DropKey is the secret of the drops of one epoch, which all who have its keys can make.
// Whoever drives the machine keeps it for as long as [KeepDrops] says: a machine forgets it
// once what is settled lies above the epoch, and somebody who sleeps may still write there.
type DropKey struct {
	Block  wire.BlockHash // of the epoch
	Height uint64
	secret func() [32]byte // behind a function, as in identity.Device
}

// KeepDrops is how long drops of an epoch are looked at once it is not the newest, in ms: as
// long as its messages can be opened.
const KeepDrops = keepEpoch

// NewDropKey is a DropKey from what Secret gave.
func NewDropKey(block wire.BlockHash, height uint64, secret [32]byte) DropKey {
	return DropKey{block, height, func() [32]byte { return secret }}
}

// Secret is what is stored of a DropKey, sealed.
func (k DropKey) Secret() [32]byte { return k.secret() }

// Format shows no secret.
func (k DropKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "redacted") }

// DropKeys returns those of the epochs that this device has and that may still be led on
// from, lowest first. The newest, of the head, is where to leave what is new.
func (m *Machine) DropKeys() (list []DropKey) {
	if !m.speaks() {
		return nil
	}
	for _, hash := range m.blocks.All() {
		e := m.epochs[hash]
		if e == nil || e.secret.Closed() {
			continue
		}
		secret := [32]byte(e.secret.Export(wire.ExportDrops, nil, 32))
		list = append(list, NewDropKey(hash, m.blocks.Header(hash).Height, secret))
	}
	return list
}

// Root is the secret that the drops of the epoch in the mailbox of that id come from: of each
// day one, which package mailbox derives.
func (k DropKey) Root(mailbox [32]byte) [32]byte { return k.derive(wire.InfoDropRoot, mailbox[:]) }

// Item is the secret that items of a day, counted from 1970 in UTC, are sealed under there.
func (k DropKey) Item(mailbox [32]byte, day uint32) [32]byte {
	return k.derive(wire.InfoDropItem, binary.BigEndian.AppendUint32(mailbox[:], day))
}

func (k DropKey) derive(label string, of []byte) [32]byte {
	secret := k.secret()
	out, err := hkdf.Expand(sha256.New, secret[:], label+string(of), 32)
	if err != nil {
		panic("group: drop: " + err.Error()) // 32 bytes are never too many
	}
	return [32]byte(out)
}

// ExportNext is what goes to the drops of a block's epoch once it has a successor: that block,
// or those of both sides of a fork, and nothing after. Who sleeps at the epoch follows it, has
// then the keys of the next drops, and finds the rest there; somebody whom the successor
// removes learns that, and no more.
func (m *Machine) ExportNext(after wire.BlockHash) (out Exported) {
	if !m.speaks() || !m.blocks.Has(after) {
		return out
	}
	var eff Effects
	list := m.blocks.Children(after)
	for len(list) > 0 {
		sent := m.sendBlocks(wire.DeviceID{}, list, &eff)
		if sent == 0 {
			break
		}
		out.Blocks, list = out.Blocks+sent, list[sent:]
	}
	out.Payloads = payloadsOf(eff)
	return out
}
