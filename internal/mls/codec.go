package mls

import (
	"slices"

	"kith/internal/wire"
)

// Pieces that several structures share. A reader is named after what it reads
// and leaves its refusal in the Reader.

// An Extension is one entry of an extension list (RFC 9420 section 13.4).
type Extension struct {
	Type uint16
	Data []byte
}

// Extension types of the registry, section 17.3.
const (
	ExtensionApplicationID        uint16 = 1
	ExtensionRatchetTree          uint16 = 2
	ExtensionRequiredCapabilities uint16 = 3
	ExtensionExternalPub          uint16 = 4
	ExtensionExternalSenders      uint16 = 5

	// ExtensionLastResort is of draft-ietf-mls-extensions; it has no data.
	ExtensionLastResort uint16 = 10
)

// defaultExtension reports whether every client supports t without saying so.
func defaultExtension(t uint16) bool { return t >= 1 && t <= 5 }

func writeExtensions(w *wire.Writer, list []Extension) {
	w.Group(func(w *wire.Writer) {
		for _, e := range list {
			w.U16(e.Type)
			w.Vec(e.Data)
		}
	})
}

// readExtensions refuses two extensions of one type (section 13.4). The limit
// of one extension is MaxExtensionData, or MaxTree for a ratchet_tree.
func readExtensions(r *wire.Reader) []Extension {
	var list []Extension
	r.Each(MaxTree+MaxExtensionData, maxExtensions, func(r *wire.Reader) {
		e := Extension{Type: r.U16()}
		limit := MaxExtensionData
		if e.Type == ExtensionRatchetTree {
			limit = MaxTree
		}
		e.Data = r.Vec(limit)
		if _, twice := findExtension(list, e.Type); twice {
			r.Fail(wire.ErrCanonical)
		}
		list = append(list, e)
	})
	return list
}

// checkExtensions checks an own list against the bounds that its readers have.
func checkExtensions(list []Extension) error {
	if len(list) > maxExtensions {
		return malformed("13.4", wire.ErrTooLong)
	}
	for i, e := range list {
		if _, twice := findExtension(list[:i], e.Type); twice {
			return reject("13.4", ReasonExtension)
		}
		if len(e.Data) > MaxExtensionData && e.Type != ExtensionRatchetTree {
			return malformed("13.4", wire.ErrTooLong)
		}
	}
	return nil
}

func findExtension(list []Extension, t uint16) ([]byte, bool) {
	i := slices.IndexFunc(list, func(e Extension) bool { return e.Type == t })
	if i < 0 {
		return nil, false
	}
	return list[i].Data, true
}

func cloneExtensions(list []Extension) []Extension {
	out := make([]Extension, len(list))
	for i, e := range list {
		out[i] = Extension{e.Type, slices.Clone(e.Data)}
	}
	return out
}

func writeU16s(w *wire.Writer, list []uint16) {
	w.Varint(2 * len(list))
	for _, v := range list {
		w.U16(v)
	}
}

func readU16s(r *wire.Reader) []uint16 {
	s := r.Sub(2 * maxCapabilities)
	if s.Len()%2 != 0 {
		r.Fail(wire.ErrShort)
		return nil
	}
	list := make([]uint16, s.Len()/2)
	for i := range list {
		list[i] = s.U16()
	}
	if err := s.Done(); err != nil {
		r.Fail(err)
	}
	return list
}

func writeU32s(w *wire.Writer, list []uint32) {
	w.Varint(4 * len(list))
	for _, v := range list {
		w.U32(v)
	}
}

func readU32s(r *wire.Reader, most int) []uint32 {
	s := r.Sub(4 * most)
	if s.Len()%4 != 0 {
		r.Fail(wire.ErrShort)
		return nil
	}
	list := make([]uint32, s.Len()/4)
	for i := range list {
		list[i] = s.U32()
	}
	if err := s.Done(); err != nil {
		r.Fail(err)
	}
	return list
}

func (s sealed) write(w *wire.Writer) {
	w.Vec(s.kemOutput)
	w.Vec(s.ciphertext)
}

// readSealed refuses what no KEM gives out, so that a message cannot hold many
// empty ones.
func readSealed(r *wire.Reader) sealed {
	s := sealed{kemOutput: r.Vec(maxKey), ciphertext: r.Vec(MaxMessage)}
	if len(s.kemOutput) < minKEMOutput {
		r.Fail(wire.ErrShort)
	}
	return s
}

// readRef reads a KeyPackageRef or ProposalRef, which is a hash.
func readRef(r *wire.Reader) []byte {
	ref := r.Vec(maxHash)
	if len(ref) < minHash {
		r.Fail(wire.ErrShort)
	}
	return ref
}

// encode returns what write writes.
func encode(write func(*wire.Writer)) []byte {
	var w wire.Writer
	write(&w)
	return w.Bytes()
}
