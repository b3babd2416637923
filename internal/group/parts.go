package group

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// The graph of the entries is stored in parts (package dag), so that a start reads the headers
// only of entries that are in none: in the order of their keys those of a log come one after the
// other, and below its newest in a part all are in parts but those that KindBeside names.
//
//	log of ann   1 2 3 4 5 6 | 7 8 9      in parts up to 6: read are 6, which is its tip, to 9
//	                3'                    signed twice, and checked after the part: named by KindBeside
//
// The parts are of one membership of one device. Where anything does not fit, all headers are read.

const (
	// partEvery is how many entries make a part; 50 to 60 bytes of it are an entry's.
	partEvery = 1024
	// partAtLoad is how many read headers make a part after a start.
	partAtLoad = 256
	// maxPart bounds the entries of one part, about 1 MiB.
	maxPart = 1 << 14
)

// parts is what a machine knows of the parts of its graph.
type parts struct {
	count  uint32
	every  int // entries that make one
	due    bool
	beside map[dag.Ref]bool // as KindBeside
}

// StoreEvery sets how many entries make a stored part of the graph; a simulation has them small.
func (m *Machine) StoreEvery(entries int) { m.parts.every = entries }

// keepParts stores what of the graph is in no part, once that is enough.
func (m *Machine) keepParts(eff *Effects) {
	if n := m.graph.Unstored(); n < m.parts.every && !m.parts.due || n == 0 {
		return
	}
	m.parts.due = false
	for part := m.graph.Part(maxPart); part != nil; part = m.graph.Part(maxPart) {
		var w wire.Writer
		w.U32(crc32.Checksum(part, castagnoli))
		w.Raw(part)
		eff.put(KindPart, partKey(m.parts.count), w.Bytes())
		m.parts.count++
	}
	eff.put(KindPart, nil, m.partsRecord())
	for _, ref := range sortedRefs(m.parts.beside) {
		if m.waiting[ref] == nil {
			m.dropBeside(ref, eff)
		}
	}
	var waiting []dag.Ref
	for ref := range m.waiting {
		if ref.Seq <= m.graph.StoredSeq(ref.Device) && !m.parts.beside[ref] {
			waiting = append(waiting, ref)
		}
	}
	slices.SortFunc(waiting, dag.Ref.Compare)
	for _, ref := range waiting {
		m.keepBeside(ref, eff)
	}
}

func sortedRefs(set map[dag.Ref]bool) []dag.Ref {
	refs := make([]dag.Ref, 0, len(set))
	for r := range set {
		refs = append(refs, r)
	}
	slices.SortFunc(refs, dag.Ref.Compare)
	return refs
}

// noteBeside takes note of an entry that is being stored, if a start would pass it over.
func (m *Machine) noteBeside(ref dag.Ref, eff *Effects) {
	if ref.Seq < m.graph.StoredSeq(ref.Device) {
		m.keepBeside(ref, eff)
	}
}

func (m *Machine) keepBeside(ref dag.Ref, eff *Effects) {
	m.parts.beside[ref] = true
	eff.put(KindBeside, EntryKey(ref), []byte{})
}

