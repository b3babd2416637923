package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"

	"kith/internal/identity"
	"kith/internal/wire"
)

// Why a bundle is not read.
var (
	ErrFormat   = errors.New("bundle: this is no bundle")
	ErrNewer    = errors.New("bundle: made by a newer program")
	ErrNotForUs = errors.New("bundle: for somebody else")
	ErrDamaged  = errors.New("bundle: cut, or changed on its way")
	ErrUnknown  = errors.New("bundle: made by a device that is not known here")
	ErrForged   = errors.New("bundle: not signed by whom it names")
)

// KeyOf gives the key of a device, nil if it is not known that a person has it.
type KeyOf func(wire.Member) ed25519.PublicKey

// A Reader reads a bundle. What it gives was signed by who made it; what comes after may still
// be damaged.
type Reader struct {
	from   io.Reader
	header Header
	key    ed25519.PublicKey
	stream stream
	sealed []byte // the next chunk, of which it is not known yet whether it is the last
	rest   []byte // content that was not given yet
	last   bool   // that was all of it
	group  wire.GroupID
	in     bool // a group was begun
	err    error
}

// NewReader opens a file with the keys of a device.
func NewReader(from io.Reader, device *identity.Device, key KeyOf) (*Reader, error) {
	head := sha256.New()
	in := io.TeeReader(from, head)
	var start [len(magic) + 1]byte
	if _, err := io.ReadFull(in, start[:]); err != nil || !bytes.Equal(start[:4], magic[:4]) {
		return nil, orErr(err, ErrFormat)
	}
	if start[4] != magic[4] {
		return nil, ErrNewer
	}
	if start[5] > maxWrapsLog {
		return nil, ErrFormat
	}
	var secret [32]byte
	found := false
	wrap := make([]byte, identity.WrapSize)
	for range 1 << start[5] {
		if _, err := io.ReadFull(in, wrap); err != nil {
			return nil, orErr(err, ErrDamaged)
		}
		if !found {
			secret, found = device.UnwrapKey(wrap)
		}
	}
	if !found {
		return nil, ErrNotForUs
	}
	return newReader(from, newStream(secret, head), key)
}

// NewSecretReader opens a bundle under a secret. One under another is damaged.
func NewSecretReader(from io.Reader, secret [32]byte, key KeyOf) (*Reader, error) {
	head := sha256.New()
	if _, err := io.CopyN(head, from, saltSize); err != nil {
		return nil, orErr(err, ErrDamaged)
	}
	return newReader(from, newStream(secret, head), key)
}

// orErr tells an input that ended from one that cannot be read.
func orErr(err, ended error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ended
	}
	return err
}

func newReader(from io.Reader, s stream, key KeyOf) (*Reader, error) {
	r := &Reader{from: from, stream: s}
	if r.sealed, r.err = r.chunk(); r.err != nil {
		return nil, r.err
	}
	plain, err := r.open()
	if err != nil {
		return nil, err
	}
	content := wire.NewReader(plain[signSize:])
	if version := content.U8(); content.Err() == nil && version != contentVersion {
		return nil, ErrNewer
	}
	content.Fixed(r.header.From.Person[:])
	content.Fixed(r.header.From.Device[:])
	r.header.Time = content.U64()
	if content.Err() != nil {
		return nil, ErrFormat
	}
	if r.key = key(r.header.From); r.key == nil {
		return r, ErrUnknown
	}
	if err := r.check(plain); err != nil {
		return nil, err
	}
	r.rest = bytes.Clone(content.Rest())
	return r, nil
}

// Header says who made the bundle; it is signed, unless the error was ErrUnknown.
func (r *Reader) Header() Header { return r.header }

// chunk reads a sealed chunk; none is left if it is empty.
func (r *Reader) chunk() ([]byte, error) {
	b := make([]byte, chunkSize+chunkTag)
	n, err := io.ReadFull(r.from, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return b[:n], nil
}

// open opens the chunk at hand.
func (r *Reader) open() ([]byte, error) {
	now := r.sealed
	next, err := r.chunk()
	if err != nil {
		return nil, err
	}
	r.sealed, r.last = next, len(next) == 0
	plain, err := r.stream.aead.Open(nil, r.stream.nonce(r.last), now, nil)
	if err != nil || len(plain) <= signSize || !r.last && len(plain) != chunkSize {
		return nil, ErrDamaged
	}
	return plain, nil
}

// check looks at the signature of a chunk.
func (r *Reader) check(plain []byte) error {
	content := r.stream.signed(r.last, plain[signSize:])
	if !wire.Verify(r.key, wire.SignBundle, content, plain[:signSize]) {
		return ErrForged
	}
	r.stream.number++
	return nil
}

// Next returns the next payload and its group; io.EOF once all was read and nothing is wrong.
func (r *Reader) Next() (g wire.GroupID, payload []byte, err error) {
	if r.err == nil {
		payload, r.err = r.next()
	}
	return r.group, payload, r.err
}

func (r *Reader) next() ([]byte, error) {
	for {
		kind, err := r.take(1)
		if err != nil {
			return nil, err
		}
		switch {
		case kind[0] == partEnd:
			return nil, r.end()
		case kind[0] == partGroup:
			g, err := r.take(len(r.group))
			if err != nil {
				return nil, err
			}
			r.group, r.in = wire.GroupID(g), true
		case kind[0] == partPayload && r.in:
			size, err := r.take(4)
			if err != nil {
				return nil, err
			}
			n := binary.BigEndian.Uint32(size)
			if n > MaxPayload {
				return nil, ErrFormat
			}
			return r.take(int(n))
		default:
			return nil, ErrFormat
		}
	}
}

// take returns the next n bytes of content. It grows with what is there, not with what is said.
func (r *Reader) take(n int) (b []byte, err error) {
	for {
		part := min(n-len(b), len(r.rest))
		b, r.rest = append(b, r.rest[:part]...), r.rest[part:]
		if len(b) == n {
			return b, nil
		}
		if err := r.more(); err != nil {
			return nil, err
		}
	}
}

// more opens the next chunk.
func (r *Reader) more() error {
	if r.last {
		return ErrFormat
	}
	plain, err := r.open()
	if err != nil {
		return err
	}
	if err := r.check(plain); err != nil {
		return err
	}
	r.rest = plain[signSize:]
	return nil
}

// end sees that nothing but padding follows.
func (r *Reader) end() error {
	for {
		for _, b := range r.rest {
			if b != 0 {
				return ErrFormat
			}
		}
		if r.rest = nil; r.last {
			return io.EOF
		}
		if err := r.more(); err != nil {
			return err
		}
	}
}
