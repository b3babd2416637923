//go:build linux

package store_test

import (
	"bytes"
	"crypto/ed25519"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/store"
	"kith/internal/wire"
)

// BenchmarkIngestBeside takes in frames as a node does, and has a second database store the same
// records and rows, frame by frame and in turns. The time is that of the processor in the goroutine that
// does it all but what whoever reads from the peer does beside it: decoding headers and checking their
// signatures. "rate" is how many percent of the bare database's rate are left, decryption apart, and
// "rate-alone" the same where one goroutine does that too.
func BenchmarkIngestBeside(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var open, check, step, commit, bare []float64
	for b.Loop() {
		b.StopTimer()
		all := speakers(b, ingestMembers)
		reader := all[ingestMembers-1]
		keys := make(map[wire.DeviceID]ed25519.PublicKey)
		for _, s := range all {
			keys[s.self.Device.ID()] = s.self.Device.PublicKey()
		}
		from := all[0].self.Member()
		reader.step(b, group.PeerUp{Peer: from})
		payloads := write(b, all[:ingestAuthors], *entries)
		first, second := openBench(b), openBench(b)
		epoch, ratchets := reader.keys(b)
		b.StartTimer()
		var o, c, s, f, g time.Duration
		for i, p := range payloads {
			headers, ciphertexts := unpack(b, p)
			at := threadTime(b)
			decrypt(b, epoch, ratchets, headers, ciphertexts)
			o += lap(b, &at)
			checked := group.CheckEntries(p, func(d wire.DeviceID) ed25519.PublicKey { return keys[d] })
			c += lap(b, &at)
			eff, err := reader.machine.Step(group.Input{
				Now: ingestStart + uint64(i)*100, Cause: group.Received{From: from, Payload: p, Checked: checked},
			})
			must(b, err)
			reader.keep(eff)
			s += lap(b, &at)
			batch := []store.Batch{{Group: wire.GroupID{1}, Records: eff.Write, Rows: eff.Rows, Checked: eff.Checked}}
			into := []*time.Duration{&f, &g}
			dbs := []*store.DB{first, second}
			if i%2 == 1 {
				slices.Reverse(into)
				slices.Reverse(dbs)
			}
			for j, db := range dbs {
				must(b, db.CommitMany(batch))
				*into[j] += lap(b, &at)
			}
		}
		n := float64(*entries)
		for list, took := range map[*[]float64]time.Duration{&open: o, &check: c, &step: s, &commit: f, &bare: g} {
			*list = append(*list, float64(took.Nanoseconds())/1000/n)
		}
	}
	us := func(list []float64) float64 {
		slices.Sort(list)
		return list[len(list)/2]
	}
	rest := us(step) - us(open) + us(commit)
	for name, v := range map[string]float64{
		"us-decrypt": us(open), "us-check": us(check), "us-step": us(step), "us-commit": us(commit), "us-bare": us(bare),
		"%rate": 100 * us(bare) / rest, "%rate-alone": 100 * us(bare) / (rest + us(check)),
		"entries/cpu-s": 1e6 / (us(check) + us(step) + us(commit)),
	} {
		b.ReportMetric(v, name)
	}
}

// lap returns the processor time since at, which it sets to now.
func lap(b *testing.B, at *time.Duration) time.Duration {
	now := threadTime(b)
	took := now - *at
	*at = now
	return took
}

// threadTime is the processor time of this thread. What the collector does in others is not in it.
func threadTime(b *testing.B) time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	must(b, syscall.Getrusage(thread, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// keys are what the machine decrypts with, made of its records.
func (s *speaker) keys(b *testing.B) (*mls.Epoch, *mls.Ratchets) {
	head := s.machine.Head()
	public, err := mls.ParsePublicGroup(s.records[group.KindPublic][string(head[:])])
	must(b, err)
	e, err := mls.ParseEpoch(s.records[group.KindEpoch][string(head[:])][8:], public)
	must(b, err)
	var list []mls.Change
	for key, value := range s.records[group.KindRatchet] {
		if key[:32] == string(head[:]) {
			list = append(list, mls.Change{Key: []byte(key[32:]), Value: value})
		}
	}
	slices.SortFunc(list, func(a, b mls.Change) int { return slices.Compare(a.Key, b.Key) })
	r, err := mls.LoadRatchets(public.Suite(), list)
	must(b, err)
	return e, r
}

// decrypt does with entries what a machine does to read them: see Machine.open.
func decrypt(b *testing.B, e *mls.Epoch, ratchets *mls.Ratchets, headers []*dag.Header, ciphertexts [][]byte) {
	for i, h := range headers {
		_, aad, err := e.Peek(ciphertexts[i])
		if want := h.AAD(); err != nil || !bytes.Equal(aad, want[:]) {
			b.Fatal(err)
		}
		plain, _, err := e.Decrypt(ratchets, ciphertexts[i])
		if err != nil || dag.ContentCommit(h.Group, h.Device, h.ContentID, [32]byte(plain), plain[32:]) != h.ContentCommit {
			b.Fatal(err)
		}
	}
}

func unpack(b *testing.B, payload []byte) (headers []*dag.Header, ciphertexts [][]byte) {
	r := wire.NewReader(payload[1:])
	r.Each(wire.MaxVector, 1<<20, func(r *wire.Reader) {
		h, err := dag.ParseHeader(r.Vec(wire.MaxVector))
		must(b, err)
		headers, ciphertexts = append(headers, h), append(ciphertexts, r.Vec(wire.MaxVector))
	})
	return headers, ciphertexts
}
