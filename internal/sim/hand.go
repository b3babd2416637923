package sim

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/wire"
)

// What somebody can make who runs a program of its own: it has the keys of its
// device, what that stored, now or earlier, and the machine of everybody's
// program, which it asks for signed things that it then sends to whom it likes.

// A hand is a hostile device at work on what it holds, or held once.
type hand struct {
	r *run
	n *Node
	m *group.Machine
	h *Replica
}

// hand takes up what n holds. What the hand makes, n's own program never hears of
// but from others.
func (r *run) hand(n *Node, from *Replica) (hand, bool) {
	m, err := group.Load(n.Self, from.source)
	return hand{r, n, m, from}, err == nil
}

// make has the machine do something; nil if that is nothing it may do.
func (h hand) make(c group.Cause) [][]byte {
	eff, err := h.m.Step(group.Input{Now: h.n.now(), Cause: c})
	if err != nil {
		return nil
	}
	return payloads(eff)
}

// payloads are frames of the blocks and entries among effects.
func payloads(eff group.Effects) (list [][]byte) {
	welcomes, ciphers := make(map[string][]byte), make(map[string][]byte)
	for _, rec := range eff.Write {
		switch rec.Kind {
		case group.KindWelcome:
			welcomes[string(rec.Key)] = rec.Value
		case group.KindCipher:
			ciphers[string(rec.Key)] = rec.Value
		}
	}
	for _, rec := range eff.Write {
		switch {
		case rec.Value == nil:
		case rec.Kind == group.KindBlock:
			v := wire.NewReader(rec.Value)
			header, body := bytes.Clone(v.Vec(wire.MaxVector)), bytes.Clone(v.Vec(wire.MaxVector))
			list = append(list, blockPayload(header, body, welcomes[string(rec.Key[8:])]))
		case rec.Kind == group.KindEntry:
			list = append(list, entryPayload(rec.Value, ciphers[string(rec.Key)]))
		}
	}
	return list
}

func blockPayload(header, body, welcome []byte) []byte {
	var w wire.Writer
	w.U8(kindBlocks)
	w.Group(func(w *wire.Writer) {
		w.Vec(header)
		w.Vec(body)
		w.Vec(welcome)
	})
	w.Bool(false)
	return w.Bytes()
}

func entryPayload(header, ciphertext []byte) []byte {
	var w wire.Writer
	w.U8(kindEntries)
	w.Group(func(w *wire.Writer) {
		w.Vec(header)
		w.Vec(ciphertext)
	})
	w.U8(0)
	return w.Bytes()
}

// nackPayload is the frame of one Nack (docs/spec/group.md, "Poisoned blocks").
func nackPayload(n *chain.Nack) []byte {
	var w wire.Writer
	w.U8(kindFaults)
	w.Group(func(w *wire.Writer) { w.Vec(n.Marshal()) })
	w.Group(func(*wire.Writer) {})
	return w.Bytes()
}

// reseal lets change another field of the header in a frame of one block, and
// signs it again.
func (h hand) reseal(payload []byte, change func(*chain.Header)) []byte {
	if payload[0] != kindBlocks {
		return payload
	}
	r := wire.NewReader(payload[1:])
	list := r.Sub(wire.MaxVector)
	header, err := chain.ParseHeader(list.Vec(wire.MaxVector))
	if err != nil {
		panic(err)
	}
	change(header)
	header.Seal(header.TreeHash, header.Transcript, header.ExternalPub, header.BodyHash, h.n.Self.Device.Sign)
	return blockPayload(header.Bytes(), bytes.Clone(list.Vec(wire.MaxVector)), nil)
}

// tell hands payloads to those of the others whose bit in who is set.
func (h hand) tell(who uint64, payloads ...[]byte) {
	for _, o := range slices.Clone(h.r.Nodes) {
		if o == h.n || who>>o.index&1 == 0 || h.r.crew.has(o) {
			continue
		}
		for _, p := range payloads {
			h.r.Deliver(h.n, o, h.r.g, p)
		}
	}
}
