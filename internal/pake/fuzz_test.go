package pake_test

import (
	"errors"
	"slices"
	"testing"

	"kith/internal/pake"
)

// FuzzFinish gives any bytes to each place that takes a message. None makes a key,
// since each run has a secret of its own.
func FuzzFinish(f *testing.F) {
	v := readVectors(f)
	f.Add([]byte(v.MessageA))
	f.Add([]byte(v.MessageB))
	f.Add([]byte(v.Confirmation))
	for _, p := range v.Points {
		f.Add([]byte(p.Point))
		f.Add([]byte(slices.Concat(p.Point, v.MessageB[32:])))
	}
	_, messageA, err := pake.Start(input("seven"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		refused := func(at string, err error) {
			if !errors.Is(err, pake.ErrMessage) && !errors.Is(err, pake.ErrConfirm) {
				t.Fatalf("%s: %v", at, err)
			}
		}
		_, answer, err := pake.Respond(input("seven"), b, adA, adB)
		if err != nil {
			refused("message A", err)
		} else if len(b) != pake.MessageASize || len(answer) != pake.MessageBSize {
			t.Fatalf("%d bytes were taken and %d answered", len(b), len(answer))
		}
		initiator, _, err := pake.Start(input("seven"))
		if err != nil {
			t.Fatal(err)
		}
		_, confirmation, err := initiator.Finish(b, adA, adB)
		refused("message B", err)
		if errors.Is(err, pake.ErrConfirm) != (len(confirmation) == pake.ConfirmationSize) {
			t.Fatalf("confirmation of %d bytes with %v", len(confirmation), err)
		}
		responder, _, err := pake.Respond(input("seven"), messageA, adA, adB)
		if err != nil {
			t.Fatal(err)
		}
		_, err = responder.Finish(b)
		refused("confirmation", err)
	})
}
