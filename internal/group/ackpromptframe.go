package group

import (
	"bytes"

	"kith/internal/dag"
	"kith/internal/wire"
)

// Frames of FeatureSparing.
//
//	number name        body
//	43     prompt ack  u64 seq, u64 of the receiver's own log: it is the one head, and there are no stops;
//	                   0: heads: refs<V>, stops: (device[32], u64 seq)<V> follow;
//	                   read<V>, signature[64]: an Ack of version 2 of its sender's
//	44     pass on     first 8 bytes of each device that the Acks are for<V>, ascending, 1 to 64; then as marked acks
//	45     links       block[32], bits<V>: with which devices of that block's table its sender has a session, the
//	                   lowest bit of the first byte for the first; zero bytes at the end are left out

// promptFrame is an Ack of its sender's to who waits for it.
type promptFrame struct {
	seq       uint64
	own       uint64 // the head, if it is the receiver's and the only one; else 0
	heads     []dag.Ref
	stops     []dag.Delivered
	read      *Place
	signature [wire.SignatureSize]byte
}

func (f promptFrame) bytes() []byte {
	var w wire.Writer
	w.U8(framePromptAck)
	w.U64(f.seq)
	w.U64(f.own)
	if f.own == 0 {
		writeRefs(&w, f.heads)
		writeStops(&w, f.stops)
	}
	dag.WriteMark(&w, f.read)
	w.Raw(f.signature[:])
	return w.Bytes()
}

func parsePrompt(r *wire.Reader) (f promptFrame, err error) {
	f.seq, f.own = r.U64(), r.U64()
	if f.own == 0 {
		f.heads, f.stops = readRefs(r, dag.MaxAckHeads), readStops(r)
		if !ascends(f.heads, dag.Ref.Compare) || !ascends(f.stops, compareStops) {
			r.Fail(wire.ErrCanonical)
		}
	}
	f.read = dag.ReadMark(r)
	r.Fixed(f.signature[:])
	return f, r.Done()
}

// passOnFrame is Acks that are to be passed on to who waits for them.
type passOnFrame struct {
	to   [][8]byte // that the ids of these devices begin with
	acks acksFrame
}

func (f passOnFrame) bytes() []byte {
	var w wire.Writer
	w.U8(framePassOn)
	w.Group(func(w *wire.Writer) {
		for _, d := range f.to {
			w.Raw(d[:])
		}
	})
	f.acks.marked = true
	f.acks.write(&w)
	return w.Bytes()
}

func parsePassOn(r *wire.Reader) (f passOnFrame, err error) {
	r.Each(8*maxPassOn, maxPassOn, func(r *wire.Reader) {
		var d [8]byte
		r.Fixed(d[:])
		f.to = append(f.to, d)
	})
	if len(f.to) == 0 || !ascends(f.to, func(a, b [8]byte) int { return bytes.Compare(a[:], b[:]) }) {
		r.Fail(wire.ErrCanonical)
	}
	f.acks, err = parseAcks(r, true)
	return f, err
}

// linksFrame is with whom its sender has a session.
type linksFrame struct {
	block wire.BlockHash
	bits  []byte // by table
}

func (f linksFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameLinks)
	w.Raw(f.block[:])
	w.Vec(f.bits)
	return w.Bytes()
}

func parseLinks(r *wire.Reader) (f linksFrame, err error) {
	r.Fixed(f.block[:])
	f.bits = r.Vec(dag.MaxDevices/8 + 1)
	if n := len(f.bits); n > 0 && f.bits[n-1] == 0 {
		r.Fail(wire.ErrCanonical)
	}
	return f, r.Done()
}
