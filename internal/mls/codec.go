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
	var list []uint16
	r.Each(2*maxCapabilities, maxCapabilities, func(r *wire.Reader) { list = append(list, r.U16()) })
	return list
}

func writeU32s(w *wire.Writer, list []uint32) {
	w.Varint(4 * len(list))
	for _, v := range list {
		w.U32(v)
	}
}

func readU32s(r *wire.Reader, most int) []uint32 {
	var list []uint32
	r.Each(4*most, most, func(r *wire.Reader) { list = append(list, r.U32()) })
	return list
}

func (s sealed) write(w *wire.Writer) {
	w.Vec(s.kemOutput)
	w.Vec(s.ciphertext)
}

func readSealed(r *wire.Reader) sealed {
	return sealed{kemOutput: r.Vec(maxKey), ciphertext: r.Vec(MaxMessage)}
}

// encode returns what write writes.
func encode(write func(*wire.Writer)) []byte {
	var w wire.Writer
	write(&w)
	return w.Bytes()
}
