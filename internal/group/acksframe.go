package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// Frames of FeatureAckHeads, by which Acks travel in a large group, and that of FeatureMarks.
// Numbers by table are as in headsframe.go.
//
//	number name         body
//	28     acks         bundles<V>, Acks that fit in none: opaque ack<V>...<V>
//	29     ack numbers  block[32], u8 flags: 1 answers such a frame, 2 follows, 4 alone: follows no more; Acks by table<V>, others: (device[32], u64)<V>
//	30     ack digest   digest[32] of the numbers
//	37     marked acks  as acks, but that each Ack of a bundle has, before its signature,
//	                    read<V>: empty, or order u64, device[32], u64 seq
//
//	bundle: heads: refs<V>, stops: (device[32], u64 seq)<V>,
//	        of each Ack: first 8 bytes of the device, u64 seq, signature[64]: together<V>
//
// Each Ack of a bundle has version 2, those heads and stops, and in frame 28 no place up to which was read.

// ackBundle is Acks that say the same.
type ackBundle struct {
	heads []dag.Ref
	stops []dag.Delivered
	acks  []bundledAck
}

// bundledAck is what is an Ack's own.
type bundledAck struct {
	device    [8]byte // that its author's id begins with
	seq       uint64
	read      *Place // in marked acks alone
	signature [wire.SignatureSize]byte
}

const (
	bundledAckSize = 8 + 8 + wire.SignatureSize
	bundledMark    = 1 + 8 + 32 + 8 // at most
)

type acksFrame struct {
	marked  bool // frame 37
	bundles []ackBundle
	others  [][]byte
}

// Flags of ack numbers.
const (
	ackAnswers uint8 = 1 << iota
	ackFollows       // its sender passes on what is new to it, and wants what is new passed on
	ackLeaves        // it does so no more, and says nothing else
)

type ackNumbersFrame struct {
	block  wire.BlockHash
	flags  uint8
	acks   []uint64 // by table
	others []seqOf
}

func (f acksFrame) bytes() []byte {
	var w wire.Writer
	kind := frameAcks
	if f.marked {
		kind = frameMarkedAcks
	}
	w.U8(kind)
	f.write(&w)
	return w.Bytes()
}

func (f acksFrame) write(w *wire.Writer) {
	w.Group(func(w *wire.Writer) {
		for _, b := range f.bundles {
			writeRefs(w, b.heads)
			writeStops(w, b.stops)
			w.Group(func(w *wire.Writer) {
				for _, a := range b.acks {
					w.Raw(a.device[:])
					w.U64(a.seq)
					if f.marked {
						dag.WriteMark(w, a.read)
					}
					w.Raw(a.signature[:])
				}
			})
		}
	})
	writeList(w, f.others)
}

// count is how many Acks are in a frame.
func (f acksFrame) count() int {
	n := len(f.others)
	for _, b := range f.bundles {
		n += len(b.acks)
	}
	return n
}

// add puts an Ack into a marked frame, with those that say the same.
func (f *acksFrame) add(a *dag.Ack) {
	if a.Version != dag.AckByHeads {
		f.others = append(f.others, a.Marshal())
		return
	}
	i := slices.IndexFunc(f.bundles, func(b ackBundle) bool {
		return slices.Equal(b.heads, a.Heads) && slices.Equal(b.stops, a.Stops)
	})
	if i < 0 {
		i = len(f.bundles)
		f.bundles = append(f.bundles, ackBundle{heads: a.Heads, stops: a.Stops})
	}
	f.bundles[i].acks = append(f.bundles[i].acks, bundledAck{[8]byte(a.Device[:8]), a.Seq, a.Read, a.Signature})
}

func parseAcks(r *wire.Reader, marked bool) (f acksFrame, err error) {
	f.marked = marked
	left, size := maxStatements, bundledAckSize
	if marked {
		size += bundledMark
	}
	r.Each(maxBundles, maxStatements, func(r *wire.Reader) {
		b := ackBundle{heads: readRefs(r, dag.MaxAckHeads), stops: readStops(r)}
		if !ascends(b.heads, dag.Ref.Compare) || !ascends(b.stops, compareStops) {
			r.Fail(wire.ErrCanonical)
		}
		r.Each(left*size, left, func(r *wire.Reader) {
			var a bundledAck
			r.Fixed(a.device[:])
			a.seq = r.U64()
			if marked {
				a.read = dag.ReadMark(r)
			}
			r.Fixed(a.signature[:])
			b.acks = append(b.acks, a)
		})
		if len(b.acks) == 0 {
			r.Fail(wire.ErrCanonical)
		}
		left -= len(b.acks)
		f.bundles = append(f.bundles, b)
	})
	f.others = readList(r, maxAck, maxStatements)
	return f, r.Done()
}

func writeStops(w *wire.Writer, stops []dag.Delivered) {
	w.Group(func(w *wire.Writer) {
		for _, s := range stops {
			w.Raw(s.Device[:])
			w.U64(s.Seq)
		}
	})
}

func compareStops(a, b dag.Delivered) int { return compareID(a.Device, b.Device) }

// ascends reports whether a list does strictly.
func ascends[T any](list []T, compare func(a, b T) int) bool {
	for i := 1; i < len(list); i++ {
		if compare(list[i-1], list[i]) >= 0 {
			return false
		}
	}
	return true
}

func readStops(r *wire.Reader) (stops []dag.Delivered) {
	r.Each(dag.MaxAckStops*40, dag.MaxAckStops, func(r *wire.Reader) {
		var s dag.Delivered
		r.Fixed(s.Device[:])
		if s.Seq = r.U64(); s.Seq == 0 {
			r.Fail(wire.ErrCanonical)
		}
		stops = append(stops, s)
	})
	return stops
}

func (f ackNumbersFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameAckNumbers)
	w.Raw(f.block[:])
	w.U8(f.flags)
	writeNumbers(&w, f.acks)
	writeSeqs(&w, f.others)
	return w.Bytes()
}

func parseAckNumbers(r *wire.Reader) (f ackNumbersFrame, err error) {
	r.Fixed(f.block[:])
	if f.flags = r.U8(); f.flags > ackLeaves {
		r.Fail(wire.ErrCanonical)
	}
	f.acks, f.others = readNumbers(r), readSeqs(r)
	if f.flags == ackLeaves && (f.block != (wire.BlockHash{}) || len(f.acks)+len(f.others) > 0) {
		r.Fail(wire.ErrCanonical)
	}
	return f, r.Done()
}
