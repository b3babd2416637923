package pake_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"kith/internal/pake"
)

const vectorFile = "../../docs/spec/vectors/pake.json"

// hexBytes are bytes that stand in hex in the file.
type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// vectors are those of the draft, typed from it: no test writes this file.
type vectors struct {
	Code            hexBytes `json:"code"`
	Channel         hexBytes `json:"channel"`
	Session         hexBytes `json:"session"`
	ADA             hexBytes `json:"ad_a"`
	ADB             hexBytes `json:"ad_b"`
	YA              hexBytes `json:"y_a"`
	YB              hexBytes `json:"y_b"`
	GeneratorString hexBytes `json:"generator_string"`
	Generator       hexBytes `json:"generator"`
	K               hexBytes `json:"k"`
	ISK             hexBytes `json:"isk"`
	MessageA        hexBytes `json:"message_a"`
	MessageB        hexBytes `json:"message_b"`
	Confirmation    hexBytes `json:"confirmation"`
	Info            string   `json:"info"`
	Derived         hexBytes `json:"derived"`
	Scalar          hexBytes `json:"scalar"`
	Points          []struct {
		What    string   `json:"what"`
		Point   hexBytes `json:"point"`
		Product hexBytes `json:"product"` // empty: the point is refused
	} `json:"points"`
}

func (v vectors) input() pake.Input {
	return pake.Input{Code: v.Code, Channel: v.Channel, Session: v.Session}
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	raw, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectors(t *testing.T) {
	v := readVectors(t)
	equal := func(what string, got, want []byte) {
		t.Helper()
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", what, got, want)
		}
	}
	equal("generator string", pake.GeneratorString(v.input()), v.GeneratorString)
	hash := sha512.Sum512(v.GeneratorString)
	equal("generator", pake.Generator(hash[:]), v.Generator)
	k, _ := pake.Meet(v.YA, [32]byte(v.MessageB))
	equal("K of A", k[:], v.K)
	k, _ = pake.Meet(v.YB, [32]byte(v.MessageA))
	equal("K of B", k[:], v.K)

	a, messageA, err := pake.StartWith(v.input(), v.YA)
	if err != nil {
		t.Fatal(err)
	}
	equal("message A", messageA, v.MessageA)
	b, messageB, err := pake.RespondWith(v.input(), v.YB, v.MessageA, v.ADA, v.ADB)
	if err != nil {
		t.Fatal(err)
	}
	equal("message B", messageB, v.MessageB)
	keyA, confirmation, err := a.Finish(v.MessageB, v.ADA, v.ADB)
	if err != nil {
		t.Fatal(err)
	}
	equal("confirmation", confirmation, v.Confirmation)
	keyB, err := b.Finish(v.Confirmation)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []pake.Key{keyA, keyB} {
		equal("ISK", key.ISK(), v.ISK)
		derived := key.Derive(v.Info)
		equal("derived", derived[:], v.Derived)
	}
}

// TestPoints: the points of the draft that are refused, and those of RFC 9496, in
// place of a share of either side.
func TestPoints(t *testing.T) {
	v := readVectors(t)
	if len(v.Points) != 32 {
		t.Errorf("%d points", len(v.Points))
	}
	for _, p := range v.Points {
		product, ok := pake.Meet(v.Scalar, [32]byte(p.Point))
		if ok != (len(p.Product) > 0) || ok && !bytes.Equal(product[:], p.Product) {
			t.Errorf("%s: %x gives %x, %v", p.What, p.Point, product, ok)
		}
		if ok {
			continue
		}
		if _, _, err := pake.Respond(v.input(), p.Point, v.ADA, v.ADB); !errors.Is(err, pake.ErrMessage) {
			t.Errorf("%s as A's: %v", p.What, err)
		}
		a, _, err := pake.Start(v.input())
		if err != nil {
			t.Fatal(err)
		}
		message := append(bytes.Clone(p.Point), v.MessageB[32:]...)
		if _, confirmation, err := a.Finish(message, v.ADA, v.ADB); !errors.Is(err, pake.ErrMessage) || confirmation != nil {
			t.Errorf("%s as B's: %x, %v", p.What, confirmation, err)
		}
	}
}

// TestLengths: of the code, since the padding depends on it, and of what else has a
// length of two bytes.
func TestLengths(t *testing.T) {
	for _, c := range []struct{ code, pad int }{{1, 107}, {8, 100}, {107, 1}, {108, 0}, {127, 0}, {128, 0}, {pake.MaxCode, 0}} {
		in := pake.Input{Code: bytes.Repeat([]byte{7}, c.code), Channel: make([]byte, 300), Session: make([]byte, 16)}
		want := []byte("\x11CPaceRistretto255")
		if c.code < 128 {
			want = append(want, byte(c.code))
		} else {
			want = append(want, byte(c.code)|0x80, byte(c.code>>7))
		}
		want = append(append(want, in.Code...), byte(c.pad))
		want = append(append(want, make([]byte, c.pad)...), 0xac, 0x02)
		want = append(append(append(want, in.Channel...), 16), in.Session...)
		if got := pake.GeneratorString(in); !bytes.Equal(got, want) {
			t.Errorf("code of %d: %x, want %x", c.code, got, want)
		}
	}
}
