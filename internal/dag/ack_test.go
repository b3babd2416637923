package dag_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

func sampleAck() *dag.Ack {
	return &dag.Ack{
		Version: 1, SigAlg: 1, Seq: 3,
		Group: wire.GroupID(fill(0x10, 32)), Device: wire.DeviceID(fill(0x11, 32)), Frontier: wire.Digest(fill(0x12, 32)),
		Delivered: []dag.Delivered{{wire.DeviceID(fill(0x20, 32)), 5}, {wire.DeviceID(fill(0x21, 32)), 6}},
		Read:      &dag.Place{Order: 9, Device: wire.DeviceID(fill(0x20, 32)), Seq: 4},
		Signature: [64]byte(fill(0x17, 64)),
	}
}

func sampleReach() *dag.Reach {
	return &dag.Reach{
		Version: 1, SigAlg: 1, Seq: 3,
		Group: wire.GroupID(fill(0x10, 32)), Device: wire.DeviceID(fill(0x11, 32)),
		Peer: []byte{0xaa, 0xbb}, Hosts: []string{"/ip4/1.2.3.4/tcp/5", "/x"}, Expiry: 0x0102,
		Signature: [64]byte(fill(0x17, 64)),
	}
}

func TestAckBytes(t *testing.T) {
	want := unhex(t, "0101"+strings.Repeat("10", 32)+strings.Repeat("11", 32)+"0000000000000003"+strings.Repeat("12", 32)+
		"4050"+strings.Repeat("20", 32)+"0000000000000005"+strings.Repeat("21", 32)+"0000000000000006"+
		"30"+"0000000000000009"+strings.Repeat("20", 32)+"0000000000000004"+
		strings.Repeat("17", 64))
	a := sampleAck()
	if got := a.Marshal(); !bytes.Equal(got, want) {
		t.Fatalf("got\n%x\nwant\n%x", got, want)
	}
	back, err := dag.ParseAck(want)
	if err != nil || !bytes.Equal(back.Marshal(), want) || *back.Read != *a.Read {
		t.Errorf("came back as %+v, %v", back, err)
	}
	a.Read, a.Delivered = nil, nil
	back, err = dag.ParseAck(a.Marshal())
	if err != nil || back.Read != nil || len(back.Delivered) != 0 {
		t.Errorf("came back as %+v, %v", back, err)
	}
}

func sampleAckByHeads() *dag.Ack {
	a := sampleAck()
	a.Version, a.Frontier, a.Delivered = dag.AckByHeads, wire.Digest{}, nil
	a.Heads = []dag.Ref{
		{Device: wire.DeviceID(fill(0x20, 32)), Seq: 5, Hash: wire.Short(fill(0x30, 16))},
		{Device: wire.DeviceID(fill(0x20, 32)), Seq: 5, Hash: wire.Short(fill(0x31, 16))},
	}
	a.Stops = []dag.Delivered{{wire.DeviceID(fill(0x21, 32)), 6}}
	return a
}

func TestAckByHeadsBytes(t *testing.T) {
	want := unhex(t, "0201"+strings.Repeat("10", 32)+strings.Repeat("11", 32)+"0000000000000003"+
		"4070"+strings.Repeat("20", 32)+"0000000000000005"+strings.Repeat("30", 16)+strings.Repeat("20", 32)+"0000000000000005"+strings.Repeat("31", 16)+
		"28"+strings.Repeat("21", 32)+"0000000000000006"+
		"30"+"0000000000000009"+strings.Repeat("20", 32)+"0000000000000004"+
		strings.Repeat("17", 64))
	a := sampleAckByHeads()
	if got := a.Marshal(); !bytes.Equal(got, want) {
		t.Fatalf("got\n%x\nwant\n%x", got, want)
	}
	back, err := dag.ParseAck(want)
	if err != nil || !bytes.Equal(back.Marshal(), want) || len(back.Heads) != 2 || len(back.Stops) != 1 {
		t.Errorf("came back as %+v, %v", back, err)
	}
	a.Read, a.Heads, a.Stops = nil, nil, nil
	back, err = dag.ParseAck(a.Marshal())
	if err != nil || back.Read != nil || len(back.Heads)+len(back.Stops) != 0 {
		t.Errorf("came back as %+v, %v", back, err)
	}
}

