package peer

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"kith/internal/link"
	"kith/internal/wire"
)

// A sealedConn seals every frame of a session from device to device, so that
// neither the link nor whoever gets between it and us reads what a session says.
//
//	offset size field
//	0      1    kind, 0x06
//	1      var  AES-256-GCM of a fragment; nonce: u32 zero, u64 number of the
//	            frame in its direction, from 0; no aad
//
// The key of a direction is HKDF-SHA256 of the secret that the handshake gave
// both, with the connection's binding as salt and the label "dialler" or
// "listener" as info. One goroutine reads and one writes.
type sealedConn struct {
	link.Conn
	in, out   cipher.AEAD
	nIn, nOut uint64 // frames opened and sealed
}

// sealedOverhead is what sealing adds to a fragment, in bytes.
const sealedOverhead = 1 + 16

func newSealedConn(conn link.Conn, secret [32]byte, dialed bool) (*sealedConn, error) {
	binding := conn.Binding()
	dialler, err := frameKey(secret, binding, wire.InfoDialler)
	if err != nil {
		return nil, err
	}
	listener, err := frameKey(secret, binding, wire.InfoListener)
	if err != nil {
		return nil, err
	}
	if dialed {
		return &sealedConn{Conn: conn, in: listener, out: dialler}, nil
	}
	return &sealedConn{Conn: conn, in: dialler, out: listener}, nil
}

func frameKey(secret, binding [32]byte, info string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret[:], binding[:], info, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func frameNonce(number uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), number)
}

func (c *sealedConn) Write(ctx context.Context, fragment []byte) error {
	frame := make([]byte, 1, len(fragment)+sealedOverhead)
	frame[0] = kindSealed
	frame = c.out.Seal(frame, frameNonce(c.nOut), fragment, nil)
	c.nOut++
	return c.Conn.Write(ctx, frame)
}

// Read opens the next frame in place.
func (c *sealedConn) Read(ctx context.Context) ([]byte, error) {
	frame, err := c.Conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	if len(frame) < sealedOverhead || frame[0] != kindSealed {
		return nil, &MisbehaviourError{RuleFrame, weightFormat}
	}
	fragment, err := c.in.Open(frame[1:1], frameNonce(c.nIn), frame[1:], nil)
	if err != nil {
		return nil, &MisbehaviourError{RuleFrame, weightFormat}
	}
	c.nIn++
	return fragment, nil
}
