package group

import (
	"crypto/ed25519"

	"kith/internal/dag"
	"kith/internal/wire"
)

// An openedEntry is an entry as it came, with its header decoded.
type openedEntry struct {
	packed Packed
	header *dag.Header
	err    error // the header is none
	signed bool  // its signature is known to hold
}

// Checked is what is to be known of the entries of a payload without a machine.
type Checked struct{ entries []openedEntry }

// CheckEntries decodes the headers of a payload of entries and checks their signatures, with the keys
// that key knows: whoever reads from a peer does that while the machine's owner is at what came
// before. It returns nil for payloads that have no use for it. A device's id is the hash of its key,
// so whatever key says, no other key is taken for it.
func CheckEntries(payload []byte, key func(wire.DeviceID) ed25519.PublicKey) *Checked {
	if len(payload) == 0 || payload[0] != frameEntries {
		return nil
	}
	f, err := parseEntries(wire.NewReader(payload[1:]))
	if err != nil || len(f.entries) < batchFrom {
		return nil
	}
	list := open(f.entries)
	checkSignatures(list, func(h *dag.Header) ed25519.PublicKey {
		if k := key(h.Device); len(k) == ed25519.PublicKeySize && wire.Device(k) == h.Device {
			return k
		}
		return nil
	})
	return &Checked{list}
}

// opened returns entries with their headers, and checks the signatures of many at once, which costs
// less than one by one.
func (m *Machine) opened(entries []Packed, known *Checked) []openedEntry {
	var list []openedEntry
	if known != nil && len(known.entries) == len(entries) {
		list = known.entries
	} else {
		list = open(entries)
	}
	if len(list) < batchFrom {
		return list
	}
	checkSignatures(list, func(h *dag.Header) ed25519.PublicKey {
		if state := m.blocks.State(h.Block); state != nil {
			if _, d, ok := state.Device(h.Device); ok {
				return d.Key[:]
			}
		}
		return nil
	})
	return list
}

func open(entries []Packed) []openedEntry {
	list := make([]openedEntry, len(entries))
	for i, p := range entries {
		h, err := dag.ParseHeader(p.Header)
		list[i] = openedEntry{packed: p, header: h, err: err}
	}
	return list
}

// checkSignatures notes which signatures hold, of those that are not known to and whose
// device's key is known. Of one that does not, or of no such device, nothing is noted.
func checkSignatures(list []openedEntry, key func(*dag.Header) ed25519.PublicKey) {
	var batch wire.Batch
	var at []int
	for i, e := range list {
		if e.err != nil || e.signed {
			continue
		}
		if k := key(e.header); k != nil {
			batch.Add(k, wire.SignEntry, e.header.SignedBytes(), e.header.Signature[:])
			at = append(at, i)
		}
	}
	_, holds := batch.Verify()
	for i, ok := range holds {
		list[at[i]].signed = ok
	}
}