func TestAckByHeadsRefuses(t *testing.T) {
	many := func(n int) (refs []dag.Ref, stops []dag.Delivered) {
		for i := range n {
			var d wire.DeviceID
			binary.BigEndian.PutUint32(d[:], uint32(i))
			refs, stops = append(refs, dag.Ref{Device: d, Seq: 1}), append(stops, dag.Delivered{Device: d, Seq: 1})
		}
		return refs, stops
	}
	for name, change := range map[string]func(a *dag.Ack){
		"a head of seq 0":       func(a *dag.Ack) { a.Heads[0].Seq = 0 },
		"a head beyond lamport": func(a *dag.Ack) { a.Heads[1].Seq = dag.MaxLamport },
		"heads descending":      func(a *dag.Ack) { a.Heads[0].Hash[0] = 0xff },
		"a head twice":          func(a *dag.Ack) { a.Heads[1] = a.Heads[0] },
		"65 heads":              func(a *dag.Ack) { a.Heads, _ = many(dag.MaxAckHeads + 1) },
		"a stop of seq 0":       func(a *dag.Ack) { a.Stops[0].Seq = 0 },
		"a stop twice":          func(a *dag.Ack) { a.Stops = append(a.Stops, a.Stops[0]) },
		"65 stops":              func(a *dag.Ack) { _, a.Stops = many(dag.MaxAckStops + 1) },
	} {
		a := sampleAckByHeads()
		change(a)
		_, err := dag.ParseAck(a.Marshal())
		if err == nil {
			t.Errorf("%s passes", name)
			continue
		}
		wantReason(t, err, dag.ReasonForm)
	}
	a := sampleAckByHeads()
	a.Heads, a.Stops = many(dag.MaxAckHeads)
	if _, err := dag.ParseAck(a.Marshal()); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

func TestReachBytes(t *testing.T) {
	want := unhex(t, "0101"+strings.Repeat("10", 32)+strings.Repeat("11", 32)+"0000000000000003"+
		"02aabb"+"16"+"12"+"2f6970342f312e322e332e342f7463702f35"+"02"+"2f78"+
		"0000000000000102"+strings.Repeat("17", 64))
	r := sampleReach()
	if got := r.Marshal(); !bytes.Equal(got, want) {
		t.Fatalf("got\n%x\nwant\n%x", got, want)
	}
	back, err := dag.ParseReach(want)
	if err != nil || !bytes.Equal(back.Marshal(), want) {
		t.Errorf("came back as %+v, %v", back, err)
	}
}

func TestAckRefuses(t *testing.T) {
	for name, change := range map[string]func(a *dag.Ack){
		"seq zero":             func(a *dag.Ack) { a.Seq = 0 },
		"delivered of seq 0":   func(a *dag.Ack) { a.Delivered[0].Seq = 0 },
		"delivered descending": func(a *dag.Ack) { a.Delivered[0].Device[0] = 0xff },
		"delivered twice":      func(a *dag.Ack) { a.Delivered[1].Device = a.Delivered[0].Device },
		"read of seq 0":        func(a *dag.Ack) { a.Read.Seq = 0 },
		"algorithm":            func(a *dag.Ack) { a.SigAlg = 2 },
		"too many devices": func(a *dag.Ack) {
			a.Delivered = make([]dag.Delivered, dag.MaxDevices+1)
			for i := range a.Delivered {
				binary.BigEndian.PutUint32(a.Delivered[i].Device[:], uint32(i))
				a.Delivered[i].Seq = 1
			}
		},
	} {
		a := sampleAck()
		change(a)
		if _, err := dag.ParseAck(a.Marshal()); err == nil {
			t.Errorf("%s passes", name)
		} else {
			wantReason(t, err, dag.ReasonForm)
		}
	}
	a := sampleAck()
	a.Version = 3
	_, err := dag.ParseAck(a.Marshal())
	wantReason(t, err, dag.ReasonVersion)
}

func TestReachRefuses(t *testing.T) {
	for name, change := range map[string]func(r *dag.Reach){
		"seq zero":       func(r *dag.Reach) { r.Seq = 0 },
		"long peer":      func(r *dag.Reach) { r.Peer = fill(1, dag.MaxPeer+1) },
		"nine hosts":     func(r *dag.Reach) { r.Hosts = strings.Split("/a/b/c/d/e/f/g/h", "/")[0:]; r.Hosts[0] = "x" },
		"empty host":     func(r *dag.Reach) { r.Hosts[0] = "" },
		"long host":      func(r *dag.Reach) { r.Hosts[0] = strings.Repeat("x", dag.MaxHost+1) },
		"host with text": func(r *dag.Reach) { r.Hosts[0] = "/ip4/1 2" },
		"host not ASCII": func(r *dag.Reach) { r.Hosts[0] = "/dns/ü" },
		"host with NUL":  func(r *dag.Reach) { r.Hosts[0] = "/dns/\x00" },
	} {
		r := sampleReach()
		change(r)
		_, err := dag.ParseReach(r.Marshal())
		if err == nil {
			t.Errorf("%s passes", name)
		}
	}
	r := sampleReach()
	r.Hosts = strings.Split(strings.Repeat("x ", dag.MaxHosts-1)+"x", " ")
	r.Hosts[0] = strings.Repeat("x", dag.MaxHost)
	r.Peer = fill(1, dag.MaxPeer)
	if _, err := dag.ParseReach(r.Marshal()); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

func TestStatementsAreSigned(t *testing.T) {
	w := newWriter("ann")
	a, r := sampleAck(), sampleReach()
	a.Device, r.Device = w.id, w.id
	a.Sign(w.sign)
	r.Sign(w.sign)
	if !a.Verify(publicKey(w)) || !r.Verify(publicKey(w)) {
		t.Fatal("own signature does not verify")
	}
	if a.Verify(publicKey(newWriter("ben"))) || r.Verify(publicKey(newWriter("ben"))) {
		t.Error("another key verifies")
	}
	for i := range a.Marshal() {
		b := a.Marshal()
		b[i] ^= 1
		if c, err := dag.ParseAck(b); err == nil && c.Verify(publicKey(w)) {
			t.Fatalf("Ack: a change of byte %d passes", i)
		}
	}
	for i := range r.Marshal() {
		b := r.Marshal()
		b[i] ^= 1
		if c, err := dag.ParseReach(b); err == nil && c.Verify(publicKey(w)) {
			t.Fatalf("Reach: a change of byte %d passes", i)
		}
	}
}

func TestNewer(t *testing.T) {
	old, fresh := sampleAck(), sampleAck()
	fresh.Seq++
	if !dag.Newer(fresh, old) || dag.Newer(old, fresh) || dag.Newer(old, sampleAck()) {
		t.Error("Newer by number")
	}
	other := sampleAck()
	other.Signature[0]++
	if !dag.Newer(other, old) || dag.Newer(old, other) {
		t.Error("Newer of one number")
	}
	r, s := sampleReach(), sampleReach()
	s.Seq++
	if !dag.Newer(s, r) || dag.Newer(r, s) {
		t.Error("Newer of Reach")
	}
}
