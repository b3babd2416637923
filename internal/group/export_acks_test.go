package group

import (
	"encoding/binary"
	"math"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// FewAckers and AckTravels are bounds of this package.
const (
	FewAckers  = maxFewAckers
	AckTravels = ackTravels
)

// SetFewAckers bounds the groups in which each says at once what has come, and to each.
func (m *Machine) SetFewAckers(n int) { m.fewAckers, m.prompt.most = n, 0 }

// Following is whom a machine follows.
func (m *Machine) Following() wire.DeviceID { return m.ackWay.device }

// AcksIn returns whose Acks a payload brings in bundles, by the beginnings of their ids.
func AcksIn(payload []byte) (list [][8]byte) {
	r := wire.NewReader(payload)
	kind := r.U8()
	if kind != frameAcks && kind != frameMarkedAcks {
		return nil
	}
	f, err := parseAcks(r, kind == frameMarkedAcks)
	if err != nil {
		return nil
	}
	for _, b := range f.bundles {
		for _, a := range b.acks {
			list = append(list, a.device)
		}
	}
	return list
}

// BundleOf is a payload of Acks that say the same.
func BundleOf(acks ...*dag.Ack) []byte {
	b := ackBundle{heads: acks[0].Heads, stops: acks[0].Stops}
	for _, a := range acks {
		b.acks = append(b.acks, bundledAck{[8]byte(a.Device[:8]), a.Seq, a.Read, a.Signature})
	}
	marked := slices.ContainsFunc(acks, func(a *dag.Ack) bool { return a.Read != nil })
	return acksFrame{marked: marked, bundles: []ackBundle{b}}.bytes()
}

// PlayedAcks is what devices sign of so many entries.
type PlayedAcks struct {
	Acks, MostInSecond int
	Least              uint64 // ms between two of one device
	Late               uint64 // ms after the last entry until all say that they have it
	Length             uint64 // ms
}

// PlayAcks has entries of one size come to devices, every so often, and each sign an
// Ack when it may; up to few of them at once.
func PlayAcks(devices, few int, every uint64, size, entries int) (out PlayedAcks) {
	out.Least = math.MaxUint64
	seconds := make(map[uint64]int)
	end := every * uint64(entries)
	for i := range devices {
		d := wire.DeviceID(wire.Hash(wire.HashDigest, binary.BigEndian.AppendUint64(nil, uint64(i))))
		var p pace
		var seq uint64
		chance := ackChance(d, 0)
		until := func(now uint64) {
			for p.since != 0 {
				at := p.since + ackEvery
				if devices > few {
					at = p.due(uint64(devices), ackTravels, chance)
				}
				if at > now {
					return
				}
				if p.last != 0 {
					out.Least = min(out.Least, at-p.last)
				}
				out.Acks++
				seconds[at/1000]++
				out.Length = max(out.Length, at)
				out.MostInSecond = max(out.MostInSecond, seconds[at/1000])
				if at > end {
					out.Late = max(out.Late, at-end)
				}
				p = pace{last: at}
				seq++
				chance = ackChance(d, seq)
			}
		}
		for k := range entries {
			now := every * uint64(k+1)
			until(now)
			if p.bytes += uint64(size); p.since == 0 {
				p.since = now
			}
		}
		until(math.MaxUint64 >> 1)
	}
	return out
}

// PassedOn is a payload of Acks to be passed on to a device.
func PassedOn(to wire.DeviceID, acks ...*dag.Ack) []byte {
	f := passOnFrame{to: [][8]byte{[8]byte(to[:8])}}
	for _, a := range acks {
		f.acks.add(a)
	}
	return f.bytes()
}