func (m *Machine) dropBeside(ref dag.Ref, eff *Effects) {
	if m.parts.beside[ref] {
		delete(m.parts.beside, ref)
		eff.drop(KindBeside, EntryKey(ref))
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func partKey(number uint32) []byte { return binary.BigEndian.AppendUint32(nil, number) }

// partsRecord says which parts there are.
//
//	size field
//	4    how many
//	32   this device
//	32   block it came in by
//	32   block at which it last said something when the newest part was written
func (m *Machine) partsRecord() []byte {
	var w wire.Writer
	device := m.self.Device.ID()
	w.U32(m.parts.count)
	w.Raw(device[:])
	w.Raw(m.joined[:])
	w.Raw(m.spoke[:])
	return w.Bytes()
}

var errParts = errors.New("the parts of the graph do not fit")

// A Reader gives the stored records of one kind from a key on, by key ascending, until each
// returns an error, which it returns.
type Reader func(k Kind, from []byte, each func(Record) error) error

// errEnough ends the reading of records.
var errEnough = errors.New("enough was read")

// get returns the value of one record, nil if there is none.
func (read Reader) get(k Kind, key []byte) (value []byte, err error) {
	err = read(k, key, func(rec Record) error {
		if bytes.Equal(rec.Key, key) {
			value = rec.Value
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return value, err
}

// graph makes the graph again from its parts, as far as there are any that fit, and reads the headers of
// the other entries.
func (l *loading) graph(read Reader) error {
	l.read = read
	if l.m.graph == nil {
		return errRecord
	}
	if err := l.parts(read); errors.Is(err, errParts) {
		if err := l.withoutParts(); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return l.rest(read)
}

// parts reads the parts. errParts says that none of them count.
func (l *loading) parts(read Reader) error {
	m := l.m
	record, err := read.get(KindPart, nil)
	if err != nil || len(record) == 0 {
		return err
	}
	var device wire.DeviceID
	var joined, spoke wire.BlockHash
	r := wire.NewReader(record)
	count := r.U32()
	r.Fixed(device[:])
	r.Fixed(joined[:])
	r.Fixed(spoke[:])
	if r.Done() != nil || joined != m.joined {
		return errParts
	}
	if device == m.self.Device.ID() {
		m.spoke = spoke
	}
	restore, next := m.graph.Restore(), uint32(0)
	err = read(KindPart, partKey(0), func(rec Record) error {
		if next == count {
			return errEnough
		}
		if !bytes.Equal(rec.Key, partKey(next)) || len(rec.Value) < 4 ||
			binary.BigEndian.Uint32(rec.Value) != crc32.Checksum(rec.Value[4:], castagnoli) || restore.Part(rec.Value[4:]) != nil {
			return errParts
		}
		next++
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if next != count {
		return errParts
	}
	restore.Done()
	m.parts.count = count
	return nil
}

// withoutParts begins the graph anew. The next part is the first.
func (l *loading) withoutParts() error {
	m := l.m
	m.start(m.blocks.Header(m.blocks.Genesis()).CreatedAt)
	m.spoke = wire.BlockHash{}
	if l.from == nil {
		return nil
	}
	return m.graph.SetFloor(*l.from)
}

// rest reads the headers of entries that are in no part, and of the tips.
func (l *loading) rest(read Reader) error {
	m := l.m
	for from := []byte{}; from != nil; {
		start := from
		from = nil
		err := read(KindEntry, start, func(rec Record) error {
			ref, err := refKey(rec.Key)
			if err != nil {
				return err
			}
			if stored := m.graph.StoredSeq(ref.Device); ref.Seq < stored {
				from = EntryKey(dag.Ref{Device: ref.Device, Seq: stored})
				return errEnough
			}
			return l.entry(rec)
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	var beside []dag.Ref
	err := read(KindBeside, nil, func(rec Record) error {
		ref, err := refKey(rec.Key)
		beside = append(beside, ref)
		m.parts.beside[ref] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, ref := range beside {
		if ref.Seq >= m.graph.StoredSeq(ref.Device) {
			continue // read already
		}
		h, err := l.header(ref)
		if err != nil {
			return err
		}
		if h != nil {
			l.entries = append(l.entries, h)
		}
	}
	return nil
}

// header reads the header of one entry; nil if it is not stored.
func (l *loading) header(ref dag.Ref) (*dag.Header, error) {
	for _, h := range l.entries {
		if h.Device == ref.Device && h.Seq == ref.Seq && h.Ref() == ref {
			return h, nil
		}
	}
	b, err := l.read.get(KindEntry, EntryKey(ref))
	if err != nil || b == nil {
		return nil, err
	}
	return dag.ParseHeader(b)
}
