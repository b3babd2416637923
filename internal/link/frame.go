package link

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A frame on a stream:
//
//	offset size field
//	0      4    length of the body, big-endian, at most MaxFrame
//	4      n    body
const frameHeader = 4

// appendFrame appends frame with its header to b.
func appendFrame(b, frame []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(frame)))
	return append(b, frame...)
}

// readFrame returns the next frame of r. The error is io.EOF only between two
// frames, ErrFrameTooLong before memory is taken for a body over MaxFrame.
func readFrame(r io.Reader) ([]byte, error) {
	var h [frameHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(h[:])
	if n > MaxFrame {
		return nil, fmt.Errorf("%w: the peer announces %d bytes", ErrFrameTooLong, n)
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(r, frame); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return frame, nil
}
