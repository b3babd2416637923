package sim_test

import (
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// A draft is an entry before it is sealed.
type draft struct {
	*dag.Header
	content []byte
	lies    bool // commits to something else
	spoilt  bool // its ciphertext opens for nobody
}

// A forger writes the log of a node without its program.
type forger struct {
	t        *testing.T
	n        *sim.Node
	g        wire.GroupID
	epoch    *mls.Epoch
	ratchets *mls.Ratchets
	first    *dag.Header // as the program would write the next entry
	log      []group.Packed
}

func newForger(t *testing.T, w *sim.World, n *sim.Node, g wire.GroupID) *forger {
	t.Helper()
	f := &forger{t: t, n: n, g: g, epoch: epochOf(t, n, g)}
	f.ratchets = ratchetsOf(t, n, g, f.epoch)
	h, err := dag.ParseHeader(twoFaces(t, w, n, g, true)[0].Header)
	must(t, err)
	f.first = h
	return f
}

// next writes the log's next entry, which says s, but for what change does to it.
func (f *forger) next(s string, change func(*draft)) *dag.Header {
	f.t.Helper()
	h := *f.first
	if len(f.log) > 0 {
		before, err := dag.ParseHeader(f.log[len(f.log)-1].Header)
		must(f.t, err)
		h.Seq, h.Prev, h.Lamport, h.Order = before.Seq+1, before.Hash(), before.Lamport+1, before.Order+1
	}
	said, err := group.Text(s)
	must(f.t, err)
	d := draft{Header: &h, content: said.Bytes()}
	salt := [32]byte{byte(len(f.log)), 1}
	h.ContentID[0] ^= byte(len(f.log)) + 1
	if change != nil {
		change(&d)
	}
	h.ContentCommit = dag.ContentCommit(f.g, h.Device, h.ContentID, salt, d.content)
	if d.lies {
		h.ContentCommit[0] ^= 1
	}
	aad, plain := h.AAD(), append(salt[:], d.content...)
	sealed, err := f.epoch.Encrypt(f.ratchets, f.n.Self.Device, aad[:], plain, dag.PaddedSize(len(plain))-len(plain))
	must(f.t, err)
	if d.spoilt {
		sealed[len(sealed)-1] ^= 1
	}
	h.CiphertextHash, h.Length = dag.CiphertextHash(sealed), uint32(len(sealed))
	h.Sign(f.n.Self.Device.Sign)
	f.log = append(f.log, group.Packed{Header: h.Bytes(), Ciphertext: sealed})
	return &h
}
