package mls

import (
	"bytes"
	"runtime"
	"testing"

	"kith/internal/wire"
)

// inputSize and memoryBound: what a decoder may take for a message of the size
// that a stranger can send cheaply, in bytes.
const (
	inputSize   = 64 << 10
	memoryBound = 1 << 20
)

// repeated fills a vector of inputSize bytes with copies of one element.
func repeated(element []byte) []byte {
	return wire.Opaque(bytes.Repeat(element, (inputSize-256)/len(element)))
}

// distinct fills one with elements that have their number in them.
func distinct(element func(i int) []byte) []byte {
	var b []byte
	for i := 0; len(b)+len(element(i)) < inputSize-256; i++ {
		b = append(b, element(i)...)
	}
	return wire.Opaque(b)
}

// TestDecodersTakeBoundedMemory feeds every decoder inputs of 64 KiB that are
// made of as many of the smallest values as there can be.
func TestDecodersTakeBoundedMemory(t *testing.T) {
	c := suites[SuiteX25519AES128SHA256Ed25519]
	key := func(i int) []byte {
		k := bytes.Repeat([]byte{9}, 32)
		k[0], k[1] = byte(i), byte(i>>8)
		return wire.Opaque(k)
	}
	leaf := func(i int) []byte {
		return bytes.Join([][]byte{{1, 1}, key(i), key(i), {0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0}}, nil)
	}
	parent := func(i int) []byte { return bytes.Join([][]byte{{1, 2}, key(i), {0, 0}}, nil) }
	sealed := append(wire.Opaque(make([]byte, 32)), 0)
	body := func(b []byte) []byte { return bytes.Join([][]byte{b, {0}}, nil) }
	path := func(nodes []byte) []byte { return bytes.Join([][]byte{{0, 1}, leaf(0)[2:], nodes}, nil) }
	for name, b := range map[string][]byte{
		"tree of blanks and a leaf":    wire.Opaque(append(make([]byte, inputSize-512&^1), leaf(0)...)),
		"tree of leaves":               distinct(func(i int) []byte { return append(leaf(i), 0) }),
		"tree of parents":              distinct(func(i int) []byte { return append([]byte{0}, parent(i)...) }),
		"tree of leaves and parents":   distinct(func(i int) []byte { return append(leaf(i), parent(i+40000)...) }),
		"commit: removes":              body(repeated([]byte{1, 0, 3, 0, 0, 0, 1})),
		"commit: references":           body(repeated(append([]byte{2}, wire.Opaque(make([]byte, 32))...))),
		"commit: empty references":     body(repeated([]byte{2, 0})),
		"commit: SelfRemoves":          body(repeated([]byte{1, 0, 10})),
		"commit: custom":               body(repeated([]byte{1, 0xF0, 0, 1, 7})),
		"commit: extensions":           body(repeated([]byte{1, 0, 7, 0})),
		"commit: reinits":              body(repeated([]byte{1, 0, 5, 0, 0, 1, 0, 1, 0})),
		"commit: keys":                 body(repeated([]byte{1, 0, 4, 1, 0, 0})),
		"commit: updates":              body(repeated(append([]byte{1, 0, 2}, leaf(0)[2:]...))),
		"commit: external inits":       body(repeated([]byte{1, 0, 6, 0})),
		"commit: path secrets":         path(wire.Opaque(append(key(0), repeated(sealed)[:inputSize-300]...))),
		"commit: path nodes":           path(repeated([]byte{0, 0})),
		"welcome: secrets":             bytes.Join([][]byte{{0, 1}, repeated(append(wire.Opaque(make([]byte, 32)), sealed...)), {0}}, nil),
		"welcome: empty secrets":       bytes.Join([][]byte{{0, 1}, repeated([]byte{0, 0, 0}), {0}}, nil),
		"secrets: keys":                bytes.Join([][]byte{{0, 0}, repeated([]byte{1, 0, 0})}, nil),
		"key package: extensions":      bytes.Join([][]byte{{0, 1, 0, 1, 0}, leaf(0)[2:], repeated([]byte{0, 9, 0})}, nil),
		"key package: certificates":    bytes.Join([][]byte{{0, 1, 0, 1, 0, 0, 0, 0, 2}, repeated([]byte{0})}, nil),
		"key package: capabilities":    bytes.Join([][]byte{{0, 1, 0, 1, 0, 0, 0, 0, 1, 0}, repeated([]byte{0, 9})}, nil),
		"parent: unmerged leaves":      wire.Opaque(bytes.Join([][]byte{{0}, {1, 2}, key(0), {0}, repeated([]byte{0, 0, 0, 1})}, nil)),
		"external senders":             repeated([]byte{0, 0, 1, 0}),
		"required capabilities":        repeated([]byte{0, 9}),
		"application: large":           bytes.Join([][]byte{{1, 'g'}, make([]byte, 8), {1, 0, 0, 0, 0, 0, 1}, wire.Opaque(make([]byte, inputSize-100)), {0}}, nil),
		"private message: large":       bytes.Join([][]byte{{1, 'g'}, make([]byte, 8), {1, 0, 0}, wire.Opaque(make([]byte, inputSize-100))}, nil),
		"GroupInfo: extensions":        bytes.Join([][]byte{{0, 1, 0, 1, 0}, make([]byte, 8), {0, 0}, repeated([]byte{0, 9, 0})}, nil),
		"GroupInfo: one large":         bytes.Join([][]byte{{0, 1, 0, 1, 0}, make([]byte, 8), {0, 0, 0}, wire.Opaque(append([]byte{0, 9}, wire.Opaque(make([]byte, inputSize-200))...))}, nil),
		"a length of almost all":       append([]byte{0xbf, 0xff, 0xff, 0xff}, make([]byte, inputSize-4)...),
		"nothing but the byte 1":       bytes.Repeat([]byte{1}, inputSize),
		"nothing but zeros":            make([]byte, inputSize),
		"nothing but the byte 0x40":    bytes.Repeat([]byte{0x40}, inputSize),
		"nothing but the byte 0x7f":    bytes.Repeat([]byte{0x7f}, inputSize),
		"versions and zeros":           append([]byte{0, 1, 0, 1}, make([]byte, inputSize-4)...),
		"proposal with a large custom": append([]byte{0xF0, 0}, wire.Opaque(make([]byte, inputSize-10))...),
	} {
		if len(b) > inputSize+300 {
			t.Errorf("%s: %d bytes", name, len(b))
		}
		for decoder, decode := range decoders(c) {
			if n := allocated(func() { decode(b) }); n > memoryBound {
				t.Errorf("%s: %s takes %d bytes", name, decoder, n)
			}
		}
	}
}

