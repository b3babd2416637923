package chain_test

import (
	"bytes"
	"errors"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// carriedOver is a group in which only what a Carry cites decides the head:
//
//	G -> D -> K | G -> C     D: dan's, K: ann carries over that ben
//	                         removed cat in L; C: cat's, who is senior to dan
//
// L itself is not held.
func carriedOver(t *testing.T) (d *divided, held []wire.BlockHash) {
	d = divide(t)
	d.on("G", "D", "dan", nil, &chain.Rekey{})
	d.on("G", "L", "ben", nil, d.removal("G", "cat"))
	papers := [][]byte{d.branch("L")}
	d.on("D", "K", "ann", papers, &chain.Carry{
		Block: d.at["L"], Person: d.person("cat").id, Instance: d.in("D", "cat"), Cites: []wire.Digest{chain.Cite(papers[0])},
	})
	d.on("G", "C", "cat", nil, &chain.Rekey{})
	for _, hash := range d.blocks.All() {
		if hash != d.at["L"] {
			held = append(held, hash)
		}
	}
	return d, held
}

// lights takes blocks without their commits.
func lights(t *testing.T, of *chain.Blocks, list []wire.BlockHash) *chain.Blocks {
	t.Helper()
	b := chain.NewBlocks()
	for _, hash := range list {
		h, body := of.Header(hash), of.Body(hash).Light()
		s, err := b.CheckLight(h, body.Attachments)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(h, body, s); err != nil {
			t.Fatal(err)
		}
		if !b.IsLight(hash) || of.IsLight(hash) {
			t.Error("a light block is one without its commit")
		}
	}
	return b
}

// TestLightHead (I17): light blocks pick the head that whole ones pick, though a
// Carry decides it, whose author stands in what it cites; headers alone do not. The
// record and what it says of people are the same.
func TestLightHead(t *testing.T) {
	d, held := carriedOver(t)
	full := chain.NewBlocks()
	var headers []*chain.Header
	for _, hash := range held {
		h, body := d.blocks.Header(hash), d.blocks.Body(hash)
		s, err := full.Check(h, body)
		if err != nil {
			t.Fatal(err)
		}
		if err := full.Add(h, body, s); err != nil {
			t.Fatal(err)
		}
		headers = append(headers, h)
	}
	light := lights(t, full, held)
	if full.Head() != d.at["K"] || light.Head() != full.Head() {
		t.Errorf("whole blocks pick %x, light ones %x", full.Head(), light.Head())
	}
	alone, err := chain.HeadersOnly(headers)
	if err != nil {
		t.Fatal(err)
	}
	if alone.Head() != d.at["C"] {
		t.Error("the picture does not need the Carry")
	}
	if !light.Lights() || full.Lights() {
		t.Error("who holds light blocks does not say so")
	}
	if !bytes.Equal(chain.NewRecord(light).Marshal(), chain.NewRecord(full).Marshal()) {
		t.Error("light blocks make another record")
	}
}

// TestLightBreaches: what a light block cites is checked like that of a whole one.
func TestLightBreaches(t *testing.T) {
	d, held := carriedOver(t)
	b := lights(t, d.blocks, held[:1])
	h := d.blocks.Header(d.at["C"])
	forged := *h
	forged.Signature[0]++
	for what, c := range map[string]struct {
		h      *chain.Header
		papers [][]byte
		reason chain.Reason
	}{
		"signature": {&forged, nil, chain.ReasonSignature},
		"left over": {h, [][]byte{{1}}, chain.ReasonAttachment},
	} {
		var r *chain.RejectError
		if _, err := b.CheckLight(c.h, c.papers); !errors.As(err, &r) || r.Reason != c.reason {
			t.Errorf("%s: %v", what, err)
		}
	}
	var missing *chain.MissingError
	if _, err := b.CheckLight(d.blocks.Header(d.at["K"]), nil); !errors.As(err, &missing) {
		t.Errorf("without its parent: %v", err)
	}
	b = lights(t, d.blocks, []wire.BlockHash{d.at["G"], d.at["D"]})
	var r *chain.RejectError
	if _, err := b.CheckLight(d.blocks.Header(d.at["K"]), nil); !errors.As(err, &r) || r.Reason != chain.ReasonAttachment {
		t.Errorf("a Carry without what it cites: %v", err)
	}
	genesis := d.blocks.Header(d.at["G"])
	if _, err := chain.NewBlocks().CheckLight(genesis, d.blocks.Body(d.at["G"]).Attachments[1:]); err == nil {
		t.Error("a genesis without the proof of its creator")
	}
}
