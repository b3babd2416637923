package dag_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

var update = flag.Bool("update", false, "write docs/spec/vectors/entry.json anew")

const vectorFile = "../../docs/spec/vectors/entry.json"

// The file is for other implementations too; bytes are hex.
type vectors struct {
	Comment    string           `json:"comment"`
	Start      uint64           `json:"start"` // created_at of genesis
	Headers    []headerVector   `json:"headers"`
	Refused    []refusedVector  `json:"refused"`
	Frontier   hashedVector     `json:"frontier"`
	Floor      hashedVector     `json:"floor"`
	Ack        string           `json:"ack"`
	AckByHeads string           `json:"ack_by_heads"`
	Reach      string           `json:"reach"`
	Content    contentVector    `json:"content"`
	Ciphertext hashedVector     `json:"ciphertext"`
	Padded     map[string]int   `json:"padded"` // plaintext length to padded length
	Positions  []positionVector `json:"positions"`
	Display    []string         `json:"display"` // refs of headers, in display order
}

type headerVector struct {
	What  string `json:"what"`
	Bytes string `json:"bytes"`
	Key   string `json:"key"`
	AAD   string `json:"aad"`
	Hash  string `json:"hash"`
}

type refusedVector struct {
	What   string `json:"what"`
	Bytes  string `json:"bytes"`
	Reason string `json:"reason"` // of a graph that holds all headers above
}

type hashedVector struct {
	Bytes string `json:"bytes"`
	Hash  string `json:"hash"`
}

type contentVector struct {
	Group   string `json:"group"`
	Device  string `json:"device"`
	ID      string `json:"content_id"`
	Salt    string `json:"salt"`
	Content string `json:"content"`
	Commit  string `json:"commit"`
}

// positionVector is what the next entry of a device must say at a clock.
type positionVector struct {
	Device  string   `json:"device"`
	Now     uint64   `json:"now"`
	Seq     uint64   `json:"seq"`
	Prev    string   `json:"prev"`
	Parents []string `json:"parents"`
	Lamport uint64   `json:"lamport"`
	Order   uint64   `json:"order"`
}

func refHex(r dag.Ref) string { return fmt.Sprintf("%x %d %x", r.Device, r.Seq, r.Hash) }

// story returns two writers after a short exchange, and their headers in order.
func story(t *testing.T) (a, b *writer, headers []*dag.Header) {
	a, b = newWriter("ann"), newWriter("ben")
	say := func(w, to *writer, now uint64) {
		h := w.draft(now)
		h.Group = wire.GroupID(fill(0x10, 32))
		h.Block = wire.BlockHash(fill(0x13, 32))
		h.ContentID = wire.ContentID(fill(byte(len(headers)+1), 16))
		h.Length = 300
		h.Sign(w.sign)
		w.take(t, h)
		if to != nil {
			to.take(t, h)
		}
		headers = append(headers, h)
	}
	say(a, b, genesis+10)
	say(b, a, genesis+5)                 // a clock behind
	say(a, nil, genesis+1_000)           // these two are concurrent
	say(b, nil, genesis+100_000_000_000) // a clock ahead
	a.take(t, headers[3])
	b.take(t, headers[2])
	say(a, b, genesis+2_000)
	return a, b, headers
}

