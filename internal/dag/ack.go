package dag

import (
	"bytes"
	"crypto/ed25519"

	"kith/internal/wire"
)

// A Delivered says up to which seq of a device's log an Ack's author could
// read.
type Delivered struct {
	Device wire.DeviceID
	Seq    uint64
}

// AckByHeads is the version of an Ack that names heads in place of all devices.
const AckByHeads uint8 = 2

// An Ack says what a device has of a group's logs. It stands beside the log;
// only the newest of each device is kept and passed on. Version 1 lists how far it has
// each log. Version 2 names heads: it has them and all that lies before them, but for
// what its stops say.
type Ack struct {
	Version   uint8
	SigAlg    uint8
	Group     wire.GroupID
	Device    wire.DeviceID
	Seq       uint64      // counts this device's Acks in this group, from 1
	Frontier  wire.Digest // version 1: of the author's frontier
	Delivered []Delivered // version 1: devices strictly ascending
	Heads     []Ref       // version 2: strictly ascending
	Stops     []Delivered // version 2: of that device's log nothing counts from Seq on; devices strictly ascending
	Read      *Place      // read up to here; nil where the group shows no read marks
	Signature [wire.SignatureSize]byte
}

// Ack
//
//	size field
//	1    version, 1 or 2
//	1    sigalg, 1
//	32   group id
//	32   device id
//	8    seq, from 1
//	-- version 1
//	32   digest of the frontier
//	V    delivered, at most 10,000, devices strictly ascending; each
//	       32 device id
//	       8  seq, from 1
//	-- version 2
//	V    heads, at most 64, strictly ascending; each
//	       32 device id
//	       8  seq, from 1, below 2^52
//	       16 hash, cut
//	V    stops, at most 64, devices strictly ascending; each
//	       32 device id
//	       8  seq, from 1
//	-- both
//	V    read, empty or
//	       8  order
//	       32 device id
//	       8  seq, from 1
//	-- what the signature covers ends here
//	64   signature
const (
	deliveredSize = 32 + 8
	placeSize     = 8 + 32 + 8
)

// Marshal encodes the Ack.
func (a *Ack) Marshal() []byte { return append(a.SignedBytes(), a.Signature[:]...) }

// SignedBytes returns what is signed under wire.SignAck.
func (a *Ack) SignedBytes() []byte {
	var w wire.Writer
	w.U8(a.Version)
	w.U8(a.SigAlg)
	w.Raw(a.Group[:])
	w.Raw(a.Device[:])
	w.U64(a.Seq)
	if a.Version == AckByHeads {
		writeTips(&w, a.Heads)
		writeDelivered(&w, a.Stops)
	} else {
		w.Raw(a.Frontier[:])
		writeDelivered(&w, a.Delivered)
	}
	WriteMark(&w, a.Read)
	return w.Bytes()
}

// WriteMark writes the place up to which was read, nil for none.
func WriteMark(w *wire.Writer, read *Place) {
	w.Group(func(w *wire.Writer) {
		if read != nil {
			w.U64(read.Order)
			w.Raw(read.Device[:])
			w.U64(read.Seq)
		}
	})
}

// ReadMark reads what WriteMark wrote.
func ReadMark(r *wire.Reader) (read *Place) {
	r.Each(placeSize, 1, func(r *wire.Reader) {
		read = &Place{Order: r.U64()}
		r.Fixed(read.Device[:])
		read.Seq = readSeq(r)
	})
	return read
}

// ParseAck decodes what Marshal made.
func ParseAck(b []byte) (*Ack, error) {
	r := wire.NewReader(b)
	a := new(Ack)
	a.Version, a.SigAlg = readHead(r, AckByHeads)
	r.Fixed(a.Group[:])
	r.Fixed(a.Device[:])
	a.Seq = readSeq(r)
	if a.Version == AckByHeads {
		a.Heads = readAckHeads(r)
		a.Stops = readDelivered(r, MaxAckStops)
	} else {
		r.Fixed(a.Frontier[:])
		a.Delivered = readDelivered(r, MaxDevices)
	}
	a.Read = ReadMark(r)
	r.Fixed(a.Signature[:])
	if err := r.Done(); err != nil {
		return nil, malformed(err)
	}
	return a, nil
}

func writeDelivered(w *wire.Writer, list []Delivered) {
	w.Group(func(w *wire.Writer) {
		for _, d := range list {
			w.Raw(d.Device[:])
			w.U64(d.Seq)
		}
	})
}

func readDelivered(r *wire.Reader, most int) (list []Delivered) {
	r.Each(most*deliveredSize, most, func(r *wire.Reader) {
		var d Delivered
		r.Fixed(d.Device[:])
		d.Seq = readSeq(r)
		if n := len(list); n > 0 && compareDevice(list[n-1].Device, d.Device) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
		list = append(list, d)
	})
	return list
}

func readAckHeads(r *wire.Reader) (refs []Ref) {
	r.Each(MaxAckHeads*refSize, MaxAckHeads, func(r *wire.Reader) {
		h := readRef(r)
		if n := len(refs); n > 0 && refs[n-1].Compare(h) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
		refs = append(refs, h)
	})
	return refs
}

// Sign sets the signature to what sign, the signer of the device, makes.
func (a *Ack) Sign(sign func(wire.Label, []byte) []byte) {
	a.Signature = [wire.SignatureSize]byte(sign(wire.SignAck, a.SignedBytes()))
}

// Verify reports whether key, which must be the key of a.Device, signed the Ack.
func (a *Ack) Verify(key ed25519.PublicKey) bool {
	return wire.Device(key) == a.Device &&
		wire.Verify(key, wire.SignAck, a.SignedBytes(), a.Signature[:])
}

func (a *Ack) number() uint64 { return a.Seq }

// Newer reports whether statement a replaces b, of the same device and group.
// Two statements with one number are their author's fault; the greater bytes
// then win, so that everybody keeps the same one.
func Newer[S interface {
	*Ack | *Reach
	number() uint64
	Marshal() []byte
}](a, b S) bool {
	if a.number() != b.number() {
		return a.number() > b.number()
	}
	return bytes.Compare(a.Marshal(), b.Marshal()) > 0
}

// readHead reads version, which is at most newest, and sigalg of a statement.
func readHead(r *wire.Reader, newest uint8) (version, sigalg uint8) {
	if version = r.U8(); r.Err() == nil && (version < Version || version > newest) {
		r.Fail(reject(ReasonVersion))
	}
	if sigalg = r.U8(); r.Err() == nil && sigalg != wire.SigEd25519 {
		r.Fail(wire.ErrCanonical)
	}
	return version, sigalg
}

func readSeq(r *wire.Reader) uint64 {
	seq := r.U64()
	if seq == 0 {
		r.Fail(wire.ErrCanonical)
	}
	return seq
}
