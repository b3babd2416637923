package rendezvous

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"kith/internal/wire"
)

var update = flag.Bool("update", false, "write docs/spec/vectors/rendezvous.json anew")

const vectorFile = "../../docs/spec/vectors/rendezvous.json"

type vectors struct {
	Comment string         `json:"comment"`
	Records []recordVector `json:"records"`
}

type recordVector struct {
	Secret string        `json:"secret"`
	Made   uint64        `json:"made"`
	Slot   uint64        `json:"slot"`
	Slots  []Slot        `json:"slots"`
	Record string        `json:"record"`
	Places []placeVector `json:"places"`
}

type placeVector struct {
	Key    string `json:"key"`
	Target string `json:"target"`
	Seq    int64  `json:"seq"`
	Box    string `json:"box"`
	Sig    string `json:"sig"`
}

// testRecord is signed by a device whose seed is 32 times the digit 1.
func testRecord(s Secret) Record {
	key := ed25519.NewKeyFromSeed([]byte("11111111111111111111111111111111"))
	r := Record{Key: key.Public().(ed25519.PublicKey), Made: 1_800_000_000_000, Expiry: 1_800_007_200_000, Peer: []byte("peer"), Hosts: []string{"/ip4/203.0.113.7/udp/41641/quic-v1"}}
	r.Sign(s, func(l wire.Label, b []byte) []byte { return wire.Sign(key, l, b) })
	return r
}

// TestVectors: the vectors' boxes open to their records, and all that is not random is
// made the same again.
func TestVectors(t *testing.T) {
	var v vectors
	if *update {
		v.Comment = "Bytes in hex, times in ms. docs/spec/rendezvous.md"
		for i := range byte(3) {
			s := Secret{i, 31: 1}
			r := testRecord(s)
			one := recordVector{Secret: hex.EncodeToString(s[:]), Made: r.Made, Slot: uint64(s.Slot(r.Made)), Slots: s.Slots(r.Made), Record: hex.EncodeToString(r.Marshal())}
			for n := range Places {
				p := s.place(s.Slot(r.Made), n)
				box, target := p.seal(&r), p.target()
				one.Places = append(one.Places, placeVector{hex.EncodeToString(p.public()), hex.EncodeToString(target[:]), p.seq(r.Made), hex.EncodeToString(box), hex.EncodeToString(p.sign(p.seq(r.Made), addText(nil, box)))})
			}
			v.Records = append(v.Records, one)
		}
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	v = vectors{}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for i, one := range v.Records {
		s := Secret(unhex(one.Secret))
		slots := s.Slots(one.Made)
		if uint64(s.Slot(one.Made)) != one.Slot || len(slots) != len(one.Slots) || slots[0] != one.Slots[0] || len(one.Places) != Places {
			t.Errorf("record %d: slot %d, asked for %v", i, s.Slot(one.Made), slots)
		}
		want, err := ParseRecord(unhex(one.Record))
		if err != nil || !want.Verify(s) {
			t.Errorf("record %d: %v", i, err)
		}
		for n, x := range one.Places {
			p := s.place(Slot(one.Slot), n)
			target, box := p.target(), unhex(x.Box)
			if hex.EncodeToString(p.public()) != x.Key || hex.EncodeToString(target[:]) != x.Target || p.seq(one.Made) != x.Seq {
				t.Errorf("record %d, place %d: key, target or seq differ", i, n)
			}
			if got, err := p.open(s, x.Seq, box); err != nil || hex.EncodeToString(got.Marshal()) != one.Record {
				t.Errorf("record %d, place %d: %v", i, n, err)
			}
			if !p.verify(x.Seq, addText(nil, box), unhex(x.Sig)) {
				t.Errorf("record %d, place %d: the signature does not hold", i, n)
			}
		}
	}
	if len(v.Records) < 3 {
		t.Errorf("%d records", len(v.Records))
	}
}
