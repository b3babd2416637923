package group_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// numbered are so many devices with a number each, ascending.
func numbered(devices int) []byte {
	var w wire.Writer
	w.Group(func(w *wire.Writer) {
		for i := range devices {
			var d wire.DeviceID
			binary.BigEndian.PutUint32(d[:], uint32(i))
			w.Raw(d[:])
			w.U64(7)
		}
	})
	return w.Bytes()
}

// TestNumbersOfTheLargestGroup: a device of the largest group that there may be says by
// one frame of each kind which Acks and Reaches it holds, by names; more than that is none.
func TestNumbersOfTheLargestGroup(t *testing.T) {
	frame := func(kind byte, head []byte, list []byte, rest ...byte) []byte {
		var w wire.Writer
		w.U8(kind)
		w.Raw(head)
		w.Raw(list)
		w.Raw(rest)
		return w.Bytes()
	}
	block := make([]byte, 32)
	for name, of := range map[string]func(list []byte) []byte{
		"have":        func(list []byte) []byte { return frame(kindHave, []byte{2, 0, 0, 1, 0}, list, 0) },
		"numbers":     func(list []byte) []byte { return frame(kindNumbers, append(block[:32:32], 0, 0, 0), list, 0) },
		"Ack numbers": func(list []byte) []byte { return frame(29, append(block[:32:32], 1, 0), list) },
	} {
		most := of(numbered(dag.MaxDevices))
		if again, err := group.Reencode(most); err != nil || !bytes.Equal(again, most) {
			t.Errorf("%s of %d devices: %v", name, dag.MaxDevices, err)
		}
		if _, err := group.Reencode(of(numbered(dag.MaxDevices + 1))); err == nil {
			t.Errorf("%s of one device more is taken", name)
		}
	}
}

// TestStatementsOfTheLargestGroup: all Acks, Reaches and Leaves of the largest group go in
// frames that others take, each statement once.
func TestStatementsOfTheLargestGroup(t *testing.T) {
	list := func(size int) (all [][]byte) {
		for i := range dag.MaxDevices {
			all = append(all, binary.BigEndian.AppendUint32(make([]byte, size-4), uint32(i)))
		}
		return all
	}
	const ack, reach, leave = 200, 250, 150
	count := make(map[string]int)
	for _, payload := range group.StatementsSent(list(ack), list(reach), list(leave)) {
		if again, err := group.Reencode(payload); err != nil || !bytes.Equal(again, payload) {
			t.Fatalf("a frame of %d bytes: %v", len(payload), err)
		}
		if len(payload) > 512<<10 {
			t.Errorf("a frame of %d bytes", len(payload))
		}
		r := wire.NewReader(payload[1:])
		for range 4 {
			r.Each(wire.MaxVector, len(payload), func(r *wire.Reader) { count[string(r.Vec(ack+reach))]++ })
		}
	}
	if len(count) != 3*dag.MaxDevices {
		t.Errorf("%d statements arrive", len(count))
	}
	for _, n := range count {
		if n != 1 {
			t.Fatalf("one arrives %d times", n)
		}
	}
}