// decoders are all of the package that read what others send.
func decoders(c *crypto) map[string]func([]byte) {
	reader := func(read func(*wire.Reader)) func([]byte) {
		return func(b []byte) {
			r := wire.NewReader(b)
			read(r)
			r.Done()
		}
	}
	return map[string]func([]byte){
		"tree":             func(b []byte) { parseTree(c, b) },
		"commit":           reader(func(r *wire.Reader) { readCommit(r) }),
		"ParseCommit":      func(b []byte) { ParseCommit(b) },
		"ParseExternal":    func(b []byte) { ParseExternalCommit(b) },
		"ParseKeyPackage":  func(b []byte) { ParseKeyPackage(b) },
		"ParsePublicGroup": func(b []byte) { ParsePublicGroup(b) },
		"OpenGroupInfo":    func(b []byte) { OpenGroupInfo(b, nil) },
		"WelcomeRefs":      func(b []byte) { WelcomeRefs(b) },
		"public message":   reader(func(r *wire.Reader) { readPublicMessage(r) }),
		"private message":  reader(func(r *wire.Reader) { readPrivateMessage(r) }),
		"group secrets":    reader(func(r *wire.Reader) { readGroupSecrets(r) }),
		"proposal":         reader(func(r *wire.Reader) { readProposal(r) }),
		"leaf":             func(b []byte) { parseLeaf(b) },
		"external senders": func(b []byte) { parseExternalSenders(b) },
		"required":         func(b []byte) { parseRequired(b) },
		"path":             reader(func(r *wire.Reader) { readUpdatePath(r) }),
	}
}

// allocated is all the memory that run asked for, used again or not.
func allocated(run func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