func makeVectors(t *testing.T) vectors {
	a, b, headers := story(t)
	v := vectors{
		Comment: "Bytes in hex; refs are device, seq, cut hash. Keys are Ed25519 seeds SHA-256(\"ann\"), SHA-256(\"ben\"). docs/spec/entry.md, docs/spec/ack.md",
		Start:   genesis,
		Padded:  make(map[string]int),
	}
	for i, h := range headers {
		w := a
		if h.Device == b.id {
			w = b
		}
		aad := h.AAD()
		v.Headers = append(v.Headers, headerVector{
			What:  fmt.Sprintf("entry %d: lamport %d, order start + %d", i+1, h.Lamport, h.Order-genesis),
			Bytes: hex.EncodeToString(h.Bytes()), Key: hex.EncodeToString(publicKey(w)),
			AAD: hex.EncodeToString(aad[:]), Hash: h.Hash().String(),
		})
	}
	v.Refused = refusedVectors(t, b)
	f := b.graph.Frontier()
	v.Frontier = hashedVector{hex.EncodeToString(f.Marshal()), f.Digest().String()}
	floor := floorOf(a)
	v.Floor = hashedVector{hex.EncodeToString(floor.Marshal()), floor.Hash().String()}
	ack, reach := sampleAck(), sampleReach()
	ack.Device, reach.Device = a.id, a.id
	ack.Sign(a.sign)
	byHeads := sampleAckByHeads()
	byHeads.Device = a.id
	byHeads.Sign(a.sign)
	v.AckByHeads = hex.EncodeToString(byHeads.Marshal())
	reach.Sign(a.sign)
	v.Ack, v.Reach = hex.EncodeToString(ack.Marshal()), hex.EncodeToString(reach.Marshal())
	group, id, salt := wire.GroupID(fill(0x10, 32)), wire.ContentID(fill(0x14, 16)), [32]byte(fill(0x18, 32))
	v.Content = contentVector{
		group.String(), a.id.String(), id.String(), hex.EncodeToString(salt[:]), hex.EncodeToString([]byte("hello")),
		dag.ContentCommit(group, a.id, id, salt, []byte("hello")).String(),
	}
	v.Ciphertext = hashedVector{hex.EncodeToString([]byte("ciphertext")), dag.CiphertextHash([]byte("ciphertext")).String()}
	for _, n := range []int{0, 256, 257, 1000, 1025, 9000, 65568} {
		v.Padded[fmt.Sprint(n)] = dag.PaddedSize(n)
	}
	for _, now := range []uint64{0, genesis + 1_000_000_000_000} {
		p := b.graph.Next(b.id, now)
		pv := positionVector{Device: b.id.String(), Now: now, Seq: p.Seq, Prev: p.Prev.String(), Lamport: p.Lamport, Order: p.Order}
		for _, r := range p.Parents {
			pv.Parents = append(pv.Parents, refHex(r))
		}
		v.Positions = append(v.Positions, pv)
	}
	slices.SortFunc(headers, func(x, y *dag.Header) int {
		if dag.Less(x.Place(), y.Place()) {
			return -1
		}
		return 1
	})
	for _, h := range headers {
		v.Display = append(v.Display, refHex(h.Ref()))
	}
	return v
}

func refusedVectors(t *testing.T, b *writer) (out []refusedVector) {
	good := b.draft(0)
	for _, c := range []struct {
		what   string
		change func(h *dag.Header)
		reason dag.Reason
	}{
		{"lamport one too high", func(h *dag.Header) { h.Lamport++ }, dag.ReasonLamport},
		{"lamport one too low", func(h *dag.Header) { h.Lamport-- }, dag.ReasonLamport},
		{"order not above its parents", func(h *dag.Header) { h.Order-- }, dag.ReasonOrder},
		{"order too far beyond its parents", func(h *dag.Header) { h.Order += dag.MaxDrift }, dag.ReasonOrder},
		{"gap in its own log", func(h *dag.Header) { h.Seq++ }, dag.ReasonGap},
		{"its own device as a parent", func(h *dag.Header) { h.Parents[0].Device = h.Device }, dag.ReasonForm},
		{"no prev", func(h *dag.Header) { h.Prev = wire.EntryHash{} }, dag.ReasonForm},
		{"version 2", func(h *dag.Header) { h.Version = 2 }, dag.ReasonVersion},
		{"sigalg 2", func(h *dag.Header) { h.SigAlg = 2 }, dag.ReasonForm},
	} {
		h := b.resign(good, c.change)
		_, err := b.graph.Check(h)
		wantReason(t, err, c.reason)
		out = append(out, refusedVector{c.what, hex.EncodeToString(h.Bytes()), string(c.reason)})
	}
	return out
}

func TestVectors(t *testing.T) {
	made, err := json.MarshalIndent(makeVectors(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	made = append(made, '\n')
	if *update {
		if err := os.WriteFile(vectorFile, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, made) {
		t.Error("docs/spec/vectors/entry.json differs; if the format was to change: go test -run TestVectors -update")
	}
}

// TestVectorsAreRead plays the file as another implementation would.
func TestVectorsAreRead(t *testing.T) {
	kept, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(kept, &v); err != nil {
		t.Fatal(err)
	}
	g := dag.NewGraph(v.Start)
	for _, hv := range v.Headers {
		h, err := dag.ParseHeader(unhex(t, hv.Bytes))
		if err != nil || h.Hash().String() != hv.Hash || h.AAD().String() != hv.AAD || !h.VerifySignature(unhex(t, hv.Key)) {
			t.Fatalf("%s: %v", hv.What, err)
		}
		if added, err := g.Add(h); err != nil || len(added) != 1 {
			t.Fatalf("%s: %v %v", hv.What, added, err)
		}
	}
	if g.FrontierDigest().String() != v.Frontier.Hash {
		t.Error("frontier")
	}
	for _, rv := range v.Refused {
		h, err := dag.ParseHeader(unhex(t, rv.Bytes))
		if err == nil {
			_, err = g.Check(h)
		}
		wantReason(t, err, dag.Reason(rv.Reason))
	}
	if f, err := dag.ParseFloor(unhex(t, v.Floor.Bytes)); err != nil || f.Hash().String() != v.Floor.Hash {
		t.Errorf("floor: %v", err)
	}
}
