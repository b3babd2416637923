package group

import (
	"encoding/binary"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// Frames of FeatureHeads, by which a sync costs what two sides differ by and not what
// they have. A table is the devices that one block's state knows, ever admitted,
// ascending; numbers of a table are LEB128, the shortest, one for each device in the
// order of the table, of which zeros at the end are left out.
//
//	number name     body
//	22     heads    opaque offer<V>, heads: refs<V> ascending, bool more heads, u64 entries, u64 highest lamport, statements[32]
//	23     ask      heads: refs<V>, refs that are missing by name<V>
//	24     stretch  block[32], seqs by table<V>, others: refs<V>, from: u64 lamport, device[32], u64 to lamport, beside: refs<V>
//	25     numbers  block[32], bool answer, Acks by table<V>, Reaches by table<V>, other Acks: (device[32], u64)<V>, other Reaches: likewise

// headsFrame is what its sender has, in place of a have.
type headsFrame struct {
	offer      chain.Offer
	heads      []dag.Ref
	more       bool
	count      uint64 // entries that are checked
	top        uint64 // the highest lamport of them
	statements wire.Digest
}

// askFrame asks for what lies beyond heads, if it is little, else for the newest of it.
type askFrame struct{ heads, names []dag.Ref }

// stretchFrame asks for what lies beyond a frontier within a range.
type stretchFrame struct {
	block  wire.BlockHash
	seqs   []uint64  // by table
	others []dag.Ref // tips of devices that are not in the table, or whose log is forked
	within dag.Range
	beside []dag.Ref // in the range, and here already
}

// numbersFrame is which Acks and Reaches its sender holds.
type numbersFrame struct {
	block         wire.BlockHash
	answer        bool
	acks, reaches []uint64 // by table
	otherAcks     []seqOf
	otherReaches  []seqOf
}

func (f headsFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameHeads)
	w.Vec(f.offer.Marshal())
	writeRefs(&w, f.heads)
	w.Bool(f.more)
	w.U64(f.count)
	w.U64(f.top)
	w.Raw(f.statements[:])
	return w.Bytes()
}

func parseHeads(r *wire.Reader) (f headsFrame, err error) {
	offer := r.Vec(maxHave)
	f.heads = readRefs(r, maxHeads)
	for i := 1; i < len(f.heads); i++ {
		if f.heads[i-1].Compare(f.heads[i]) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
	}
	f.more, f.count, f.top = r.Bool(), r.U64(), r.U64()
	if f.top >= dag.MaxLamport {
		r.Fail(wire.ErrCanonical)
	}
	r.Fixed(f.statements[:])
	if err = r.Done(); err != nil {
		return f, err
	}
	f.offer, err = chain.ParseOffer(offer)
	return f, err
}

func (f askFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameAsk)
	writeRefs(&w, f.heads)
	writeRefs(&w, f.names)
	return w.Bytes()
}

func parseAsk(r *wire.Reader) (f askFrame, err error) {
	f.heads, f.names = readRefs(r, 2*maxHeads), readRefs(r, maxBatchEntries)
	return f, r.Done()
}

func (f stretchFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameStretch)
	w.Raw(f.block[:])
	writeNumbers(&w, f.seqs)
	writeRefs(&w, f.others)
	w.U64(f.within.From.Lamport)
	w.Raw(f.within.From.Device[:])
	w.U64(f.within.To)
	writeRefs(&w, f.beside)
	return w.Bytes()
}

func parseStretch(r *wire.Reader) (f stretchFrame, err error) {
	r.Fixed(f.block[:])
	f.seqs = readNumbers(r)
	f.others = readRefs(r, dag.MaxDevices)
	f.within.From.Lamport = r.U64()
	r.Fixed(f.within.From.Device[:])
	f.within.To = r.U64()
	f.beside = readRefs(r, dag.MaxParked)
	return f, r.Done()
}

func (f numbersFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameNumbers)
	w.Raw(f.block[:])
	w.Bool(f.answer)
	writeNumbers(&w, f.acks)
	writeNumbers(&w, f.reaches)
	writeSeqs(&w, f.otherAcks)
	writeSeqs(&w, f.otherReaches)
	return w.Bytes()
}

func parseNumbers(r *wire.Reader) (f numbersFrame, err error) {
	r.Fixed(f.block[:])
	f.answer = r.Bool()
	f.acks, f.reaches = readNumbers(r), readNumbers(r)
	f.otherAcks, f.otherReaches = readSeqs(r), readSeqs(r)
	return f, r.Done()
}

func writeNumbers(w *wire.Writer, list []uint64) {
	for len(list) > 0 && list[len(list)-1] == 0 {
		list = list[:len(list)-1]
	}
	var b []byte
	for _, n := range list {
		b = binary.AppendUvarint(b, n)
	}
	w.Vec(b)
}

// readNumbers refuses a number that is not in its shortest form, and a last one of zero.
func readNumbers(r *wire.Reader) (list []uint64) {
	b := r.Vec(dag.MaxDevices * binary.MaxVarintLen64)
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || size > 1 && b[size-1] == 0 || len(list) == dag.MaxDevices {
			r.Fail(wire.ErrCanonical)
			return nil
		}
		list, b = append(list, n), b[size:]
	}
	if n := len(list); n > 0 && list[n-1] == 0 {
		r.Fail(wire.ErrCanonical)
	}
	return list
}
