package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"kith/internal/wire"
)

var update = flag.Bool("update", false, "write docs/spec/vectors/signature.json anew")

const vectorFile = "../../docs/spec/vectors/signature.json"

type signatureVectors struct {
	Comment    string            `json:"comment"`
	Signatures []signatureVector `json:"signatures"`
}

// A signatureVector is over the message as it is, without a label.
type signatureVector struct {
	What      string `json:"what"`
	Key       string `json:"key"`
	Message   string `json:"message"`
	Signature string `json:"signature"`
	Holds     bool   `json:"holds"`
}

// makeSignatures are those about which rules differ, and some about which none does.
func makeSignatures() signatureVectors {
	v := signatureVectors{Comment: "Bytes in hex. docs/spec/wire.md, Signatures"}
	message := []byte("Zcash")
	add := func(what string, key, sig []byte, holds bool) {
		v.Signatures = append(v.Signatures, signatureVector{what, hex.EncodeToString(key), hex.EncodeToString(message), hex.EncodeToString(sig), holds})
	}
	for _, a := range smallOrder {
		for _, r := range smallOrder {
			add("key "+a.name+"; R "+r.name, unhex(a.hex), append(unhex(r.hex), make([]byte, 32)...), true)
		}
	}
	one := append(unhex(smallOrder[0].hex), make([]byte, 32)...)
	one[32] = 1
	add("small order, S one", unhex(smallOrder[0].hex), one, false)
	none := unhex("02" + strings.Repeat("00", 31))
	add("a key that is no point", none, append(unhex(smallOrder[0].hex), make([]byte, 32)...), false)
	add("an R that is no point", unhex(smallOrder[0].hex), append(bytes.Clone(none), make([]byte, 32)...), false)
	add("S of the group order", unhex(smallOrder[0].hex), append(unhex(smallOrder[0].hex), order...), false)

	content := []byte("content")
	message = wire.SignContent(wire.SignBlock, content)
	sig := wire.Sign(key("ann"), wire.SignBlock, content)
	add("an ordinary one, label block", public(key("ann")), sig, true)
	add("with S plus the group order", public(key("ann")), plusOrder(sig), false)
	message = append(bytes.Clone(message), 0)
	add("over a byte more", public(key("ann")), sig, false)
	return v
}

// TestVectors: the file is as made, and what it says holds.
func TestVectors(t *testing.T) {
	want, err := json.MarshalIndent(makeSignatures(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(vectorFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, want) {
		t.Error("the file has other bytes; if the rule changed on purpose, run with -update")
	}
	var v signatureVectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Signatures {
		if got := wire.VerifyRaw(unhex(c.Key), unhex(c.Message), unhex(c.Signature)); got != c.Holds {
			t.Errorf("%s: %v", c.What, got)
		}
	}
}
