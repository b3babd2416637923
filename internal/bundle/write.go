package bundle

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"math/bits"

	"kith/internal/identity"
	"kith/internal/wire"
)

// What cannot be written.
var (
	ErrNobody  = errors.New("bundle: for nobody, or for too many")
	ErrTooLong = errors.New("bundle: a payload is too long")
)

// magic begins a file, with its version.
var magic = [5]byte{'K', 'T', 'H', 'B', 1}

// A Header says who made a bundle, and when.
type Header struct {
	From wire.Member
	Time uint64 // ms, its clock
}

// File
//
//	size  field
//	5     "KTHB", 1
//	1     k: there are 2^k wraps, k at most 14
//	1168  each wrap: the file's secret, for one device, or for nobody
//	...   chunks
//
// Under a secret that both sides have:
//
//	size  field
//	32    random
//	...   chunks
//
// With S the secret and H the SHA-256 of all before the chunks, HKDF (RFC 5869, SHA-256, S,
// salt H, info "Kith 1 bundle", 64 bytes) gives the key of the chunks and the bundle's id.
//
// Chunk: AES-256-GCM, nonce u64 number, then u32 1 in the last and 0 before, no aad, of at most
// 65,536 bytes, and fewer in the last alone:
//
//	64    signature "bundle" of the device key over id[32], u64 number, u8 last, opaque content<V>
//	...   content, of which the last has at least one byte
//
// Content of all chunks together:
//
//	1     version, 1
//	32    person
//	32    device
//	8     time, ms
//	...   parts: u8 1, group[32]; or u8 2, u32 length, payload, of the group before it
//	1     0, end
//	...   zeros, up to the padded length

// A Writer makes a bundle. Nothing of it can be read before Close.
type Writer struct {
	to     io.Writer
	device *identity.Device
	stream stream
	buf    []byte // content that is not sealed yet
	length int    // of the content so far
	err    error
}

// A stream seals or opens chunks.
type stream struct {
	aead   cipher.AEAD
	id     [32]byte
	number uint64
}

func newStream(secret [32]byte, head hash.Hash) stream {
	keys, err := hkdf.Key(sha256.New, secret[:], head.Sum(nil), wire.InfoBundle, 64)
	if err != nil {
		panic("bundle: " + err.Error()) // 64 bytes are never too many
	}
	return stream{aead: newAEAD(keys[:32]), id: [32]byte(keys[32:])}
}

func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("bundle: " + err.Error()) // the key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("bundle: " + err.Error())
	}
	return aead
}

func (s *stream) nonce(last bool) []byte {
	n := binary.BigEndian.AppendUint64(nil, s.number)
	if last {
		return append(n, 0, 0, 0, 1)
	}
	return append(n, 0, 0, 0, 0)
}

func (s *stream) signed(last bool, content []byte) []byte {
	var w wire.Writer
	w.Raw(s.id[:])
	w.U64(s.number)
	w.Bool(last)
	w.Vec(content)
	return w.Bytes()
}

// NewWriter begins a file for the devices with those knock keys.
func NewWriter(to io.Writer, device *identity.Device, h Header, knockKeys [][]byte) (*Writer, error) {
	if len(knockKeys) == 0 || len(knockKeys) > MaxWraps {
		return nil, ErrNobody
	}
	secret := [32]byte(wire.Random(32))
	head := sha256.New()
	out := io.MultiWriter(to, head)
	log := bits.Len(uint(len(knockKeys) - 1))
	if _, err := out.Write(append(magic[:], byte(log))); err != nil {
		return nil, err
	}
	for i := range 1 << log {
		wrap, err := identity.WrapForNobody()
		if i < len(knockKeys) {
			wrap, err = identity.WrapKey(knockKeys[i], secret)
		}
		if err != nil {
			return nil, err
		}
		if _, err := out.Write(wrap); err != nil {
			return nil, err
		}
	}
	return newWriter(to, device, h, newStream(secret, head)), nil
}

// NewSecretWriter begins a bundle under a secret.
func NewSecretWriter(to io.Writer, device *identity.Device, h Header, secret [32]byte) (*Writer, error) {
	salt, head := wire.Random(saltSize), sha256.New()
	head.Write(salt)
	if _, err := to.Write(salt); err != nil {
		return nil, err
	}
	return newWriter(to, device, h, newStream(secret, head)), nil
}

func newWriter(to io.Writer, device *identity.Device, h Header, s stream) *Writer {
	w := &Writer{to: to, device: device, stream: s}
	var out wire.Writer
	out.U8(contentVersion)
	out.Raw(h.From.Person[:])
	out.Raw(h.From.Device[:])
	out.U64(h.Time)
	w.add(out.Bytes())
	return w
}

const (
	contentVersion uint8 = 1

	partEnd     uint8 = 0
	partGroup   uint8 = 1
	partPayload uint8 = 2
)

// Group begins what is of a group.
func (w *Writer) Group(g wire.GroupID) error {
	w.add(append([]byte{partGroup}, g[:]...))
	return w.err
}

// Payload adds one of the group that was begun last.
func (w *Writer) Payload(b []byte) error {
	if len(b) > MaxPayload {
		return ErrTooLong
	}
	w.add(binary.BigEndian.AppendUint32([]byte{partPayload}, uint32(len(b))))
	w.add(b)
	return w.err
}

// Close pads, and ends the bundle.
func (w *Writer) Close() error {
	w.add([]byte{partEnd})
	w.add(make([]byte, padded(w.length)-w.length))
	w.seal(true)
	return w.err
}

// add takes content, and seals what is full; a full chunk may yet be the last.
func (w *Writer) add(b []byte) {
	w.length += len(b)
	for len(b) > 0 && w.err == nil {
		if len(w.buf) == chunkRoom {
			w.seal(false)
		}
		n := min(len(b), chunkRoom-len(w.buf))
		w.buf, b = append(w.buf, b[:n]...), b[n:]
	}
}

func (w *Writer) seal(last bool) {
	if w.err != nil {
		return
	}
	plain := append(w.device.Sign(wire.SignBundle, w.stream.signed(last, w.buf)), w.buf...)
	_, w.err = w.to.Write(w.stream.aead.Seal(nil, w.stream.nonce(last), plain, nil))
	w.stream.number++
	w.buf = w.buf[:0]
}
