package peer_test

import (
	"encoding/binary"
	"maps"
	"slices"

	"kith/internal/peer"
	"kith/internal/wire"
)

// What the nodes of a treeWorld do: publish, come and go, and lie.

// bare has a hostile node give the header of a payload alone.
func (w *treeWorld) bare(i, to int, p *treePost) {
	header := p.frame[:34]
	w.carry(i, to, len(header), false, func(to int) {
		w.step(to, peer.Heard{From: w.ids[i], Frame: header})
	})
}

func (w *treeWorld) copied(p *treePost) {
	if p.counts {
		p.copies++
	}
}

// publish has a node publish a payload; counts says whether it is measured.
func (w *treeWorld) publish(i int, counts bool) *treePost {
	var id peer.PayloadID
	binary.BigEndian.PutUint32(id[:], uint32(len(w.sent)))
	binary.BigEndian.PutUint64(id[24:], w.random.Uint64())
	frame := append([]byte{3}, id[:]...)
	p := &treePost{at: w.now, by: i, counts: counts, got: map[int]int64{i: w.now}, frame: append(frame, make([]byte, w.cfg.size)...)}
	w.sent = append(w.sent, p)
	if w.cfg.flood {
		w.flood(i, p)
	} else {
		w.step(i, peer.Publish{ID: id, Size: w.cfg.size})
	}
	return p
}

func (w *treeWorld) deliver(i int, d peer.Delivery) {
	p := w.sent[binary.BigEndian.Uint32(d.ID[:])]
	if len(d.Payload) < w.cfg.size {
		w.step(i, peer.Checked{ID: d.ID, Verdict: peer.VerdictBare})
		return
	}
	if i < w.hostile && w.bares {
		for _, to := range slices.Sorted(maps.Keys(w.nodes[i].links)) {
			w.bare(i, to, p)
		}
	}
	if at, twice := p.got[i]; twice && at >= w.nodes[i].since {
		w.t.Errorf("a payload was delivered twice")
	}
	p.got[i] = w.now
	w.step(i, peer.Checked{ID: d.ID, Verdict: peer.VerdictHeld})
}

// flood is the epidemic that a tree is measured beside: everybody passes a payload
// on to all neighbours but the one it came from.
func (w *treeWorld) flood(i int, p *treePost) {
	for _, d := range sortedNeighbours(w.nodes[i].tree) {
		if w.index(d) == i {
			continue
		}
		w.carry(i, w.index(d), len(p.frame), true, func(to int) {
			w.copied(p)
			if _, here := p.got[to]; !here {
				p.got[to] = w.now
				w.flood(to, p)
			}
		})
	}
}

func sortedNeighbours(t *peer.Tree) []wire.DeviceID {
	var list []wire.DeviceID
	for d := range t.Neighbours() {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b wire.DeviceID) int { return slices.Compare(a[:], b[:]) })
	return list
}

// someone draws a node that is online.
func (w *treeWorld) someone() int {
	for {
		if i := w.random.IntN(len(w.nodes)); w.nodes[i].online {
			return i
		}
	}
}

// churns has 1 % go and as many come, now and each 6 s: half of those that go say
// nothing.
func (w *treeWorld) churns() {
	for k := range max(w.cfg.nodes/100, 1) {
		w.goes(w.someone(), k%2 == 0)
		for {
			if i := w.random.IntN(len(w.nodes)); !w.nodes[i].online {
				w.come(i)
				break
			}
		}
	}
	w.after(6_000_000, w.churns)
}

// fail has a share of all fall silent at once.
func (w *treeWorld) fail(share float64) {
	for range int(share * float64(w.cfg.nodes)) {
		w.goes(w.someone(), true)
	}
}

// honest draws a node that is.
func (w *treeWorld) honest() int {
	return w.hostile + w.random.IntN(len(w.nodes)-w.hostile)
}

// gang is a shuffle that names hostile nodes alone.
func (w *treeWorld) gang(answer byte) []byte {
	b := []byte{2, answer, 0x40, 6 * 32}
	first := w.random.IntN(w.hostile - 6)
	for _, d := range w.ids[first : first+6] {
		b = append(b, d[:]...)
	}
	return b
}

// molest has each hostile node ask ten others urgently, now and each second.
func (w *treeWorld) molest() {
	for i := range w.hostile {
		for range 10 {
			j := w.honest()
			if !w.nodes[i].links[j] {
				w.connect(i, j)
			}
			w.carry(i, j, 2, false, func(to int) {
				w.step(to, peer.Heard{From: w.ids[i], Frame: []byte{1, 2}})
			})
		}
	}
	w.after(1_000_000, w.molest)
}
